import { LIVE_PARTS } from "./live-parts.ts";
import { configFields } from "./schema-walk.ts";

/** docs/configuration.md, made from the schema. */
export function configDocumentation(): string {
  const rows = configFields().map((field) => {
    const fallback = field.required
      ? "*required*"
      : field.fallback === undefined || field.isSection
        ? ""
        : code(field.fallback);
    return `| \`${field.path}\` | ${field.type.replaceAll("|", "or")} | ${fallback} | ${field.description} |`;
  });
  const taken = Object.values(LIVE_PARTS).flat();
  return [
    "# Configuration",
    "",
    "Made from the schema by `npm run docs`; `dlms-gateway config sample` prints a file to start from and",
    "`dlms-gateway config check FILE` says what is wrong with one, line by line. Durations are a number and a unit",
    "(`500ms`, `30s`, `15m`, `1h`, `1d`). Secrets are references: `env:NAME`, `file:/path`, `credential:NAME` (a systemd",
    "credential) or `command:/program ARGUMENT…` (what it prints); the file itself never holds one. A meter's secret may",
    "also be `stored`: in the database, sealed under the key of section `keys`, where `dlms-gateway keys import` puts it.",
    "",
    "A reload (SIGHUP, `systemctl reload`) takes these sections while sessions go on; a meter that has changed is let go",
    "when its session has ended, and taken anew. All else waits for a restart.",
    "",
    taken.map((section) => `\`${section}\``).join(", "),
    "",
    "| field | type | default | meaning |",
    "|---|---|---|---|",
    ...rows,
    "",
  ].join("\n");
}

function code(value: unknown): string {
  return `\`${JSON.stringify(value)}\``;
}
