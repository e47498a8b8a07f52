/**
 * From the APDUs of one line to what the meter said: LLC and general blocks undone, protection taken off with the keys
 * of whoever may have sent it, the notification decoded. Whatever can't be read comes out as a rejection with its octets.
 */
import { type Apdu, decodeApdu } from "../../../protocol/apdu/apdu.ts";
import { UnconfirmedBlocks } from "../../../protocol/association/general-blocks.ts";
import { type Notification, notificationOf } from "../../../protocol/association/notifications.ts";
import { dataFromBytes } from "../../../protocol/axdr/data.ts";
import { DlmsError } from "../../../protocol/errors.ts";
import { decodeP1Telegram, type P1Telegram } from "../../../protocol/link/iec62056-21/p1.ts";
import type { LinkEvent } from "../../../protocol/link/link.ts";
import { FIELD_QUIRKS, type Quirk } from "../../../protocol/quirks.ts";
import type { ApduProtection, ProtectionLayer } from "../../../protocol/security/apdu-protection.ts";
import { isCipheredTag, parseCipheredApdu } from "../../../protocol/security/ciphered-apdu.ts";
import { type SystemTitle, titleText } from "../../../protocol/security/system-title.ts";
import type { PushSender } from "../senders/sender-directory.ts";
import { bodyOfBarePush } from "./bare-push.ts";

/** What a link delivers. */
export type PushUnit = Pick<Extract<LinkEvent, { type: "apdu" }>, "apdu" | "sourceSap" | "destinationSap">;

/** What a meter says unasked; telegrams of P1 ports are no APDUs, but go the same way. */
export type PushedMessage = Notification | { readonly apdu: "p1-telegram"; readonly body: P1Telegram };

export interface ReadPush {
  readonly type: "notification";
  readonly notification: PushedMessage;
  readonly systemTitle: SystemTitle | undefined;
  /** Whose keys opened it; undefined when nothing protected the push. */
  readonly opened: OpenedBy | undefined;
  /** Empty when nothing protected the push. */
  readonly layers: readonly ProtectionLayer[];
  /** Deviations that were let pass. */
  readonly marks: readonly string[];
  /** The whole APDU as it came, joined from its blocks. */
  readonly octets: Uint8Array;
}

export interface OpenedBy {
  readonly sender: PushSender;
}

export interface RejectedPush {
  readonly type: "rejected";
  readonly error: DlmsError;
  readonly systemTitle: SystemTitle | undefined;
  /** The meter that it claims to be from, where only one can be meant. */
  readonly claimed: PushSender | undefined;
  readonly octets: Uint8Array;
}

export type PushOutcome = ReadPush | RejectedPush;

/** Who may have sent under a title, or without one, and with which protection. */
export interface OpenerLookup {
  candidates(title: SystemTitle | undefined): readonly OpenerCandidate[];
}

export interface OpenerCandidate {
  readonly sender: PushSender;
  /** Undefined when nobody knows the meter's keys. */
  readonly protection: ApduProtection | undefined;
}

const GENERAL_BLOCK_TRANSFER = 0xe0;
const DATA_NOTIFICATION = 0x0f;
/** An LLC header that came without HDLC: destination, source E6 or E7, quality 0. */
const LLC_LENGTH = 3;
const STRUCTURE = 0x02;
const ARRAY = 0x01;
/** `/`, with which a telegram of a P1 port begins. */
const TELEGRAM = 0x2f;
/** Stations on one line that may be in the middle of a transfer in blocks. */
const BLOCK_SENDERS = 16;
/** Tried only where the octets make no sense otherwise. */
const PUSH_QUIRKS: ReadonlySet<Quirk> = new Set<Quirk>([...FIELD_QUIRKS, "untagged-descriptors"]);

export class PushReader {
  readonly #openers: OpenerLookup;
  /** By the SAPs of the station that sends them, the one that was silent longest first. */
  readonly #blocks = new Map<string, UnconfirmedBlocks>();

  constructor(openers: OpenerLookup) {
    this.#openers = openers;
  }

  /** Whether a transfer in blocks has begun and not ended. */
  get pending(): boolean {
    return this.#blocks.size > 0;
  }

  /** What an APDU of the line says; nothing while more blocks have to come, more than one when blocks were given up. */
  receive(unit: PushUnit): PushOutcome[] {
    const octets = withoutLlc(unit.apdu);
    if (octets[0] !== GENERAL_BLOCK_TRANSFER) return [this.#read(octets)];
    try {
      return this.#join(octets, `${unit.sourceSap}>${unit.destinationSap}`);
    } catch (error) {
      return [rejection(error, { octets })];
    }
  }

  /** The line has ended: gives up what is not whole. */
  end(): RejectedPush[] {
    const outcomes = [...this.#blocks.values()].flatMap(givenUp);
    this.#blocks.clear();
    return outcomes;
  }

  #join(octets: Uint8Array, station: string): PushOutcome[] {
    const block = decodeApdu(octets);
    if (block.apdu !== "general-block-transfer")
      throw new DlmsError("SERVICE_UNEXPECTED", "peer", { apdu: block.apdu });
    const dropped: RejectedPush[] = [];
    const blocks = this.#blocks.get(station) ?? new UnconfirmedBlocks();
    this.#blocks.delete(station);
    const [oldest] = this.#blocks;
    if (oldest !== undefined && this.#blocks.size >= BLOCK_SENDERS) {
      this.#blocks.delete(oldest[0]);
      dropped.push(...givenUp(oldest[1]));
    }
    const whole = blocks.receive(block.body);
    if (blocks.joined > 0) this.#blocks.set(station, blocks);
    dropped.push(...droppedIn(blocks));
    return whole === undefined ? dropped : [...dropped, this.#read(whole)];
  }

  #read(octets: Uint8Array): PushOutcome {
    let systemTitle: SystemTitle | undefined;
    let candidates: readonly OpenerCandidate[] = [];
    try {
      if (!isCiphered(octets)) {
        const { notification, marks } = notificationIn(octets);
        return { type: "notification", notification, systemTitle, opened: undefined, layers: [], marks, octets };
      }
      systemTitle = parseCipheredApdu(octets).systemTitle;
      candidates = this.#openers.candidates(systemTitle);
      return openWith(candidates, octets, systemTitle);
    } catch (error) {
      const claimed = candidates.length === 1 ? candidates[0]?.sender : undefined;
      return rejection(error, { octets, systemTitle, claimed });
    }
  }
}

/** Takes the first candidate whose keys make sense of the octets; throws what went wrong with the first one otherwise. */
function openWith(
  candidates: readonly OpenerCandidate[],
  octets: Uint8Array,
  systemTitle: SystemTitle | undefined,
): ReadPush {
  let failure: DlmsError | undefined;
  for (const { sender, protection } of candidates) {
    if (protection === undefined) continue;
    try {
      const { apdu, layers, warnings } = protection.unprotect(octets);
      const { notification, marks } = notificationIn(apdu);
      return {
        type: "notification",
        notification,
        systemTitle: systemTitle ?? layers[0]?.systemTitle,
        opened: { sender },
        layers,
        marks: [...warnings, ...marks],
        octets,
      };
    } catch (error) {
      if (!(error instanceof DlmsError)) throw error;
      failure ??= error;
    }
  }
  if (failure !== undefined) throw failure;
  if (systemTitle === undefined) throw new DlmsError("SECURITY_TITLE_UNKNOWN", "peer");
  throw new DlmsError("SECURITY_KEY_MISSING", "caller", { systemTitle: titleText(systemTitle) });
}

function rejection(
  error: unknown,
  { octets, systemTitle, claimed }: { octets: Uint8Array } & Partial<RejectedPush>,
): RejectedPush {
  if (!(error instanceof DlmsError)) throw error;
  return { type: "rejected", error, systemTitle, claimed, octets };
}

function givenUp(blocks: UnconfirmedBlocks): RejectedPush[] {
  blocks.drop();
  return droppedIn(blocks);
}

function droppedIn(blocks: UnconfirmedBlocks): RejectedPush[] {
  const octets = blocks.takeDropped();
  if (octets === undefined) return [];
  return [rejection(new DlmsError("FRAME_INCOMPLETE", "peer", { octets: octets.length }), { octets })];
}

function withoutLlc(octets: Uint8Array): Uint8Array {
  const [destination, source, quality] = octets;
  const isLlc = destination === 0xe6 && (source === 0xe6 || source === 0xe7) && quality === 0;
  return isLlc ? octets.subarray(LLC_LENGTH) : octets;
}

/** The first letter of a number may be the tag of a ciphered APDU. */
function isCiphered(octets: Uint8Array): boolean {
  return octets[0] !== undefined && isCipheredTag(octets[0]) && bodyOfBarePush(octets) === undefined;
}

interface MarkedNotification {
  readonly notification: PushedMessage;
  readonly marks: readonly string[];
}

/** The notification in a plain APDU; a value without one, as some meters send, is taken as the body of one. */
function notificationIn(plain: Uint8Array): MarkedNotification {
  if (plain[0] === TELEGRAM) {
    return { notification: { apdu: "p1-telegram", body: soundTelegram(plain) }, marks: [] };
  }
  const isValue = plain[0] === STRUCTURE || plain[0] === ARRAY;
  const bare = isValue ? dataFromBytes(plain) : bodyOfBarePush(plain);
  if (bare !== undefined) {
    const body = { longInvokeIdAndPriority: 0, dateTime: undefined, body: bare };
    return { notification: { apdu: "data-notification", body }, marks: ["bare-value"] };
  }
  const apdu = plain[0] === DATA_NOTIFICATION ? decodeDataNotification(plain) : decodeApdu(plain);
  const notification = notificationOf(apdu);
  if (notification === undefined) throw new DlmsError("SERVICE_UNEXPECTED", "peer", { apdu: apdu.apdu });
  return { notification, marks: apdu.quirks ?? [] };
}

/** A line of a maker's own, with parentheses in its text. */
const MAKERS_TEXT = /^\d+-\d+:[\d.]+\([^*]*\)$/;
const NUMBER = /^[-0-9.]*$/;

/** Where no check vouches for a telegram, one damaged line makes all of it doubtful. */
function soundTelegram(octets: Uint8Array): P1Telegram {
  const telegram = decodeP1Telegram(octets);
  if (telegram.crc !== undefined) return telegram;
  const { dataSets, unreadable } = telegram;
  const addresses = new Set(dataSets.map(({ address }) => address));
  const damaged = [
    ...unreadable.filter((line) => !MAKERS_TEXT.test(line)),
    ...dataSets.flatMap(({ values }) => values.filter(isDamaged)),
  ];
  if (damaged.length > 0 || addresses.size < dataSets.length || dataSets.length === 0) {
    throw new DlmsError("READOUT_INVALID", "peer", { message: "telegram without check", octets: octets.length });
  }
  return telegram;
}

/** A number with a unit that is no number. */
function isDamaged(value: string): boolean {
  const unitAt = value.indexOf("*");
  const before = value.slice(0, Math.max(unitAt, 0));
  return unitAt >= 0 && /^[A-Za-z]/.test(value.slice(unitAt + 1)) && /[0-9]/.test(before) && !NUMBER.test(before);
}

function decodeDataNotification(plain: Uint8Array): Apdu {
  try {
    return decodeApdu(plain);
  } catch (error) {
    if (!(error instanceof DlmsError)) throw error;
    try {
      return decodeApdu(plain, PUSH_QUIRKS);
    } catch {
      throw error;
    }
  }
}
