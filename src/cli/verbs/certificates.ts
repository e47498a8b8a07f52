import type { Command } from "commander";
import type { CertificateOptions } from "../commands/certificates-command.ts";
import { type DeclareVerb, SOCKET } from "./verb.ts";

export const declareCertificates: DeclareVerb = (program, { output, finish }) => {
  const certificates = program
    .command("certificates")
    .description("certificates in a meter's Security setup: list, export, ask for, import");
  const ordered = (name: string, description: string): Command =>
    certificates
      .command(name)
      .description(description)
      .argument("<meter>", "name or number of the meter")
      .requiredOption("--why <text>", "the reason, for the log")
      .option("--socket <path>", "control socket of the daemon", SOCKET)
      .option("--json", "print JSON");
  ordered("list", "which certificates the meter has")
    .option("--csv", "print CSV")
    .action(async (meter: string, options: CertificateOptions) => {
      const { certificatesCommand } = await import("../commands/certificates-command.ts");
      finish(await certificatesCommand(meter, { type: "list" }, options, output));
    });
  ordered("export", "a certificate of the meter, as PEM")
    .requiredOption("--serial <hex>", "its serial number, as the list has it")
    .option("--out <file>", "file that must not be there yet")
    .action(async (meter: string, { serial, ...options }: CertificateOptions & { readonly serial: string }) => {
      const { certificatesCommand } = await import("../commands/certificates-command.ts");
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
        const { certificatesCommand } = await import("../commands/certificates-command.ts");
        const purpose = agreement ? "key-agreement" : "digital-signature";
        const order = { type: "request", purpose, newKeyPair: newKeyPair === true } as const;
        finish(await certificatesCommand(meter, order, options, output));
      },
    );
  ordered("import", "give the meter a certificate: its own, ours, or an authority's")
    .argument("<file>", "PEM")
    .option("--csv", "print CSV")
    .action(async (meter: string, file: string, options: CertificateOptions) => {
      const { importCommand } = await import("../commands/certificates-command.ts");
      finish(await importCommand(meter, file, options, output));
    });
};
