import { expect, test } from "vitest";
import { blockCheck } from "../../../protocol/link/iec62056-21/block-check.ts";
import { withEvenParity, withoutEvenParity } from "../../../protocol/link/iec62056-21/parity.ts";
import {
  ReadoutReading,
  type ReadoutReadingEvent,
  type ReadoutReadingSettings,
} from "../../../protocol/link/iec62056-21/readout-reading.ts";

const DATA = "1.8.0(000123.45*kWh)\r\n2.8.0(000000.10*kWh)\r\n!\r\n";

function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** STX, data, `!`, ETX and the check of them. */
function block(data = DATA): Uint8Array {
  const checked = ascii(`${data}\x03`);
  return Uint8Array.of(2, ...checked, blockCheck(checked));
}

/** The machine with the meter played by the test; every line is what it does. */
class Bench {
  readonly machine: ReadoutReading;
  readonly did: string[] = [];
  nowMs = 0;
  readonly #parity: boolean;

  constructor(settings: ReadoutReadingSettings = {}) {
    this.#parity = settings.softwareParity === true;
    this.machine = new ReadoutReading(settings);
    this.machine.command({ type: "open" }, 0);
    this.drain();
  }

  hear(octets: Uint8Array | string): this {
    const plain = typeof octets === "string" ? ascii(octets) : octets;
    this.machine.receive(this.#parity ? withEvenParity(plain) : plain, this.nowMs);
    this.drain();
    return this;
  }

  wait(): this {
    this.nowMs = this.machine.deadlineMs() ?? this.nowMs;
    this.machine.timeout(this.nowMs);
    this.drain();
    return this;
  }

  drain(): void {
    for (let octets = this.machine.takeBytes(); octets; octets = this.machine.takeBytes()) {
      const plain = this.#parity ? withoutEvenParity(octets).octets : octets;
      this.did.push(`says ${JSON.stringify(new TextDecoder().decode(plain))}`);
    }
    for (let event = this.machine.takeEvent(); event; event = this.machine.takeEvent()) this.did.push(told(event));
  }
}

function told(event: ReadoutReadingEvent): string {
  switch (event.type) {
    case "line":
      return `line ${event.settings.baud} ${event.settings.dataBits}${event.settings.parity[0]}`;
    case "identification":
      return `${event.identification.manufacturer} mode ${event.identification.mode}`;
    case "readout":
      return `readout ${event.readout.dataSets.map(({ address, values }) => `${address}=${values.join()}`).join(" ")}`;
    case "discarded":
    case "failed":
      return `${event.type} ${event.error.code}`;
  }
}

const READ = "readout 1.8.0=000123.45*kWh 2.8.0=000000.10*kWh";

test("readout reading, mode A: the data follow at the speed of the sign-on", () => {
  const bench = new Bench().hear("/ABC METER\r\n").hear(block());
  expect(bench.did).toEqual(['says "/?!\\r\\n"', "line 300 7e", "ABC mode A", READ]);
  expect(bench.machine.deadlineMs()).toBeUndefined();
});

test("readout reading, mode B: the line changes with the identification, without a word", () => {
  expect(new Bench().hear("/ABCD12\r\n").hear(block()).did).toEqual([
    'says "/?!\\r\\n"',
    "line 300 7e",
    "ABC mode B",
    "line 4800 7e",
    READ,
  ]);
});

test.each([
  [{}, "5", 9600],
  [{ maxBaud: 2400 }, "3", 2400],
] as const)(
  "readout reading, mode C: with %j the speed is chosen after the meter's reaction time",
  (settings, character, baud) => {
    const bench = new Bench(settings).hear("/ABC5METER\r\n");
    expect(bench.machine.deadlineMs()).toBe(200);
    expect(bench.wait().hear(block()).did).toEqual([
      'says "/?!\\r\\n"',
      "line 300 7e",
      "ABC mode C",
      `says "\\u00060${character}0\\r\\n"`,
      `line ${baud} 7e`,
      READ,
    ]);
  },
);

test("readout reading: a meter that offers HDLC is read out as well; fast ones are answered at once", () => {
  const bench = new Bench({ deviceAddress: "123" }).hear("/ABc5\\2METER\r\n");
  expect(bench.machine.deadlineMs()).toBe(20);
  expect(bench.wait().hear(block()).did.slice(2)).toEqual([
    "ABc mode E",
    'says "\\u0006050\\r\\n"',
    "line 9600 7e",
    READ,
  ]);
});

test("readout reading, mode D: a meter that talks unasked is listened to", () => {
  const bench = new Bench({ opening: "listen" });
  expect(bench.hear("noise\r\n/ABC3METER\r\n").hear(DATA).did).toEqual([
    "line 2400 7e",
    "discarded FRAME_INVALID",
    "ABC mode C",
    READ,
  ]);
});

test("readout reading: with parity in software and an echo, octet by octet", () => {
  const bench = new Bench({ softwareParity: true, echo: true });
  bench.hear("/?!\r\n");
  for (const octet of ascii("/ABC5METER\r\n")) bench.hear(Uint8Array.of(octet));
  bench.wait().hear("\x06050\r\n");
  for (const octet of block()) bench.hear(Uint8Array.of(octet));
  expect(bench.did).toEqual([
    'says "/?!\\r\\n"',
    "line 300 8n",
    "ABC mode C",
    'says "\\u0006050\\r\\n"',
    "line 9600 8n",
    READ,
  ]);
});

test("readout reading: a damaged readout is asked for again, silence as often as allowed", () => {
  const damaged = block();
  damaged[5] = 0x37;
  const bench = new Bench({ maxRetries: 1 }).hear("/ABC METER\r\n").hear(damaged);
  expect(bench.did.slice(2)).toEqual(["ABC mode A", "discarded FRAME_CHECK_WRONG", "line 300 7e"]);
  bench.wait();
  expect(bench.did.at(-1)).toBe('says "/?!\\r\\n"');
  bench.hear("/ABC METER\r\n").hear(block().subarray(0, 20)).wait();
  expect(bench.did.slice(-2)).toEqual(["discarded FRAME_INCOMPLETE", "failed LINK_NO_ANSWER"]);
  expect(bench.machine.deadlineMs()).toBeUndefined();
});
