/**
 * A new firmware: an image is transferred, verified and activated. A transfer that was cut goes on at the first block that
 * the meter lacks; a meter that goes away when it activates is asked for its version afterwards.
 */
import { type Clock, sleep } from "../../drivers/clock.ts";
import { messageOf } from "../observe/message-of.ts";
import { type Image, ImageObject, TRANSFER_STATUS } from "./image-object.ts";
import type { OrderResult, OrderVisits } from "./order-execution.ts";

export interface FirmwareUpdate extends OrderVisits {
  /** The meter has blocks of this image from before. */
  readonly resume: boolean;
  readonly onProgress?: (done: number, of: number) => void;
}

/** Visits one after the other that brought not one block. */
const MOST_IDLE_VISITS = 3;
const BUSY_PAUSE_MS = 2000;
/** Meters check signatures for minutes, and start anew for as long. */
const VERIFICATION_MS = 900_000;
const RESTART_MS = 600_000;
const RESTART_PAUSE_MS = 15_000;
const SUCCESS = "success";
const BUSY = "temporary-failure";

/** The meter would not have it. */
class ImageRefusedError extends Error {
  override readonly name = "ImageRefusedError";
}

/** Rejects with what kept the meter from being told. */
export async function updateFirmware(image: Image, update: FirmwareUpdate): Promise<OrderResult> {
  const before = await update.visit((connection) => new ImageObject(connection).firmware());
  try {
    await transfer(image, update);
    await update.visit((connection) => verify(new ImageObject(connection), image, update.clock));
    return await activate(before, update);
  } catch (error) {
    if (!(error instanceof ImageRefusedError)) throw error;
    return { state: "refused", before: shown(before), after: shown(before), evidence: error.message };
  }
}

async function transfer(image: Image, { visit, resume, onProgress }: FirmwareUpdate): Promise<void> {
  const sent = { isBegun: resume, blocks: 0 };
  for (let idle = 0; ; ) {
    const blocksBefore = sent.blocks;
    try {
      await visit((connection) => sendMissing(new ImageObject(connection), image, { sent, onProgress }));
      return;
    } catch (error) {
      idle = sent.blocks > blocksBefore ? 0 : idle + 1;
      if (error instanceof ImageRefusedError || !sent.isBegun || idle === MOST_IDLE_VISITS) throw error;
    }
  }
}

interface Sending {
  readonly sent: { isBegun: boolean; blocks: number };
  readonly onProgress: FirmwareUpdate["onProgress"];
}

/** Until the meter lacks none. */
async function sendMissing(object: ImageObject, image: Image, { sent, onProgress }: Sending): Promise<void> {
  if (!sent.isBegun) {
    if (!(await object.isEnabled())) throw new ImageRefusedError("the meter takes no image now: attribute 5 is false");
    await accepted("initiate", object.initiate(image));
    sent.isBegun = true;
  }
  // The size of blocks is known when the transfer has begun.
  const blockSize = await object.number("blockSize");
  if (blockSize === undefined || blockSize === 0) throw new ImageRefusedError("the meter shows no size of blocks");
  const count = Math.ceil(image.octets.length / blockSize);
  let first = (await object.number("firstMissing")) ?? 0;
  while (first < count) {
    for (let number = first; number < count; number++) {
      await sendBlock(object, number, blockOf(image, number, blockSize));
      sent.blocks++;
      onProgress?.(number + 1, count);
    }
    const missing = (await object.number("firstMissing")) ?? count;
    if (missing === first) throw new ImageRefusedError(`block ${first} is taken and still missing`);
    first = missing;
  }
}

interface Block {
  readonly octets: Uint8Array;
  /** The last one, filled up with zeros. */
  readonly padded: Uint8Array | undefined;
}

function blockOf({ octets }: Image, number: number, size: number): Block {
  const block = octets.subarray(number * size, (number + 1) * size);
  if (block.length === size) return { octets: block, padded: undefined };
  const padded = new Uint8Array(size);
  padded.set(block);
  return { octets: block, padded };
}

/** Meters want the last block short, or filled up. */
async function sendBlock(object: ImageObject, number: number, { octets, padded }: Block): Promise<void> {
  const result = await object.transferBlock(number, octets);
  if (result === SUCCESS) return;
  await accepted(`block ${number}`, padded === undefined ? result : object.transferBlock(number, padded));
}

/** The status counts while the meter is busy, and where it answers before it has ended. */
async function verify(object: ImageObject, image: Image, clock: Clock): Promise<void> {
  const result = await object.verify();
  const untilMs = clock.elapsed() + VERIFICATION_MS;
  let status = await object.number("status");
  const isBusy = () => {
    return (
      status === TRANSFER_STATUS.verificationInitiated || (status === TRANSFER_STATUS.initiated && result === BUSY)
    );
  };
  while (isBusy() && clock.elapsed() < untilMs) {
    await sleep(clock, BUSY_PAUSE_MS);
    status = await object.number("status");
  }
  const isVerified = status === undefined ? result === SUCCESS : status === TRANSFER_STATUS.verified;
  if (!isVerified) throw new ImageRefusedError(`verify: ${result}; the transfer has status ${status}`);
  if (await object.holdsAnother(image)) throw new ImageRefusedError("the meter would activate another image");
}

async function activate(before: string | undefined, update: FirmwareUpdate): Promise<OrderResult> {
  let lost: string | undefined;
  try {
    await update.visit((connection) => accepted("activate", new ImageObject(connection).activate(), BUSY));
  } catch (error) {
    if (error instanceof ImageRefusedError) throw error;
    lost = `the connection was lost at the activation: ${messageOf(error)}`;
  }
  return await lookAfterRestart(before, lost, update);
}

/** Until the meter is back and shows another version, or says that it has activated or failed. */
async function lookAfterRestart(
  before: string | undefined,
  lost: string | undefined,
  { visit, clock }: FirmwareUpdate,
): Promise<OrderResult> {
  const untilMs = clock.elapsed() + RESTART_MS;
  let seen: { readonly after: string | undefined; readonly status: number | undefined } | undefined;
  for (;;) {
    try {
      seen = await visit(async (connection) => {
        const object = new ImageObject(connection);
        return { after: await object.firmware(), status: await object.number("status") };
      });
      const isOther = seen.after !== undefined && seen.after !== before;
      if (isOther || seen.status === TRANSFER_STATUS.activated) {
        return { state: "done", before: shown(before), after: shown(seen.after), evidence: lost ?? null };
      }
      if (seen.status === TRANSFER_STATUS.activationFailed) break;
    } catch (error) {
      lost ??= messageOf(error);
    }
    if (clock.elapsed() >= untilMs) break;
    await sleep(clock, RESTART_PAUSE_MS);
  }
  if (seen === undefined) return { state: "unknown", before: shown(before), after: null, evidence: lost ?? null };
  const evidence = `the version is the same, and the transfer has status ${seen.status}`;
  return { state: "differs", before: shown(before), after: shown(seen.after), evidence };
}

/** Throws ImageRefusedError unless the meter takes it; `otherwise` is as good as success. */
async function accepted(what: string, answer: string | Promise<string>, otherwise = SUCCESS): Promise<void> {
  const result = await answer;
  if (result !== SUCCESS && result !== otherwise) throw new ImageRefusedError(`${what}: ${result}`);
}

/** Octets of the value in hexadecimal. */
function shown(firmware: string | undefined) {
  return { firmware: firmware ?? null };
}
