import type { Command } from "commander";
import type { KeyOrderOptions, KeyTransferOptions } from "../commands/key-change-command.ts";
import type { KeysImportOptions, KeysOptions } from "../commands/keys-command.ts";
import type { ListingOptions } from "../terminal/listing.ts";
import { addJsonOption, addListingOptions, addSocketOption, CONFIG_FILE, type DeclareVerb } from "./verb.ts";

export const declareKeys: DeclareVerb = (program, { output, finish }) => {
  const keys = program
    .command("keys")
    .description("put meters' keys into the sealed key store, or say which are there; never shows one");
  keys
    .command("new-sealing-key")
    .description("write a fresh sealing key to a file")
    .argument("<file>", "file that must not be there yet")
    .option("--json", "print JSON")
    .action(async (file: string, options: ListingOptions) => {
      const { keysNewSealingKey } = await import("../commands/keys-command.ts");
      finish(await keysNewSealingKey(file, options, output));
    });
  keys
    .command("import")
    .description("store the keys of a shipment file, sealed: CSV, PSKC (RFC 6030) or KEM")
    .argument("<file>", "CSV with a header line meter,client,role,key (an empty client means all), or XML")
    .option("--transport-key <reference>", "what the XML is closed with: env:, file:, credential: or command:")
    .requiredOption("-c, --config <file>", "configuration file", CONFIG_FILE)
    .option("--json", "print JSON")
    .option("--csv", "print CSV")
    .addHelpText(
      "after",
      `
Roles: password (or secret), blockCipherKey (or guek), authenticationKey (or gak), masterKey (or kek). Keys are
hexadecimal; a password is text, or octets after 0x. In a key container the KeyProfileId is the role, or role@client.
Erase the file afterwards.

Example:
  meter,client,role,key
  feeder-7,48,blockCipherKey,000102030405060708090A0B0C0D0E0F`,
    )
    .action(async (file: string, options: KeysImportOptions) => {
      const { keysImport } = await import("../commands/keys-command.ts");
      finish(await keysImport(file, options, output));
    });
  addListingOptions(keys.command("list"))
    .description("which keys are stored, without their octets")
    .requiredOption("-c, --config <file>", "configuration file", CONFIG_FILE)
    .action(async (options: KeysOptions) => {
      const { keysList } = await import("../commands/keys-command.ts");
      finish(await keysList(options, output));
    });
  keys
    .command("reseal")
    .description("seal every key again under the present sealing key")
    .requiredOption("-c, --config <file>", "configuration file", CONFIG_FILE)
    .option("--json", "print JSON")
    .action(async (options: KeysOptions) => {
      const { keysReseal } = await import("../commands/keys-command.ts");
      finish(await keysReseal(options, output));
    });
  changingKeys(keys, { output, finish });
};

function changingKeys(keys: Command, { output, finish }: Parameters<DeclareVerb>[1]): void {
  addJsonOption(addSocketOption(keys.command("transfer")))
    .description("give a meter a new key through its Security setup: kept before it is told, in use when it is proven")
    .argument("<meter>", "name or number of the meter")
    .option("--role <role>", "blockCipherKey (or guek), authenticationKey (or gak)", "blockCipherKey")
    .option("--agree", "agree on the key (suites 1 and 2) instead of sending it wrapped under the master key")
    .requiredOption("--why <text>", "the reason, for the log")
    .addHelpText(
      "after",
      `
The meter's keys must be in the key store ("stored" in the configuration), and so must security.masterKey be known, or
with --agree both signing keys. A change that was cut short leaves the key pending, as \`keys list\` shows; the next
\`keys transfer\`, or \`keys settle\`, finds out which key the meter has. With --agree, an answer that is lost on the way
takes half of the key along with it: \`keys settle\` then tells whether the old key still holds.`,
    )
    .action(async (meter: string, options: KeyTransferOptions) => {
      const { keysTransfer } = await import("../commands/key-change-command.ts");
      finish(await keysTransfer(meter, options, output));
    });
  addJsonOption(addSocketOption(keys.command("settle")))
    .description("find out which key a meter has whose change was cut short")
    .argument("<meter>", "name or number of the meter")
    .requiredOption("--why <text>", "the reason, for the log")
    .action(async (meter: string, options: KeyOrderOptions) => {
      const { keysSettle } = await import("../commands/key-change-command.ts");
      finish(await keysSettle(meter, options, output));
    });
}
