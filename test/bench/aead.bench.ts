import { createDecipheriv, createSecretKey } from "node:crypto";
import { ApduProtection } from "../../protocol/security/apdu-protection.ts";
import { SecretKey } from "../../protocol/security/secret-key.ts";
import { systemTitle } from "../../protocol/security/system-title.ts";
import { type Bench, measure } from "./bench.ts";

const SIZES = [300, 1600] as const;
const METER = systemTitle(Uint8Array.of(0x4d, 0x4d, 0x4d, 0, 0, 0, 0, 1));
const GATEWAY = systemTitle(Uint8Array.of(0x4d, 0x4d, 0x4d, 0, 0, 0, 0, 2));
const ENCRYPTION = Uint8Array.from({ length: 16 }, (_, i) => i);
const AUTHENTICATION = Uint8Array.from({ length: 16 }, (_, i) => 0xd0 + i);
const CONTENT_START = 1 + 9 + 3;
const TAG_LENGTH = 12;

function protection(own: typeof METER): ApduProtection {
  return new ApduProtection({
    suite: 0,
    ownSystemTitle: own,
    keys: {
      blockCipherKey: new SecretKey("blockCipherKey", ENCRYPTION),
      authenticationKey: new SecretKey("authenticationKey", AUTHENTICATION),
    },
    // The same APDU is opened again and again, which only a receiver that merely warns of replay does.
    replay: "warn",
    nextInvocationCounter: () => 1,
  });
}

function generalGlo(size: number): Uint8Array {
  const plain = Uint8Array.from({ length: size }, (_, i) => (i === 0 ? 0x0f : i & 0xff));
  return protection(METER).protect(plain, { control: "authenticated-encrypted", form: "general", keySet: "global" });
}

/** The least that deciphering takes: key, vector and additional data are ready, nothing is checked but the tag. */
function bareOpen(apdu: Uint8Array): () => Uint8Array {
  const key = createSecretKey(ENCRYPTION);
  const iv = Uint8Array.from([...METER, 0, 0, 0, 1]);
  const aad = Uint8Array.from([0x30, ...AUTHENTICATION]);
  const ciphered = apdu.subarray(apdu[10] === 0x82 ? CONTENT_START + 5 : CONTENT_START + 4, -TAG_LENGTH);
  const tag = apdu.subarray(-TAG_LENGTH);
  return () => {
    const decipher = createDecipheriv("aes-128-gcm", key, iv, { authTagLength: TAG_LENGTH });
    decipher.setAAD(aad);
    decipher.setAuthTag(tag);
    const plain = decipher.update(ciphered);
    decipher.final();
    return plain;
  };
}

export const bench: Bench = {
  compares: `opening a general-glo-ciphered APDU of ${SIZES.join(" and of ")} octets (parse, checks, replay window, AES-GCM) against the bare calls of node:crypto`,
  unfair:
    "the bare calls have vector, additional data and the place of the tag ready made and check nothing but the tag; our side also pays for a warning, because the benchmark repeats one counter",
  async run(options) {
    const tasks = SIZES.flatMap((size) => {
      const apdu = generalGlo(size);
      const receiver = protection(GATEWAY);
      return [
        [`unprotect-${size}`, () => receiver.unprotect(apdu)],
        [`bare-${size}`, bareOpen(apdu)],
      ] as const;
    });
    const { rows, perSecond } = await measure(Object.fromEntries<() => unknown>(tasks), "APDUs", options);
    const ratios = SIZES.map((size) => {
      const [ours = 0, bare = 1] = [perSecond[`unprotect-${size}`], perSecond[`bare-${size}`]];
      return [`aead-${size}`, ours / bare] as const;
    });
    return { rows, ratios: Object.fromEntries(ratios) };
  },
};
