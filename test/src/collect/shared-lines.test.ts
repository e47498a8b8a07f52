import { expect, test } from "vitest";
import type { z } from "zod";
import { sharedLines } from "../../../src/collect/shared-lines.ts";
import { connectionSchema } from "../../../src/config/connection-schema.ts";

function reached(connection: z.input<typeof connectionSchema>) {
  return { target: { connection: connectionSchema.parse(connection) } };
}

test("shared lines: meters behind one address take turns, others don't", () => {
  const one = reached({ tcp: "converter.example:4059", link: "hdlc", physicalAddress: 17 });
  const other = reached({ tcp: "Converter.example:4059", link: "hdlc", physicalAddress: 18 });
  const alone = reached({ tcp: "converter.example:4060" });
  const datagrams = reached({ udp: "converter.example:4059" });
  const lineOf = sharedLines([one, other, alone, datagrams]);
  expect(lineOf(one)).toBeDefined();
  expect(lineOf(other)).toBe(lineOf(one));
  expect([alone, datagrams].map(lineOf)).toEqual([undefined, undefined]);
});

test("shared lines: the configuration joins addresses, or keeps them apart", () => {
  const joined = [reached({ tcp: "192.0.2.1:4059", line: "modem" }), reached({ tcp: "192.0.2.2:4059", line: "modem" })];
  const apart = [reached({ tcp: "192.0.2.3:4059", line: "a" }), reached({ tcp: "192.0.2.3:4059", line: "b" })];
  const lineOf = sharedLines([...joined, ...apart]);
  expect(new Set(joined.map(lineOf)).size).toBe(1);
  expect(new Set([...joined, ...apart].map(lineOf)).size).toBe(3);
});

test("shared lines: a serial port is a line, however many are on it", () => {
  const port = reached({ serial: "/dev/serial/by-id/x" });
  expect(sharedLines([port])(port)).toBe("/dev/serial/by-id/x");
});
