/** Writes the pages under docs/ that are made from code. */
import { writeFile } from "node:fs/promises";
import { documentClasses } from "../../protocol/cosem/class-documentation.ts";
import { INTERFACE_CLASSES } from "../../protocol/cosem/classes/registry.ts";
import { troubleshootingPage } from "../collect/causes/troubleshooting-page.ts";
import { configDocumentation } from "./documentation.ts";

await writeFile("docs/configuration.md", configDocumentation());
await writeFile("docs/interface-classes.md", documentClasses(INTERFACE_CLASSES));
await writeFile("docs/troubleshooting.md", troubleshootingPage());
