import { expect, test } from "vitest";
import { namesOf } from "../../../../src/cli/commands/support-names.ts";

const METER = { name: "feeder-7", number: "SMT10007", systemTitle: null };

test.each([
  ["10.0.0.9:4059", "10.0.0.9"],
  ["[2001:db8::1]:4059", "2001:db8::1"],
  ["meter-7.example:4059", "meter-7.example"],
])("support: the place %s is known as evidence has it", (tcp, host) => {
  expect(namesOf(METER, { "connection.tcp": tcp }, "")).toEqual(["feeder-7", "SMT10007", tcp, host]);
});

test("support: addresses are found in what went wrong, for meters that call in from anywhere", () => {
  const evidence = "no answer host=2001:db8::7 port=4059, from 192.0.2.7:40000 at 12:30:00 to 1.0.1.8.0.255";
  expect(namesOf(METER, { "connection.caller": "SMT10007" }, evidence).slice(3)).toEqual(["2001:db8::7", "192.0.2.7"]);
});
