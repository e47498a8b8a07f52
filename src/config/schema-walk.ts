import { z } from "zod";
import { configSchema } from "./schema.ts";

/** One field of the configuration, as the sample file and the documentation show it. */
export interface ConfigField {
  /** `meters[].connection.tcp` */
  readonly path: string;
  readonly depth: number;
  readonly name: string;
  /** True for the first field of a list's element. */
  readonly startsElement: boolean;
  readonly description: string;
  readonly type: string;
  readonly required: boolean;
  readonly fallback: unknown;
  readonly example: unknown;
  readonly isSection: boolean;
  /** It excludes other fields that are shown. */
  readonly isAlternative: boolean;
}

interface JsonSchema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly JsonSchema[];
  readonly const?: unknown;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly alternative?: boolean;
}

/** Every field in the order of the schema. */
export function configFields(): ConfigField[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the generator's own type leaves its fields unknown.
  const root = z.toJSONSchema(configSchema, { io: "input", unrepresentable: "any" }) as JsonSchema;
  const fields: ConfigField[] = [];
  walk(root, { path: "", depth: 0, inElement: false, alternative: false }, fields);
  return fields;
}

function walk(
  schema: JsonSchema,
  at: { path: string; depth: number; inElement: boolean; alternative: boolean },
  fields: ConfigField[],
): void {
  let first = true;
  for (const [name, field] of Object.entries(schema.properties ?? {})) {
    const path = at.path === "" ? name : `${at.path}.${name}`;
    const element = field.items?.properties === undefined ? undefined : field.items;
    const alternative = at.alternative || field.alternative === true;
    const section = element ?? (field.properties === undefined ? undefined : field);
    fields.push({
      path: element === undefined ? path : `${path}[]`,
      depth: at.depth,
      name,
      startsElement: at.inElement && first,
      description: field.description ?? "",
      type: typeText(field),
      required: schema.required?.includes(name) === true,
      fallback: field.default,
      example: field.examples?.[0],
      isSection: section !== undefined,
      isAlternative: alternative,
    });
    first = false;
    if (section === undefined) continue;
    const depth = at.depth + (element === undefined ? 1 : 2);
    walk(
      section,
      { path: element === undefined ? path : `${path}[]`, depth, inElement: element !== undefined, alternative },
      fields,
    );
  }
}

function typeText(schema: JsonSchema): string {
  if (schema.enum !== undefined) return schema.enum.map(String).join(" | ");
  if (schema.anyOf !== undefined) return schema.anyOf.map((each) => JSON.stringify(each.const)).join(" | ");
  if (schema.items !== undefined) return "list";
  if (schema.properties !== undefined) return "section";
  if (schema.minimum !== undefined && schema.maximum !== undefined) {
    return `${schema.type ?? "number"}, ${schema.minimum} to ${schema.maximum}`;
  }
  if (schema.pattern?.includes("(stored|") === true) return "meter's secret reference";
  if (schema.pattern?.includes("env|file|credential") === true) return "secret reference";
  if (schema.pattern?.includes("ms|s|m|h|d") === true) return "duration";
  return schema.type ?? "text";
}
