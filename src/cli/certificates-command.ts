/** `certificates`: what a meter's Security setup keeps of them, over the running daemon. */
import { readFile, writeFile } from "node:fs/promises";
import { certificateAnswer } from "../api/answers/keys.ts";
import { askDaemon } from "../api/local-client.ts";
import type { CertificateOrder } from "../keys/meter-certificates.ts";
import type { ExitReason } from "./exit-code.ts";
import { type Output, printTable } from "./output.ts";

export interface CertificateOptions {
  readonly why: string;
  readonly socket: string;
  /** File for what comes as PEM; printed when left out. */
  readonly out?: string;
}

export async function certificatesCommand(
  meter: string,
  order: CertificateOrder,
  { why, socket, out }: CertificateOptions,
  output: Output,
): Promise<ExitReason> {
  const path = `/v1/meters/${encodeURIComponent(meter)}/certificates`;
  const { certificates, pem } = await askDaemon(socket, { path, body: { order, why }, answer: certificateAnswer });
  if (pem !== null && out !== undefined) await writeFile(out, pem, { flag: "wx" });
  else if (pem !== null) output.out(pem.trimEnd());
  else {
    printTable(
      output,
      ["entity", "purpose", "serial number"].map((title) => ({ title })),
      certificates.map(({ entity, purpose, serialNumber }) => [entity, purpose, serialNumber]),
    );
  }
  return "success";
}

export async function importCommand(
  meter: string,
  file: string,
  options: CertificateOptions,
  output: Output,
): Promise<ExitReason> {
  return await certificatesCommand(meter, { type: "import", pem: await readFile(file, "utf8") }, options, output);
}
