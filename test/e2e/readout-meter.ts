/** Meters without DLMS on one pseudo-terminal: they read themselves out, each in its mode (IEC 62056-21, A to D). */
import { setTimeout as sleep } from "node:timers/promises";
import { blockCheck } from "../../protocol/link/iec62056-21/block-check.ts";
import { withEvenParity, withoutEvenParity } from "../../protocol/link/iec62056-21/parity.ts";
import { Pty } from "../drivers/serial/pty.ts";

export interface ReadoutMeter {
  readonly mode: "A" | "B" | "C" | "D";
  /** Data lines without the end mark. */
  readonly data: readonly string[];
  /** Answers to this address only; to a sign-on without one when left out. */
  readonly deviceAddress?: string;
  /** One character of each readout is damaged on the way. */
  readonly damaged?: true;
}

/** What a meter of each mode says of its speed, and the speed of its data. */
const MODES = {
  A: { character: "@", baud: 300 },
  B: { character: "E", baud: 9600 },
  C: { character: "5", baud: 9600 },
  D: { character: "3", baud: 2400 },
} as const;
const SIGN_ON_BAUD = 300;
/** Chooses 9600 and a readout. */
const ACKNOWLEDGEMENT = "\x06050\r\n";
const UNASKED_EVERY_MS = 100;
const LOOK_MS = 5;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

export class ReadoutLine implements Disposable {
  readonly #pty: Pty;
  readonly #meters: readonly ReadoutMeter[];
  #heard = "";
  #identified: ReadoutMeter | undefined;
  #isOver = false;

  constructor(meters: readonly ReadoutMeter[]) {
    this.#meters = meters;
    this.#pty = new Pty((octets) => this.#hear(decoder.decode(withoutEvenParity(octets).octets)));
    for (const meter of meters) if (meter.mode === "D") void this.#talk(meter);
  }

  get path(): string {
    return this.#pty.path;
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    this.#pty.unplug();
  }

  #hear(text: string): void {
    if (this.#pty.baud !== SIGN_ON_BAUD) return;
    this.#heard += text;
    if (!this.#heard.endsWith("\r\n")) return;
    const said = this.#heard;
    this.#heard = "";
    if (said === ACKNOWLEDGEMENT && this.#identified !== undefined) void this.#readOut(this.#identified);
    this.#identified = this.#meters.find(
      ({ mode, deviceAddress = "" }) => mode !== "D" && said === `/?${deviceAddress}!\r\n`,
    );
    if (this.#identified === undefined) return;
    this.#say(`/ABC${MODES[this.#identified.mode].character}METER\r\n`);
    if (this.#identified.mode !== "C") void this.#readOut(this.#identified);
  }

  /** Talks once the line has the speed that was announced or chosen. */
  async #readOut({ mode, data, damaged }: ReadoutMeter): Promise<void> {
    while (this.#pty.baud !== MODES[mode].baud && !this.#isOver) await sleep(LOOK_MS);
    const checked = `${data.join("\r\n")}\r\n!\r\n\x03`;
    const check = String.fromCharCode(blockCheck(encoder.encode(checked)));
    this.#say(`\x02${damaged === true ? checked.replace("(", ")") : checked}${check}`);
  }

  async #talk({ mode, data }: ReadoutMeter): Promise<void> {
    while (!this.#isOver) {
      if (this.#pty.baud === MODES[mode].baud) {
        this.#say(`/ABC${MODES[mode].character}METER\r\n\r\n${data.join("\r\n")}\r\n!\r\n`);
      }
      await sleep(UNASKED_EVERY_MS);
    }
  }

  #say(text: string): void {
    if (!this.#isOver) this.#pty.say(withEvenParity(encoder.encode(text)));
  }
}
