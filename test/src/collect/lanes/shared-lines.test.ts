import { expect, test } from "vitest";
import type { z } from "zod";
import { SharedLines } from "../../../../src/collect/lanes/shared-lines.ts";
import { connectionSchema } from "../../../../src/config/connection-schema.ts";

function reached(connection: z.input<typeof connectionSchema>) {
  return { target: { connection: connectionSchema.parse(connection) } };
}

function linesOf(meters: ReturnType<typeof reached>[]) {
  const lines = new SharedLines(meters);
  return (meter: ReturnType<typeof reached>) => lines.lineOf(meter);
}

test("shared lines: meters behind one address take turns, others don't", () => {
  const one = reached({ tcp: "converter.example:4059", link: "hdlc", physicalAddress: 17 });
  const other = reached({ tcp: "Converter.example:4059", link: "hdlc", physicalAddress: 18 });
  const alone = reached({ tcp: "converter.example:4060" });
  const datagrams = reached({ udp: "converter.example:4059" });
  const lineOf = linesOf([one, other, alone, datagrams]);
  expect(lineOf(one)).toBeDefined();
  expect(lineOf(other)).toBe(lineOf(one));
  expect([alone, datagrams].map(lineOf)).toEqual([undefined, undefined]);
});

test("shared lines: the configuration joins addresses, or keeps them apart", () => {
  const joined = [reached({ tcp: "192.0.2.1:4059", line: "modem" }), reached({ tcp: "192.0.2.2:4059", line: "modem" })];
  const apart = [reached({ tcp: "192.0.2.3:4059", line: "a" }), reached({ tcp: "192.0.2.3:4059", line: "b" })];
  const lineOf = linesOf([...joined, ...apart]);
  expect(new Set(joined.map(lineOf)).size).toBe(1);
  expect(new Set([...joined, ...apart].map(lineOf)).size).toBe(3);
});

test("shared lines: a serial port is a line, however many are on it", () => {
  const port = reached({ serial: "/dev/serial/by-id/x" });
  expect(linesOf([port])(port)).toBe("/dev/serial/by-id/x");
});

test("shared lines: a meter that comes to an address makes it a line, until it leaves", () => {
  const [one, other] = [reached({ tcp: "192.0.2.1:4059" }), reached({ tcp: "192.0.2.1:4059" })];
  const lines = new SharedLines([one]);
  lines.add(other);
  expect(lines.lineOf(one)).toBe(lines.lineOf(other));
  expect(lines.lineOf(one)).toBeDefined();
  lines.remove(other);
  expect(lines.lineOf(one)).toBeUndefined();
});
