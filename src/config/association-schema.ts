/** How to associate with a meter, and how the association is protected. */
import { z } from "zod";
import { FORMULA_DIGESTS, FORMULA_PARTS } from "../../protocol/security/hls-formula.ts";
import { logicalName, meterSecretReference, secretReference, systemTitle } from "./fields.ts";

const MECHANISMS = ["none", "lls", "hls-2", "hls-3", "hls-4", "hls-5", "hls-6", "hls-7"] as const;
const NEEDS_SECRET: ReadonlySet<string> = new Set(["lls", "hls-2", "hls-3", "hls-4", "hls-6"]);
const NEEDS_SECURITY: ReadonlySet<string> = new Set(["hls-5", "hls-6", "hls-7"]);
const LARGEST_BLOCK_WINDOW = 63;
const LARGEST_USER_ID = 255;
/** Parts that a formula may be put together from. */
const LONGEST_FORMULA = 8;

const SIGNING_KEYS = ["signingKey", "serverSigningKey"] as const;
/** What general-ciphering needs besides the unicast and authentication keys, by how its key is found. */
const GENERAL_KEYS = {
  unicast: [],
  wrapped: ["masterKey"],
  "one-pass": [...SIGNING_KEYS, "agreementKey", "serverAgreementKey"],
  static: ["agreementKey", "serverAgreementKey"],
} as const;

const sap = z.int().min(0).max(0x3fff);

const securitySchema = z
  .strictObject({
    suite: z
      .union([z.literal(0), z.literal(1), z.literal(2)])
      .default(0)
      .describe("Security suite of the meter."),
    protection: z
      .enum(["none", "authenticated", "encrypted", "authenticated-encrypted"])
      .default("authenticated-encrypted")
      .describe(
        "How requests are protected; responses must be protected at least as well. With `none` the association is not ciphered and the keys serve authentication alone.",
      ),
    clientSystemTitle: systemTitle
      .describe("Our own system title in this association, 16 hexadecimal digits.")
      .meta({ examples: ["4845530000000001"] }),
    serverSystemTitle: systemTitle
      .optional()
      .describe("The meter's system title; learned from its answer when left out."),
    blockCipherKey: meterSecretReference
      .optional()
      .describe(
        "Global unicast encryption key (hexadecimal in the referenced place). Not needed with `protection: none`, but for hls-5.",
      )
      .meta({ examples: ["file:/etc/dlms-gateway/keys/feeder-7.block-cipher-key"] }),
    authenticationKey: meterSecretReference.optional().describe("Global authentication key (hexadecimal)."),
    dedicatedKey: z.boolean().default(false).describe("Propose a fresh dedicated key for each association."),
    general: z.boolean().default(false).describe("Use general-glo-ciphering instead of service-specific ciphering."),
    generalCiphering: z
      .enum(["unicast", "wrapped", "one-pass", "static"])
      .optional()
      .describe(
        "Cipher requests by general-ciphering, under the key named here: the unicast key, a new one wrapped with the master key, or one agreed on (suites 1 and 2).",
      )
      .meta({ examples: ["one-pass"] }),
    sign: z
      .boolean()
      .default(false)
      .describe("Sign requests (general-signing, suites 1 and 2); answers must be signed too."),
    masterKey: meterSecretReference
      .optional()
      .describe("Master key of the meter (hexadecimal), for `generalCiphering: wrapped`."),
    signingKey: secretReference
      .optional()
      .describe("Our private key for digital signatures (PEM in the referenced place): hls-7, `sign`, agreed keys."),
    serverSigningKey: secretReference
      .optional()
      .describe("The meter's certificate or public key for digital signatures (PEM in the referenced place)."),
    certificate: secretReference
      .optional()
      .describe("hls-7: our certificate for signatures (PEM in the referenced place), to go along when we associate."),
    authority: secretReference
      .optional()
      .describe(
        "hls-7: certificate of the authority (PEM in the referenced place) that vouches for the meter's, which comes along when it answers; in the place of `serverSigningKey`.",
      ),
    agreementKey: secretReference
      .optional()
      .describe("Our private key for key agreement (PEM in the referenced place)."),
    serverAgreementKey: secretReference
      .optional()
      .describe("The meter's certificate or public key for key agreement (PEM in the referenced place)."),
    tagCovers: z
      .enum(["header", "keys", "either"])
      .default("either")
      .describe(
        "generalCiphering: whether tags cover the header of the APDU besides the authentication key (`header`, as the standard has it) or not (`keys`, as some peers have it); with `either` ours do, and both are taken.",
      ),
    keyDerivation: z
      .enum(["corrected", "first-print"])
      .default("corrected")
      .describe(
        "Agreed keys: the algorithm identifier in the derivation, 05 as corrected prints of the standard have it, or 06 as an early one and the British profile have it.",
      ),
    ephemeralSignatureCovers: z
      .enum(["key", "scheme-and-key"])
      .default("key")
      .describe(
        "generalCiphering one-pass: whether the signature on an ephemeral key covers the octet of the scheme before it too.",
      ),
    signatureCovers: z
      .enum(["content", "content-and-length"])
      .default("content")
      .describe("sign: whether a signature covers the length of the content too."),
    invocationCounter: z
      .union([z.literal("find"), logicalName])
      .optional()
      .describe(
        "Logical name of the meter's counter for this key, read with the public client before associating; `find` tries those that meters are known to have, the client's own first.",
      ),
  })
  .superRefine((security, context) => {
    if (security.blockCipherKey === undefined && security.protection !== "none") {
      context.addIssue({ code: "custom", path: ["blockCipherKey"], message: "ciphering needs it" });
    }
    const needs = [...(security.sign ? SIGNING_KEYS : []), ...GENERAL_KEYS[security.generalCiphering ?? "unicast"]];
    for (const field of needs) {
      if (security[field] !== undefined) continue;
      context.addIssue({ code: "custom", path: [field], message: "this protection needs it" });
    }
  })
  .describe("Ciphering of the association; leave out for a meter without it.");

export const associationSchema = z
  .strictObject({
    clientSap: sap.default(16).describe("Client SAP: 16 public, 32 meter reader, 48 utility setting in India."),
    serverSap: sap.default(1).describe("Server SAP: the logical device, 1 for the management logical device."),
    referencing: z
      .enum(["ln", "sn"])
      .default("ln")
      .describe("How the meter's objects are named: ln by logical names, sn by short names (older meters)."),
    mechanism: z.enum(MECHANISMS).default("none").describe("Authentication mechanism."),
    preEstablished: z
      .boolean()
      .default(false)
      .describe("The meter counts us as associated always: nothing is exchanged to associate or to take leave."),
    secret: meterSecretReference
      .optional()
      .describe("Password (lls) or HLS secret; `0x…` in the referenced place means octets."),
    security: securitySchema.optional(),
    release: z
      .enum(["plain", "protected", "none"])
      .optional()
      .describe(
        "How leave is taken: by a plain release request, by one that is ciphered (the default of ciphered associations), or by closing alone.",
      )
      .meta({ examples: ["plain"] }),
    userId: z
      .int()
      .min(0)
      .max(LARGEST_USER_ID)
      .optional()
      .describe("Identification of the client's user, for meters that ask for it.")
      .meta({ examples: [1] }),
    generalBlocks: z
      .enum(["never", "when-needed", "always"])
      .default("never")
      .describe(
        "General blocks, where the meter has them: not proposed, proposed and used for requests that are too long otherwise, or used always.",
      ),
    generalBlockWindow: z
      .int()
      .min(1)
      .max(LARGEST_BLOCK_WINDOW)
      .default(6)
      .describe("General blocks that the meter may send without being acknowledged."),
    blockPadding: z
      .enum(["zero", "none"])
      .default("zero")
      .describe("hls-2: fill secret and challenge up to whole blocks, or refuse those that are none."),
    hlsFormula: z
      .strictObject({
        digest: z.enum(FORMULA_DIGESTS),
        over: z.array(z.enum(FORMULA_PARTS)).min(2).max(LONGEST_FORMULA),
        length: z.int().min(8).max(64).optional(),
      })
      .optional()
      .describe(
        "hls-2 of a maker that computes something else than AES: a digest over challenge and secret, in the order of `over`, cut to `length` octets.",
      )
      .meta({ examples: [{ digest: "sha1", over: ["challenge", "secret"] }], alternative: true }),
    maxReceivePduSize: z
      .int()
      .min(64)
      .max(65_535)
      .optional()
      .describe("Largest APDU that we accept, in octets; 8192 with the wrapper over TCP, 1024 otherwise.")
      .meta({ examples: [2048] }),
  })
  .superRefine(({ mechanism, secret, security, preEstablished, hlsFormula }, context) => {
    if (hlsFormula !== undefined && (mechanism !== "hls-2" || new Set(hlsFormula.over).size < FORMULA_PARTS.length)) {
      const message = "a formula is of hls-2, and over challenge and secret";
      context.addIssue({ code: "custom", path: ["hlsFormula"], message });
    }
    if (preEstablished && mechanism !== "none") {
      const message = "there is no authentication in a pre-established association";
      context.addIssue({ code: "custom", path: ["mechanism"], message });
    }
    if (preEstablished && security !== undefined && security.serverSystemTitle === undefined) {
      const message = "a pre-established association needs it: the meter does not tell it";
      context.addIssue({ code: "custom", path: ["security", "serverSystemTitle"], message });
    }
    const lacks = (field: string) =>
      context.addIssue({ code: "custom", path: [field], message: `mechanism ${mechanism} needs it` });
    if (NEEDS_SECRET.has(mechanism) && secret === undefined) lacks("secret");
    if (NEEDS_SECURITY.has(mechanism) && security === undefined) lacks("security");
    if (mechanism === "hls-5" && security !== undefined && security.blockCipherKey === undefined) {
      lacks("security.blockCipherKey");
    }
    if (mechanism !== "hls-7" || security === undefined) return;
    if (security.signingKey === undefined) lacks("security.signingKey");
    if (security.serverSigningKey === undefined && security.authority === undefined) lacks("security.serverSigningKey");
  })
  .describe("How to associate with the meter.");
