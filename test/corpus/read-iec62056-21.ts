import { fromHex, toHex } from "../../protocol/bytes/hex.ts";
import { DlmsError } from "../../protocol/errors.ts";
import { blockCheck, blockEnd } from "../../protocol/link/iec62056-21/block-check.ts";
import { parseDataSets } from "../../protocol/link/iec62056-21/data-sets.ts";
import { decodeP1Telegram, P1Parser, type P1Telegram, p1Check } from "../../protocol/link/iec62056-21/p1.ts";
import { withoutEvenParity } from "../../protocol/link/iec62056-21/parity.ts";
import {
  baudOf,
  decodeIdentification,
  decodeOptionSelect,
  encodeOptionSelect,
} from "../../protocol/link/iec62056-21/sign-on.ts";
import { octetsOf, textOf } from "../../protocol/link/iec62056-21/text.ts";
import { type CorpusCase, type Facts, isFacts } from "./case.ts";
import { textInput } from "./input.ts";
import { normaliseIdentification, normaliseTelegram } from "./normalise-iec62056-21.ts";
import { type LayerReader, NotSupported } from "./reading.ts";

const STX = 2;

/** Messages of the opening: a block with its check, an identification, a baud character, or an exchange of them. */
export const modeReader: LayerReader = (each) => {
  const { hex, text, baudChar, exchanges } = each.input;
  if (typeof hex === "string") return octetFacts(fromHex(hex));
  if (typeof text === "string") return identificationFacts(octetsOf(text));
  if (typeof baudChar === "string") return { baudRate: baudOf(baudChar) };
  if (Array.isArray(exchanges)) return exchangeFacts(exchanges.filter((part) => isFacts(part)));
  throw new NotSupported(`input has ${Object.keys(each.input).join(", ")}`);
};

function octetFacts(octets: Uint8Array): Facts {
  const stripped = withoutEvenParity(octets);
  const text = textOf(stripped.octets);
  if (text.startsWith("/")) {
    return { ...identificationFacts(stripped.octets), text, evenParityOk: stripped.parityRight };
  }
  if (blockEnd(octets) !== octets.length) throw new DlmsError("FRAME_INCOMPLETE", "peer");
  const bcc = blockCheck(octets.subarray(1, -1));
  if (octets.at(-1) !== bcc) throw new DlmsError("FRAME_CHECK_WRONG", "peer");
  return { bcc: toHex(Uint8Array.of(bcc)) };
}

function identificationFacts(octets: Uint8Array): Facts {
  const found = decodeIdentification(octets);
  const ack = toHex(encodeOptionSelect(found.baudCharacter, "hdlc"));
  return { ...normaliseIdentification(found), ack };
}

/** Sign-on, identification, acknowledgement and the beginning of a readout. */
function exchangeFacts(parts: readonly Facts[]): Facts {
  const received = parts.map((part) => part["rx"]).filter((text) => typeof text === "string");
  const sent = parts.map((part) => part["tx"]).filter((text) => typeof text === "string");
  const [identification = "", readout = ""] = received;
  const { escape: _, ...facts } = normaliseIdentification(decodeIdentification(octetsOf(identification)));
  const { dataSets } = parseDataSets(readout.slice(readout.charCodeAt(0) === STX ? 1 : 0));
  const values = Object.fromEntries(dataSets.map((dataSet) => [dataSet.address, dataSet.values[0]]));
  return { ...facts, ack: decodeOptionSelect(octetsOf(sent.at(-1) ?? "")), values };
}

/** One whole telegram. */
export const p1Reader: LayerReader = (each, leniency) => {
  const octets = octetsOf(textInput(each, "text"));
  return telegramFacts(each, decodeP1Telegram(octets, { lineEndsReplaced: leniency === "lenient" }));
};

/** A stream of telegrams: the last one that is whole, if all before it are. */
export const p1StreamReader: LayerReader = (each) => {
  const parser = new P1Parser();
  parser.receive(octetsOf(textInput(each, "text")));
  parser.flush();
  const telegrams: P1Telegram[] = [];
  let refusal: DlmsError | undefined;
  for (let unit = parser.takeUnit(); unit; unit = parser.takeUnit()) {
    if (unit.type === "telegram") telegrams.push(unit.telegram);
    else refusal ??= unit.error;
  }
  requireOnlyDerived(each, telegrams);
  const [telegram] = telegrams;
  if (telegram === undefined || refusal !== undefined) throw refusal ?? new DlmsError("READOUT_INVALID", "peer");
  return { ...telegramFacts(each, telegram), packetWithCrcCheck: telegram.crc !== undefined };
};

/** A rejected stream may hold good telegrams, which the case then names; more than those must not come out. */
function requireOnlyDerived(each: CorpusCase, telegrams: readonly P1Telegram[]): void {
  const named = each.derived["secondTelegram"];
  const allowed = isFacts(named) ? [named["identification"]] : [];
  const found = telegrams.map((telegram) => telegram.identification);
  if (each.outcome === "reject" && JSON.stringify(found) !== JSON.stringify(allowed)) {
    throw new Error(`${each.id}: ${found.length} telegrams came out, ${allowed.length} are whole`);
  }
}

function telegramFacts(each: CorpusCase, telegram: P1Telegram): Facts {
  const text = textInput(each, "text");
  const computed = p1Check(text.slice(text.indexOf("/"), text.indexOf("!") + 1));
  const facts = normaliseTelegram(telegram, computed);
  return { ...facts, crc: facts["crcPresent"] };
}
