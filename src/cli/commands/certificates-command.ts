/** `certificates`: what a meter's Security setup keeps of them, over the running daemon. */
import { readFile, writeFile } from "node:fs/promises";
import { certificateAnswer } from "../../api/answers/keys.ts";
import { askDaemon } from "../../api/local-client.ts";
import type { CertificateOrder } from "../../keys/meter-certificates.ts";
import type { ExitReason } from "../terminal/exit-code.ts";
import { type ListingOptions, printListing, printOutcome, titled } from "../terminal/listing.ts";
import type { Output } from "../terminal/output.ts";

export interface CertificateOptions extends ListingOptions {
  readonly why: string;
  readonly socket: string;
  /** File for what comes as PEM; printed when left out. */
  readonly out?: string;
}

export async function certificatesCommand(
  meter: string,
  order: CertificateOrder,
  { why, socket, out, ...options }: CertificateOptions,
  output: Output,
): Promise<ExitReason> {
  const path = `/v1/meters/${encodeURIComponent(meter)}/certificates`;
  const { certificates, pem } = await askDaemon(socket, { path, body: { order, why }, answer: certificateAnswer });
  if (pem !== null && out !== undefined) await writeFile(out, pem, { flag: "wx" });
  if (pem !== null) {
    const words = out === undefined ? pem.trimEnd() : `${out} is written`;
    printOutcome(output, options, { meter, pem, file: out ?? null }, words);
  } else {
    const rows = certificates.map(({ entity, purpose, serialNumber }) => [entity, purpose, serialNumber]);
    printListing(output, options, titled("entity", "purpose", "serial number"), rows);
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
