/** Meters that push and ask for a confirmation, over connections that may break at any moment; each value comes once. */
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { encodeApdu } from "../../../protocol/apdu/apdu.ts";
import { encodeWrapper } from "../../../protocol/link/wrapper.ts";
import { name, register, structure, utcOctets } from "../push/pushed-values.ts";

/** Where the number of a push is found again: the register 1.8.0. */
export const NUMBERED_OBJECT = "3:1.0.1.8.0.255:2";
const START_MS = Date.UTC(2026, 0, 1);
/** Pushes of one meter that wait for their confirmation at most. */
const ON_THE_WAY = 8;
const CONFIRMED = 0x4000_0000;
const NUMBER_MASK = 0x00ff_ffff;
const WRAPPER_HEADER = 8;
const CONFIRM_LENGTH = 13;
const CONFIRM_TAG = 0x10;
const RECONNECT_MS = 20;

/** The capture time of a push, in seconds since 1970. */
export function captureSecond(number: number): number {
  return START_MS / 1000 + number;
}

export class FaultSenders {
  /** Numbers whose pushes were confirmed. */
  readonly confirmed = new Set<number>();
  /** Numbers of pushes that were sent, confirmed or not. */
  sent = 0;
  connections = 0;
  readonly #port: number;
  readonly #running: Promise<unknown>;
  #stopping = false;

  constructor(port: number, meterNumbers: readonly string[]) {
    this.#port = port;
    this.#running = Promise.all(meterNumbers.map((meterNumber) => this.#push(meterNumber)));
  }

  /** Sends nothing more; ends when what was sent is confirmed or its connection has ended. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#running;
  }

  async #push(meterNumber: string): Promise<void> {
    while (!this.#stopping) {
      await this.#pushOnce(meterNumber).catch(() => undefined);
      await sleep(RECONNECT_MS);
    }
  }

  async #pushOnce(meterNumber: string): Promise<void> {
    const socket = connect({ port: this.#port, host: "127.0.0.1" });
    const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
    this.connections += 1;
    const line = { waiting: 0, ended: false, wake: Promise.withResolvers<void>() };
    void closed.then(() => {
      line.ended = true;
      line.wake.resolve();
    });
    socket.on("error", () => undefined);
    await Promise.race([closed, new Promise<void>((resolve) => socket.once("connect", () => resolve()))]);
    this.#listen(socket, () => {
      line.waiting -= 1;
      line.wake.resolve();
    });
    while (!line.ended && !(this.#stopping && line.waiting === 0)) {
      if (this.#stopping || line.waiting >= ON_THE_WAY) {
        await line.wake.promise;
        line.wake = Promise.withResolvers<void>();
        continue;
      }
      line.waiting += 1;
      socket.write(frameOf(meterNumber, this.sent++));
      // So that a broken connection is noticed between two pushes.
      await sleep(1);
    }
    socket.end();
    await closed;
  }

  #listen(socket: Socket, onConfirmed: () => void): void {
    let octets = Buffer.alloc(0);
    socket.on("data", (more: Buffer) => {
      octets = Buffer.concat([octets, more]);
      while (octets.length >= CONFIRM_LENGTH + 1) {
        const length = octets.readUInt16BE(6);
        if (octets[WRAPPER_HEADER] === CONFIRM_TAG)
          this.confirmed.add(octets.readUInt32BE(WRAPPER_HEADER + 1) & NUMBER_MASK);
        octets = octets.subarray(WRAPPER_HEADER + length);
        onConfirmed();
      }
    });
  }
}

function frameOf(meterNumber: string, number: number): Uint8Array {
  const body = structure(
    structure(name("0.0.1.0.0.255"), { type: "octet-string", value: utcOctets(START_MS + number * 1000) }),
    structure(name("0.0.96.1.0.255"), { type: "octet-string", value: Buffer.from(meterNumber) }),
    register("1.8.0", number, { unit: 30 }),
    register("32.7.0", 230, { unit: 35 }),
  );
  const apdu = encodeApdu({ apdu: "data-notification", body: { longInvokeIdAndPriority: CONFIRMED | number, body } });
  return encodeWrapper({ sourceWPort: 1, destinationWPort: 102, apdu });
}
