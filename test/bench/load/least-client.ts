/**
 * The least that a client of this very meter can do and still know what the meter said: it waits with a timer, makes and
 * checks every tag, deciphers, joins blocks and reads the rows' stamps and numbers. It knows the recorded answers' form,
 * and nothing of any other meter: no states, no refusals, no bounds, no counters kept.
 */
import { createCipheriv, createDecipheriv, type KeyObject } from "node:crypto";
import { connect } from "node:net";
import type { Transcript } from "./transcript.ts";

export interface LeastKeys {
  readonly encryption: KeyObject;
  readonly authentication: Uint8Array;
  readonly serverTitle: Uint8Array;
}

const TIMEOUT_MS = 10_000;
const WRAPPER = 8;
const TAG = 12;
/** Tag, length, security control and counter before ciphered octets. */
const CIPHERED_HEAD = 7;
const ALGORITHM = "aes-128-gcm";
const PROTECTED = 0x30;
const AUTHENTICATED = 0x10;
/** glo-initiate-response, glo-get-response and glo-action-response. */
const CIPHERED: ReadonlySet<number | undefined> = new Set([0x28, 0xcc, 0xcf]);
const AARE = 0x61;
const GLO_GET_RESPONSE = 0xcc;
const GLO_ACTION_RESPONSE = 0xcf;
/** A get-response that has all: tag, this choice, invoke-id and the choice of data. */
const WHOLE = 1;
const WHOLE_HEAD = 4;
const BLOCK_HEAD = 9;

/** Resolves to how many rows it has read. */
export function leastPoll(port: number, transcript: Transcript, keys: LeastKeys): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port, noDelay: true });
    const blocks: Uint8Array[] = [];
    let [at, rows, received] = [0, 0, 0];
    let pieces: Uint8Array[] = [];
    let timer: NodeJS.Timeout | undefined;
    const send = () => {
      const step = transcript[at];
      if (step === undefined) {
        socket.end();
        return;
      }
      seal(keys, PROTECTED, new Uint8Array(step.request.length - WRAPPER - CIPHERED_HEAD - TAG));
      timer = setTimeout(() => socket.destroy(new Error("no answer")), TIMEOUT_MS);
      socket.write(step.request);
    };
    const take = (answer: Uint8Array) => {
      const start = cipheredStart(answer);
      if (start === undefined) return;
      const plain = open(keys, answer.subarray(start));
      if (answer[start] === GLO_ACTION_RESPONSE) {
        // Our reply to the meter's challenge, and the check of its reply to ours.
        seal(keys, AUTHENTICATED, new Uint8Array(0));
        seal(keys, AUTHENTICATED, new Uint8Array(0));
      }
      if (answer[start] !== GLO_GET_RESPONSE) return;
      if (plain[1] === WHOLE) {
        rows = readRows(Buffer.from(plain.buffer, plain.byteOffset + WHOLE_HEAD, plain.length - WHOLE_HEAD));
        return;
      }
      blocks.push(blockOf(plain));
      if (plain[3] === 1) rows = readRows(Buffer.concat(blocks));
    };
    socket.once("connect", send);
    socket.on("data", (octets) => {
      pieces.push(octets);
      received += octets.length;
      if (received < (transcript[at]?.answer.length ?? 0)) return;
      clearTimeout(timer);
      take(pieces.length === 1 ? octets : Buffer.concat(pieces));
      [received, pieces] = [0, []];
      at++;
      send();
    });
    socket.once("error", reject);
    socket.once("close", () => resolve(rows));
  });
}

/** Where the ciphered APDU begins: right behind the wrapper, or at the end of an AARE. */
function cipheredStart(answer: Uint8Array): number | undefined {
  if (CIPHERED.has(answer[WRAPPER])) return WRAPPER;
  if (answer[WRAPPER] !== AARE) return undefined;
  for (let start = WRAPPER; start < answer.length - TAG; start++) {
    if (CIPHERED.has(answer[start]) && answer[start + 1] === answer.length - start - 2) return start;
  }
  return undefined;
}

function seal({ encryption, authentication }: LeastKeys, control: number, plain: Uint8Array): void {
  const cipher = createCipheriv(ALGORITHM, encryption, new Uint8Array(TAG), { authTagLength: TAG });
  cipher.setAAD(Buffer.concat([Uint8Array.of(control), authentication]));
  cipher.update(plain);
  cipher.final();
  cipher.getAuthTag();
}

/** Throws where the tag does not fit. */
function open({ encryption, authentication, serverTitle }: LeastKeys, apdu: Uint8Array): Uint8Array {
  const lengthOctets = (apdu[1] ?? 0) > 0x80 ? (apdu[1] ?? 0) - 0x80 : 0;
  const head = 2 + lengthOctets;
  const [control, counter] = [apdu.subarray(head, head + 1), apdu.subarray(head + 1, head + 5)];
  const initialisation = Buffer.concat([serverTitle, counter]);
  const decipher = createDecipheriv(ALGORITHM, encryption, initialisation, { authTagLength: TAG });
  decipher.setAAD(Buffer.concat([control, authentication]));
  decipher.setAuthTag(apdu.subarray(-TAG));
  const plain = decipher.update(apdu.subarray(head + 5, -TAG));
  decipher.final();
  return plain;
}

/** The octets in a get-response with one block. */
function blockOf(plain: Uint8Array): Uint8Array {
  const length = plain[BLOCK_HEAD] ?? 0;
  return plain.subarray(BLOCK_HEAD + 1 + (length > 0x80 ? length - 0x80 : 0));
}

/** An array of structures of stamps and unsigned numbers; all rows have the columns of the first. */
function readRows(octets: Buffer): number {
  const count = octets[1] ?? 0;
  const width = octets[3] ?? 0;
  const columns = Array.from({ length: width }, () => new Float64Array(count));
  let place = 2;
  for (let row = 0; row < count; row++) {
    place += 2;
    for (const column of columns) {
      const tag = octets[place++];
      if (tag === 0x09) {
        column[row] = stampMs(octets, place + 1);
        place += 1 + 12;
      } else if (tag === 0x06) {
        column[row] = octets.readUInt32BE(place);
        place += 4;
      } else if (tag === 0x12) {
        column[row] = octets.readUInt16BE(place);
        place += 2;
      } else if (tag === 0x11) {
        column[row] = octets[place++] ?? 0;
      } else throw new Error(`this meter has no tag ${tag}`);
    }
  }
  return place === octets.length ? count : 0;
}

function stampMs(octets: Buffer, at: number): number {
  const [month = 1, day = 1] = [octets[at + 2], octets[at + 3]];
  const [hour = 0, minute = 0, second = 0] = octets.subarray(at + 5, at + 8);
  const utc = Date.UTC(octets.readUInt16BE(at), month - 1, day, hour, minute, second);
  return utc + octets.readInt16BE(at + 9) * 60_000;
}
