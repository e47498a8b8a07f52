/**
 * From the APDUs of one line to what the meter said: LLC and general blocks undone, protection taken off with the keys
 * of the title's owner, the notification decoded. Whatever can't be read comes out as a rejection with its octets.
 */
import { decodeApdu } from "../../protocol/apdu/apdu.ts";
import { UnconfirmedBlocks } from "../../protocol/association/general-blocks.ts";
import { type Notification, notificationOf } from "../../protocol/association/notifications.ts";
import { dataFromBytes } from "../../protocol/axdr/data.ts";
import { DlmsError } from "../../protocol/errors.ts";
import type { ApduProtection, ProtectionLayer } from "../../protocol/security/apdu-protection.ts";
import { isCipheredTag, parseCipheredApdu } from "../../protocol/security/ciphered-apdu.ts";
import { type SystemTitle, titleText } from "../../protocol/security/system-title.ts";

export type PushOutcome =
  | {
      readonly type: "notification";
      readonly notification: Notification;
      readonly systemTitle: SystemTitle | undefined;
      /** Empty when nothing protected the push. */
      readonly layers: readonly ProtectionLayer[];
      /** The whole APDU as it came, joined from its blocks. */
      readonly octets: Uint8Array;
    }
  | {
      readonly type: "rejected";
      readonly error: DlmsError;
      readonly systemTitle: SystemTitle | undefined;
      readonly octets: Uint8Array;
    };

/** The protection of a sender, or undefined when nobody knows its keys. */
export type ProtectionLookup = (sender: SystemTitle) => ApduProtection | undefined;

const GENERAL_BLOCK_TRANSFER = 0xe0;
/** An LLC header that came without HDLC: destination, source E6 or E7, quality 0. */
const LLC_LENGTH = 3;
const STRUCTURE = 0x02;
const ARRAY = 0x01;

export class PushReader {
  readonly #protectionOf: ProtectionLookup;
  readonly #blocks = new UnconfirmedBlocks();

  constructor(protectionOf: ProtectionLookup) {
    this.#protectionOf = protectionOf;
  }

  /** What an APDU of the line says; undefined while more blocks have to come. */
  receive(octets: Uint8Array): PushOutcome | undefined {
    let whole = withoutLlc(octets);
    let sender: SystemTitle | undefined;
    try {
      if (whole[0] === GENERAL_BLOCK_TRANSFER) {
        const joined = this.#join(whole);
        if (joined === undefined) return undefined;
        whole = joined;
      }
      const { plain, layers } = this.#unprotect(whole, (title) => {
        sender = title;
      });
      return { type: "notification", notification: notificationIn(plain), systemTitle: sender, layers, octets: whole };
    } catch (error) {
      if (!(error instanceof DlmsError)) throw error;
      return { type: "rejected", error, systemTitle: sender, octets: whole };
    }
  }

  #join(octets: Uint8Array): Uint8Array | undefined {
    const block = decodeApdu(octets);
    return block.apdu === "general-block-transfer" ? this.#blocks.receive(block.body) : undefined;
  }

  #unprotect(
    octets: Uint8Array,
    onTitle: (title: SystemTitle) => void,
  ): { plain: Uint8Array; layers: readonly ProtectionLayer[] } {
    if (octets[0] === undefined || !isCipheredTag(octets[0])) return { plain: octets, layers: [] };
    const title = parseCipheredApdu(octets).systemTitle;
    if (title === undefined) throw new DlmsError("SECURITY_TITLE_UNKNOWN", "peer");
    onTitle(title);
    const protection = this.#protectionOf(title);
    if (protection === undefined) {
      throw new DlmsError("SECURITY_KEY_MISSING", "caller", { systemTitle: titleText(title) });
    }
    const { apdu, layers } = protection.unprotect(octets);
    return { plain: apdu, layers };
  }
}

function withoutLlc(octets: Uint8Array): Uint8Array {
  const [destination, source, quality] = octets;
  const isLlc = destination === 0xe6 && (source === 0xe6 || source === 0xe7) && quality === 0;
  return isLlc ? octets.subarray(LLC_LENGTH) : octets;
}

/** The notification in a plain APDU; a bare value, as some local interfaces send, is taken as the body of one. */
function notificationIn(plain: Uint8Array): Notification {
  if (plain[0] === STRUCTURE || plain[0] === ARRAY) {
    const body = dataFromBytes(plain);
    return { apdu: "data-notification", body: { longInvokeIdAndPriority: 0, dateTime: undefined, body } };
  }
  const apdu = decodeApdu(plain);
  const notification = notificationOf(apdu);
  if (notification === undefined) throw new DlmsError("SERVICE_UNEXPECTED", "peer", { apdu: apdu.apdu });
  return notification;
}
