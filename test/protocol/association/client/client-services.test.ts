/** GET, SET and ACTION of the client machine against single APDUs, and what meters do instead. */
import { expect, test } from "vitest";
import type { Data } from "../../../../protocol/axdr/data.ts";
import { fromHex } from "../../../../protocol/bytes/hex.ts";
import { ClientBench, failureIn, hex } from "../client-bench.ts";
import { clock, GET_CLOCK, TIME_HEX } from "./client-examples.ts";

const TIME: Data = { type: "octet-string", value: fromHex("07E9071703081E18FF014A00") };

test("client: GET gives the value, or the meter's reason as a value", () => {
  const bench = ClientBench.associated();
  expect(bench.order(GET_CLOCK)).toBe(hex("C0 01 C1 0008 0000010000FF 02 00"));
  expect(bench.hear(`C4 01 C1 00 ${TIME_HEX}`)).toEqual([
    { type: "response", response: { type: "get", result: { type: "data", data: TIME } } },
  ]);
  bench.order(GET_CLOCK);
  expect(bench.hear("C4 01 C2 01 04")).toMatchObject([
    { response: { result: { type: "data-access-result", dataAccessResult: "object-undefined" } } },
  ]);
});

test("client: blocks numbered from 0, a block that comes twice, and the reason that ends a long GET", () => {
  const bench = ClientBench.associated();
  bench.order(GET_CLOCK);
  expect(bench.hear("C4 02 C1 00 00000000 00 04 090C07E9")).toEqual([
    { type: "leniency", name: "first-block-zero" },
    { type: "progress", octets: 4 },
  ]);
  expect(bench.sent()).toBe(hex("C0 02 C1 00000000"));
  expect(bench.hear("C4 02 C1 00 00000000 00 04 090C07E9")).toMatchObject([{ type: "discarded" }]);
  expect(bench.sent()).toBe("");
  expect(bench.hear("C4 02 C1 FF 00000001 00 0A 071703081E18FF014A00")).toEqual([
    { type: "response", response: { type: "get", result: { type: "data", data: TIME } } },
  ]);
  bench.order(GET_CLOCK);
  bench.hear("C4 02 C2 00 00000001 00 02 090C");
  expect(bench.hear("C4 02 C2 01 00000002 01 0F")).toMatchObject([
    { response: { result: { dataAccessResult: "long-get-aborted" } } },
  ]);
});

test.each([
  ["a block out of order", "C4 02 C1 00 00000003 00 02 0708", "BLOCK_NUMBER_INVALID"],
  ["a meter that starts again at block 1", "C4 02 C1 00 00000000 00 02 0708", "BLOCK_NUMBER_INVALID"],
  ["a value that does not end with its last block", "C4 02 C1 01 00000002 00 02 0708", "DATA_TRUNCATED"],
  ["octets after the value", "C4 02 C1 01 00000002 00 0B 0717030808071703080899", "DATA_TRAILING"],
] as const)("client: %s fails the request, keeps what had come, and leaves the association", (_what, answer, code) => {
  const bench = ClientBench.associated();
  bench.order(GET_CLOCK);
  bench.hear("C4 02 C1 00 00000001 00 04 090C07E9");
  const failure = failureIn(bench.hear(answer));
  expect(failure).toMatchObject({ stage: "request", error: { code, fault: "peer" }, evidence: { type: "fault" } });
  expect(bench.client.state).toBe("associated");
  expect(bench.client.deadlineMs()).toBeUndefined();
});

test("client: a read that breaks off keeps the octets that had come", () => {
  const bench = ClientBench.associated();
  bench.order(GET_CLOCK);
  bench.hear("C4 02 C1 00 00000001 00 04 090C07E9");
  bench.hear("C4 02 C1 00 00000002 00 02 0717");
  expect(failureIn(bench.expire())?.partial).toEqual(fromHex("090C07E90717"));
});

test("client: a list that is refused whole is a refusal of each, a wrong number of results is a failure", () => {
  const bench = ClientBench.associated();
  const attributes = [{ attribute: clock }, { attribute: clock }];
  expect(bench.order({ type: "getList", attributes })).toBe(
    hex("C0 03 C1 02 0008 0000010000FF 02 00 0008 0000010000FF 02 00"),
  );
  const denied = { type: "data-access-result", dataAccessResult: "scope-of-access-violated" };
  expect(bench.hear("C4 01 C1 01 0D")).toEqual([
    { type: "leniency", name: "list-refused-whole" },
    { type: "response", response: { type: "getList", results: [denied, denied] } },
  ]);
  bench.order({ type: "getList", attributes });
  // The Gurux Java server: the tag of a list, then the one result of a single request.
  const refused = { type: "data-access-result", dataAccessResult: "read-write-denied" };
  expect(bench.hear("C4 03 C2 01 03")).toEqual([
    { type: "leniency", name: "list-refused-by-one-result" },
    { type: "leniency", name: "list-refused-whole" },
    { type: "response", response: { type: "getList", results: [refused, refused] } },
  ]);
  bench.order({ type: "getList", attributes });
  expect(failureIn(bench.hear("C4 03 C3 01 00 00"))?.error.code).toBe("RESULT_COUNT_WRONG");
  expect(() => bench.order({ type: "getList", attributes: [] })).toThrow("DATA_OUT_OF_RANGE");
  expect(() => bench.order({ type: "setList", attributes, values: [] })).toThrow("DATA_OUT_OF_RANGE");
  expect(bench.client.state).toBe("associated");
});

test("client: one refusal answers a list of methods, one success does not", () => {
  const bench = ClientBench.associated();
  const method = { classId: 7, logicalName: fromHex("0100630100FF"), methodId: 2 };
  const parameters = [{ type: "integer", value: 0 } as const, { type: "integer", value: 0 } as const];
  bench.order({ type: "actionList", methods: [method, method], parameters });
  // The Gurux servers, C and Java.
  expect(bench.hear("C7 01 C1 09")).toEqual([
    { type: "leniency", name: "action-response-without-option" },
    { type: "leniency", name: "list-refused-whole" },
    {
      type: "response",
      response: {
        type: "actionList",
        outcomes: [{ result: "object-class-inconsistent" }, { result: "object-class-inconsistent" }],
      },
    },
  ]);
  bench.order({ type: "actionList", methods: [method, method], parameters });
  expect(failureIn(bench.hear("C7 01 C2 00 00"))?.error.code).toBe("RESULT_COUNT_WRONG");
});

test("client: SET and ACTION, with every form in which meters answer an ACTION", () => {
  const bench = ClientBench.associated();
  expect(bench.order({ type: "set", attribute: clock, value: TIME })).toBe(
    hex(`C1 01 C1 0008 0000010000FF 02 00 ${TIME_HEX}`),
  );
  expect(bench.hear("C5 01 C1 03")).toMatchObject([{ response: { type: "set", result: "read-write-denied" } }]);
  const disconnect = {
    type: "action",
    method: { classId: 70, logicalName: fromHex("000060030AFF"), methodId: 1 },
    parameters: { type: "integer", value: 0 },
  } as const;
  expect(bench.order(disconnect)).toBe(hex("C3 01 C2 0046 000060030AFF 01 01 0F 00"));
  expect(bench.hear("C7 01 C2 00 00")).toMatchObject([{ response: { outcome: { result: "success" } } }]);
  bench.order(disconnect);
  expect(bench.hear("C7 01 C3 00")).toMatchObject([
    { type: "leniency" },
    { response: { outcome: { result: "success" } } },
  ]);
  // Return parameters in blocks: alone, or with result and option before them.
  for (const [index, raw] of ["09 02 0102", "00 01 00 09 02 0102"].entries()) {
    const invoke = `C${4 + index}`;
    bench.order(disconnect);
    const octets = hex(raw);
    expect(bench.hear(`C7 02 ${invoke} 00 00000001 02 ${octets.slice(0, 4)}`)).toEqual([
      { type: "progress", octets: 2 },
    ]);
    expect(bench.sent()).toBe(hex(`C3 02 ${invoke} 00000001`));
    const rest = octets.slice(4);
    const length = (rest.length / 2).toString(16).padStart(2, "0");
    expect(bench.hear(`C7 02 ${invoke} 01 00000002 ${length} ${rest}`)).toEqual([
      {
        type: "response",
        response: {
          type: "action",
          outcome: {
            result: "success",
            returnParameters: { type: "data", data: { type: "octet-string", value: fromHex("0102") } },
          },
        },
      },
    ]);
  }
});

test("client: blocks acknowledged by the choice of the last one, the number first, all go out", () => {
  const value: Data = { type: "octet-string", value: new Uint8Array(900) };
  const bench = ClientBench.associated();
  bench.order({ type: "set", attribute: clock, value });
  expect(bench.hear("C5 03 C1 00000001 00")).toEqual([{ type: "leniency", name: "acknowledgement-as-last" }]);
  expect(bench.sent()).toMatch(/^c103c1010000000282/);
  expect(bench.hear("C5 03 C1 00000002 00").at(-1)).toMatchObject({
    type: "response",
    response: { type: "set", result: "success" },
  });
  bench.order({ type: "set", attribute: clock, value });
  expect(bench.hear("C5 02 C2 00000001 00")).toEqual([{ type: "leniency", name: "acknowledgement-trailer" }]);
  expect(bench.sent()).toMatch(/^c103c2010000000282/);
});

test.for(["C5 03 C1 00 00000001", "C5 01 C1 00", "C5 03 C1 00000002 00"])(
  "client: success is not believed before the last block of a SET is sent: %s",
  (answer) => {
    const bench = ClientBench.associated();
    bench.order({ type: "set", attribute: clock, value: { type: "octet-string", value: new Uint8Array(900) } });
    expect(bench.hear(answer).at(-1)).toMatchObject({
      type: "failed",
      failure: { error: { code: "SERVICE_UNEXPECTED" } },
    });
  },
);

test("client: a refusal ends a SET in blocks at once", () => {
  const bench = ClientBench.associated();
  bench.order({ type: "set", attribute: clock, value: { type: "octet-string", value: new Uint8Array(900) } });
  expect(bench.hear("C5 03 C1 03 00000001")).toMatchObject([
    { type: "response", response: { type: "set", result: "read-write-denied" } },
  ]);
});

test("client: a long SET goes in blocks; an acknowledgement that names the next block is taken, a wrong one is not", () => {
  const value: Data = { type: "octet-string", value: new Uint8Array(900) };
  const bench = ClientBench.associated();
  const first = bench.order({ type: "set", attribute: clock, value });
  expect(first.length / 2).toBeLessThanOrEqual(500);
  expect(first).toMatch(/^c102c100080000010000ff0200000000000182/);
  expect(bench.hear("C5 02 C1 00000002")).toEqual([{ type: "leniency", name: "acknowledgement-names-next" }]);
  const second = bench.sent();
  expect(second).toMatch(/^c103c1010000000282/);
  expect(bench.hear("C5 02 C1 00000001")).toMatchObject([
    { type: "failed", failure: { error: { code: "SERVICE_UNEXPECTED" } } },
  ]);
  bench.order({ type: "set", attribute: clock, value });
  expect(failureIn(bench.hear("C5 02 C2 00000007"))?.error.code).toBe("BLOCK_NUMBER_INVALID");
  bench.order({ type: "set", attribute: clock, value });
  expect(bench.hear("C5 03 C3 02 00000001")).toMatchObject([{ response: { result: "temporary-failure" } }]);
});
