/** Writes the pages under docs/ that are made from code. */
import { writeFile } from "node:fs/promises";
import { troubleshootingPage } from "../collect/troubleshooting-page.ts";
import { configDocumentation } from "./documentation.ts";

await writeFile("docs/configuration.md", configDocumentation());
await writeFile("docs/troubleshooting.md", troubleshootingPage());
