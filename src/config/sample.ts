import { type ConfigField, configFields } from "./schema-walk.ts";

const HEADER = `# Configuration of dlms-gateway.
# "##" explains, or shows what can stand in place of something else; "#" shows a field with its default or an example: take away the "#" to change it.
# Secrets are never written here: env:NAME, file:/path, credential:NAME or command:/program say where they are; a meter's
# may be "stored", too: in the database, sealed (see keys).
`;

/** A configuration file with every field, its description, and its default or an example. It parses as it is. */
export function sampleConfig(): string {
  const lines = [HEADER];
  for (const field of configFields()) {
    const indent = "  ".repeat(field.depth);
    if (field.depth === 0) lines.push("");
    lines.push(`## ${indent}${field.description}${field.isSection ? "" : ` (${field.type})`}`);
    lines.push(`#${field.isAlternative ? "# " : ""}${fieldLine(field, indent)}`);
  }
  return `${lines.join("\n")}\n`;
}

function fieldLine(field: ConfigField, indent: string): string {
  const lead = field.startsElement ? `${indent.slice(2)}- ` : indent;
  if (field.isSection) return `${lead}${field.name}:`;
  const value = field.fallback ?? field.example ?? exampleOf(field);
  return `${lead}${field.name}: ${JSON.stringify(value)}`;
}

function exampleOf(field: ConfigField): unknown {
  if (field.type.endsWith("secret reference")) return `file:/etc/dlms-gateway/${field.name}`;
  if (field.type === "duration") return "15m";
  if (field.name === "physicalAddress") return 256;
  if (field.name === "addressLength") return 4;
  if (field.name === "serverSystemTitle") return "4D4D4D0000BC614E";
  return field.name === "invocationCounter" ? "0.0.43.1.3.255" : "";
}
