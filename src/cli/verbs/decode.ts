import type { DecodeVerbOptions } from "../decode-verb.ts";
import type { DeclareVerb } from "./verb.ts";

export const declareDecode: DeclareVerb = (program, { output, finish }) => {
  program
    .command("decode")
    .description("explain octets of any layer: HDLC, wrapper, APDU, Data; ciphered ones with keys")
    .argument("<hex...>", "octets, as they stand in a trace; blanks do not matter")
    .option("--units", "each argument is one unit; titles and keys met in one serve to decipher the next")
    .option("--layer <layer>", "hdlc, wrapper, llc, apdu or data; found out when left out")
    .option("--block-cipher-key <reference>", "env:NAME or file:PATH, hexadecimal")
    .option("--authentication-key <reference>", "env:NAME or file:PATH, hexadecimal")
    .option("--dedicated-key <reference>", "env:NAME or file:PATH, hexadecimal")
    .option("--system-title <hex...>", "who may have sent the octets, where they do not say")
    .option("--show-secrets", "show passwords and keys that the octets contain")
    .option("--json", "print JSON")
    .addHelpText("after", "\nExample:\n  dlms-gateway decode c001c100080000010000ff0200")
    .action(async (texts: string[], options: DecodeVerbOptions) => {
      const { decodeVerb } = await import("../decode-verb.ts");
      finish(await decodeVerb(texts, options, output));
    });
};
