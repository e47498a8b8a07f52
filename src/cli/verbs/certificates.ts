import type { Command } from "commander";
import type { CertificateOptions } from "../certificates-command.ts";
import { type DeclareVerb, SOCKET } from "./verb.ts";

/** What follows the meter in an example of each order. */
const EXAMPLES = {
  list: '--why "audit of June"',
  export: '--serial 0C --why "audit of June"',
  request: '--new-key-pair --out feeder-7.csr --why "new signing key"',
  import: 'feeder-7.pem --why "new signing key"',
} as const;

export const declareCertificates: DeclareVerb = (program, { output, finish }) => {
  const certificates = program
    .command("certificates")
    .description("certificates in a meter's Security setup: list, export, ask for, import");
  const ordered = (name: keyof typeof EXAMPLES, description: string): Command =>
    certificates
      .command(name)
      .description(description)
      .argument("<meter>", "name or number of the meter")
      .requiredOption("--why <text>", "the reason, for the log")
      .option("--socket <path>", "control socket of the daemon", SOCKET)
      .addHelpText("after", `\nExample:\n  dlms-gateway certificates ${name} feeder-7 ${EXAMPLES[name]}`);
  ordered("list", "which certificates the meter has").action(async (meter: string, options: CertificateOptions) => {
    const { certificatesCommand } = await import("../certificates-command.ts");
    finish(await certificatesCommand(meter, { type: "list" }, options, output));
  });
  ordered("export", "a certificate of the meter, as PEM")
    .requiredOption("--serial <hex>", "its serial number, as the list has it")
    .option("--out <file>", "file that must not be there yet")
    .action(async (meter: string, { serial, ...options }: CertificateOptions & { readonly serial: string }) => {
      const { certificatesCommand } = await import("../certificates-command.ts");
      finish(await certificatesCommand(meter, { type: "export", serialNumber: serial }, options, output));
    });
  ordered("request", "have the meter ask for a certificate of its signing key, as PEM")
    .option("--agreement", "of its key for key agreement")
    .option("--new-key-pair", "of a key pair that it makes now")
    .option("--out <file>", "file that must not be there yet")
    .action(
      async (
        meter: string,
        { agreement, newKeyPair, ...options }: CertificateOptions & { agreement?: true; newKeyPair?: true },
      ) => {
        const { certificatesCommand } = await import("../certificates-command.ts");
        const purpose = agreement ? "key-agreement" : "digital-signature";
        const order = { type: "request", purpose, newKeyPair: newKeyPair === true } as const;
        finish(await certificatesCommand(meter, order, options, output));
      },
    );
  ordered("import", "give the meter a certificate: its own, ours, or an authority's")
    .argument("<file>", "PEM")
    .action(async (meter: string, file: string, options: CertificateOptions) => {
      const { importCommand } = await import("../certificates-command.ts");
      finish(await importCommand(meter, file, options, output));
    });
};
