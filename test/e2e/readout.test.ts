/** A meter without DLMS on a pseudo-terminal, read out by the command. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { blockCheck } from "../../protocol/link/iec62056-21/block-check.ts";
import { withEvenParity, withoutEvenParity } from "../../protocol/link/iec62056-21/parity.ts";
import { readoutCommand } from "../../src/cli/readout-command.ts";
import { Pty } from "../drivers/serial/pty.ts";

const DATA = "1.8.0(000123.45*kWh)\r\n0.9.1(120500)\r\n!\r\n";
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Mode C: answers a sign-on at 300 baud, and the choice of a speed at the speed that was chosen. */
function meterOn(baud: number): Pty {
  let heard = "";
  const pty: Pty = new Pty((octets) => {
    heard += decoder.decode(withoutEvenParity(octets).octets);
    if (heard === "/?!\r\n" && pty.baud === 300) {
      heard = "";
      pty.say(withEvenParity(encoder.encode("/ABC5METER\r\n")));
    } else if (heard === "\x06050\r\n") {
      heard = "";
      void answer();
    }
  });
  const answer = async (): Promise<void> => {
    while (pty.baud !== baud) await sleep(5);
    const checked = encoder.encode(`${DATA}\x03`);
    pty.say(withEvenParity(Uint8Array.of(2, ...checked, blockCheck(checked))));
  };
  return pty;
}

test("readout: a meter of mode C is read out over a serial port, at the speed that it offers", async () => {
  using pty = meterOn(9600);
  const written: string[] = [];
  const output = {
    out: (text: string) => written.push(text),
    err: (text: string) => written.push(text),
    width: undefined,
  };
  expect(await readoutCommand({ serial: pty.path }, output)).toBe("success");
  expect(written).toEqual(["ABC METER", "1.8.0\t000123.45*kWh", "0.9.1\t120500"]);
  written.length = 0;
  expect(await readoutCommand({ serial: pty.path, json: true }, output)).toBe("success");
  expect(JSON.parse(written[0] ?? "")).toMatchObject({ checked: true, identification: { mode: "C" } });
});

test("readout: a port that is not there is told as such", async () => {
  const written: string[] = [];
  const output = {
    out: (text: string) => written.push(text),
    err: (text: string) => written.push(text),
    width: undefined,
  };
  expect(await readoutCommand({ serial: "/dev/no-such-port" }, output)).toBe("meterFailed");
  expect(written[0]).toContain("CHANNEL_PORT_MISSING");
});
