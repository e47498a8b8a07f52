/** The interface class tables as text for people. */
import type { InterfaceClass, Method } from "./interface-class.ts";
import type { ValueType } from "./value-type.ts";

/** All classes as Markdown: a table of attributes and methods each. */
export function documentClasses(classes: readonly InterfaceClass[]): string {
  const index = classes.map((each) => `| ${each.classId} | ${each.version} | ${each.name} |`);
  return [
    "# Interface classes",
    "",
    "Made by `npm run docs` from the tables in `protocol/cosem/classes/`; change those, not this page.",
    "",
    "| class | version | name |",
    "|---|---|---|",
    ...index,
    ...classes.flatMap(documentClass),
    "",
  ].join("\n");
}

function documentClass(cosemClass: InterfaceClass): string[] {
  const attributes = Object.entries(cosemClass.attributes).sort(([, one], [, other]) => one.id - other.id);
  const methods = Object.entries(cosemClass.methods);
  return [
    "",
    `## ${cosemClass.classId}, version ${cosemClass.version}: ${cosemClass.name}`,
    "",
    "| attribute | name | type | usual access |",
    "|---|---|---|---|",
    ...attributes.map(([name, { id, type, access, static: fixed }]) => {
      return `| ${id} | ${name} | ${typeText(type)} | ${access ?? "read"}${fixed === true ? ", static" : ""} |`;
    }),
    ...(methods.length === 0 ? [] : ["", "| method | name | parameter | result |", "|---|---|---|---|"]),
    ...methods.map(([name, method]) => documentMethod(name, method)),
  ];
}

function documentMethod(name: string, method: Method | number): string {
  if (typeof method === "number") return `| ${method} | ${name} | | |`;
  const { id, parameter, result } = method;
  return `| ${id} | ${name} | ${optionalType(parameter)} | ${optionalType(result)} |`;
}

function optionalType(type: ValueType<unknown> | undefined): string {
  return type === undefined ? "" : typeText(type);
}

function typeText(type: ValueType<unknown>): string {
  const labels = Object.entries(type.labels ?? {}).map(([value, label]) => `${value} ${label}`);
  const text = type.text.replaceAll("|", "\\|");
  return labels.length === 0 ? text : `${text}: ${labels.join(", ")}`;
}
