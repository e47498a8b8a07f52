import type { KeysOptions } from "../keys-command.ts";
import { CONFIG_FILE, type DeclareVerb } from "./verb.ts";

export const declareKeys: DeclareVerb = (program, { output, finish }) => {
  const keys = program
    .command("keys")
    .description("put meters' keys into the sealed key store, or say which are there; never shows one");
  keys
    .command("new-sealing-key")
    .description("write a fresh sealing key to a file")
    .argument("<file>", "file that must not be there yet")
    .action(async (file: string) => {
      const { keysNewSealingKey } = await import("../keys-command.ts");
      finish(await keysNewSealingKey(file, output));
    });
  keys
    .command("import")
    .description("store the keys of a CSV file, sealed: meter,client,role,key")
    .argument("<file>", "CSV with a header line; an empty client means all")
    .requiredOption("-c, --config <file>", "configuration file", CONFIG_FILE)
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
Roles: password (or secret), blockCipherKey (or guek), authenticationKey (or gak), masterKey (or kek). Keys are
hexadecimal; a password is text, or octets after 0x. Erase the file afterwards.

Example:
  meter,client,role,key
  feeder-7,48,blockCipherKey,000102030405060708090A0B0C0D0E0F`,
    )
    .action(async (file: string, options: KeysOptions) => {
      const { keysImport } = await import("../keys-command.ts");
      finish(await keysImport(file, options, output));
    });
  keys
    .command("list")
    .description("which keys are stored, without their octets")
    .requiredOption("-c, --config <file>", "configuration file", CONFIG_FILE)
    .option("--json", "print JSON")
    .action(async (options: KeysOptions) => {
      const { keysList } = await import("../keys-command.ts");
      finish(await keysList(options, output));
    });
  keys
    .command("reseal")
    .description("seal every key again under the present sealing key")
    .requiredOption("-c, --config <file>", "configuration file", CONFIG_FILE)
    .action(async (options: KeysOptions) => {
      const { keysReseal } = await import("../keys-command.ts");
      finish(await keysReseal(options, output));
    });
};
