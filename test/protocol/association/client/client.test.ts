/** The client machine against single APDUs: examples of reference/apdu.md, and what meters do instead. */
import { expect, test } from "vitest";
import type { ClientSettings } from "../../../../protocol/association/client/client-settings.ts";
import type { Data } from "../../../../protocol/axdr/data.ts";
import { conformanceFromNumber } from "../../../../protocol/ber/conformance.ts";
import { fromHex, toHex } from "../../../../protocol/bytes/hex.ts";
import { DlmsError } from "../../../../protocol/errors.ts";
import { hlsReply } from "../../../../protocol/security/hls.ts";
import { SecretKey } from "../../../../protocol/security/secret-key.ts";
import { AARE, ClientBench, failureIn, hex } from "../client-bench.ts";
import { ascii, CLOCK, clientProtection, counter, SERVER_TITLE, serverProtection } from "../server-fixture.ts";

const PASSWORD = new SecretKey("hlsSecret", ascii("12345678"));
const LLS: Partial<ClientSettings> = { authentication: { mechanism: "lls", password: PASSWORD } };
const MD5: Partial<ClientSettings> = { authentication: { mechanism: "hls-md5", secret: PASSWORD } };
const clock = { classId: 8, logicalName: CLOCK, attributeId: 2 };
const GET_CLOCK = { type: "get", attribute: clock } as const;
const TIME: Data = { type: "octet-string", value: fromHex("07E9071703081E18FF014A00") };
const TIME_HEX = "09 0C 07E9071703081E18FF014A00";

test("client: the AARQ without security", () => {
  expect(new ClientBench().order({ type: "associate" })).toBe(
    hex("60 1D A1 09 06 07 60857405080101 BE 10 04 0E 01 00 00 00 06 5F1F0400 007E1F 04B0"),
  );
});

test("client: the AARQ with a password", () => {
  expect(new ClientBench(LLS).order({ type: "associate" })).toBe(
    hex(
      "60 36 A1 09 06 07 60857405080101 8A 02 07 80 8B 07 60857405080201 AC 0A 80 08 3132333435363738" +
        "BE 10 04 0E 01 00 00 00 06 5F1F0400 007E1F 04B0",
    ),
  );
});

test("client: the ciphered AARQ with a dedicated key, octet for octet", () => {
  const bench = new ClientBench({
    ...LLS,
    protection: clientProtection({ ownSystemTitle: SERVER_TITLE, nextInvocationCounter: counter(0x01234567) }),
    ciphering: {
      request: "authenticated-encrypted",
      dedicatedKey: () => new SecretKey("dedicatedKey", fromHex("00112233445566778899AABBCCDDEEFF")),
    },
  });
  expect(bench.order({ type: "associate" })).toBe(
    hex(
      "60 66 A1 09 06 07 60857405080103 A6 0A 04 08 4D4D4D0000BC614E 8A 02 07 80 8B 07 60857405080201" +
        "AC 0A 80 08 3132333435363738 BE 34 04 32 21 30 30 01234567" +
        "801302FF8A7874133D414CED25B42534D28DB0047720606B175BD52211BE68 41DB204D39EE6FDB8E356855",
    ),
  );
});

test("client: what was negotiated is what was proposed and granted, and what is assumed", () => {
  const bench = ClientBench.associated(
    { conformance: conformanceFromNumber(0x000018), assumedConformance: conformanceFromNumber(0x000004) },
    "6129A109060760857405080101A203020100A305A103020100BE10040E0800065F1F0400 00501F 01F40007",
  );
  expect(bench.client.agreement).toEqual({
    conformance: conformanceFromNumber(0x00001c),
    serverMaxReceivePduSize: 500,
    dlmsVersion: 6,
    serverSystemTitle: undefined,
  });
  expect(bench.client.deadlineMs()).toBeUndefined();
});

test.each([
  ["8 octets", "6135", "A40A04084D4D4D0000000001", "4D4D4D0000000001"],
  ["no title", "6131", "A406040412345678", undefined],
])("client: a meter that tells its title where nothing asks for it: %s", (_, head, told, learned) => {
  const answer = `${head}A109060760857405080101A203020100A305A103020100${told}BE10040E0800065F1F040000501F01F40007`;
  const { agreement } = ClientBench.associated({}, answer).client;
  expect(agreement?.serverSystemTitle && toHex(agreement.serverSystemTitle).toUpperCase()).toBe(learned);
});

const REFUSALS = [
  {
    what: "a wrong context, with an initiate-response all the same",
    answer: "6129A109060760857405080101A203020101A305A103020102BE10040E0800065F1F0400007E1F01F40007",
    evidence: { type: "refused", diagnostic: { diagnostic: "application-context-name-not-supported" } },
  },
  {
    what: "a wrong password, without user-information (L+G ZMXi320)",
    answer: "6117A109060760857405080101A203020101A305A10302010D",
    evidence: { type: "refused", result: "rejected-permanent", diagnostic: { diagnostic: "authentication-failure" } },
  },
  {
    what: "a DLMS version that is too low",
    answer: "611FA109060760857405080101A203020101A305A103020101BE0604040E010601",
    evidence: { type: "refused", serviceError: { error: { type: "initiate", code: "dlms-version-too-low" } } },
  },
  {
    what: "a transient reason of the service provider",
    answer: "6117A109060760857405080101A203020102A305A203020101",
    evidence: { result: "rejected-transient", diagnostic: { type: "acse-service-provider" } },
  },
  {
    what: "accepted, but with a service error inside",
    answer: "611FA109060760857405080101A203020100A305A103020100BE0604040E010602",
    evidence: { type: "refused", serviceError: { error: { code: "incompatible-conformance" } } },
  },
  {
    what: "accepted, but authentication is wanted",
    answer: "6129A109060760857405080101A203020100A305A10302010EBE10040E0800065F1F0400007E1F01F40007",
    evidence: { type: "refused", diagnostic: { diagnostic: "authentication-required" } },
  },
  {
    what: "an exception response",
    answer: "D80101",
    evidence: { type: "exception", exception: { stateError: "service-not-allowed" } },
  },
  {
    what: "an exception response with the counter that is expected",
    answer: "D80106 00001234",
    evidence: { type: "exception", exception: { serviceError: "invocation-counter-error", invocationCounter: 0x1234 } },
  },
  {
    what: "a bare service error",
    answer: "0E010601",
    evidence: { type: "serviceError", serviceError: { error: { type: "initiate" } } },
  },
  {
    what: "accepted without user-information",
    answer: "6117A109060760857405080101A203020100A305A103020100",
    evidence: { type: "fault" },
  },
  { what: "a cut AARE", answer: AARE.slice(0, 60), evidence: { type: "fault" } },
] as const;

test.each(REFUSALS)("client: an association is refused by $what", ({ answer, evidence }) => {
  const bench = new ClientBench();
  bench.order({ type: "associate" });
  const failure = failureIn(bench.hear(answer));
  expect(failure).toMatchObject({ stage: "association", evidence });
  expect(bench.client.state).toBe("idle");
  expect(bench.client.deadlineMs()).toBeUndefined();
  // And may be tried again.
  expect(bench.order({ type: "associate" })).toMatch(/^60/);
});

test("client: an AARE with non-minimal lengths is read (Kamstrup OMNIA)", () => {
  const long = `6182 0029 ${AARE.slice(4)}`;
  expect(ClientBench.associated({}, long).client.state).toBe("associated");
});

test("client: every octet that an AARE lacks or has wrong ends in a failure, an association or a deadline", () => {
  const octets = fromHex(AARE);
  for (let index = 0; index < octets.length; index++) {
    for (const damage of [octets.subarray(0, index), octets.with(index, (octets[index] ?? 0) ^ 0xff)]) {
      const bench = new ClientBench();
      bench.order({ type: "associate" });
      const events = bench.hear(damage);
      const ended = events.some((event) => event.type === "failed" || event.type === "associated");
      expect(ended || bench.client.deadlineMs() !== undefined).toBe(true);
    }
  }
});

test("client: silence is a failure at its deadline, with what it waited for", () => {
  const bench = new ClientBench({ responseTimeoutMs: 700 });
  bench.order({ type: "associate" });
  bench.client.timeout(699);
  expect(bench.events()).toEqual([]);
  expect(bench.hear("0BAD")).toMatchObject([{ type: "discarded" }]);
  expect(failureIn(bench.expire())).toMatchObject({
    stage: "association",
    error: { code: "SERVICE_UNANSWERED" },
    evidence: { type: "silence", waitedMs: 700, discarded: 1 },
  });
});

const HLS_AARE =
  "613EA109060760857405080101A203020100A305A10302010E88020780890760857405080203AA0A8008503677524A323146BE10040E0800065F1F0400007E1F01F40007";

function hlsInputs(reversed: boolean) {
  const own = ascii("K56iVagY");
  const peer = fromHex("503677524A323146");
  return { ownChallenge: reversed ? peer : own, peerChallenge: reversed ? own : peer, secret: PASSWORD };
}

test("client: HLS asks with its reply and believes the server only with the right one", () => {
  const aare = hlsAare();
  const bench = new ClientBench(MD5);
  bench.order({ type: "associate" });
  expect(bench.hear(aare)).toEqual([]);
  expect(bench.client.state).toBe("authenticating");
  const reply = toHex(hlsReply("hls-md5", hlsInputs(false)));
  expect(bench.sent()).toBe(hex(`C3 01 C1 000F 0000280000FF 01 01 09 10 ${reply}`));
  expect(() => bench.order(GET_CLOCK)).toThrow("SERVICE_UNEXPECTED");
  const proof = toHex(hlsReply("hls-md5", hlsInputs(true)));
  expect(bench.hear(`C7 01 C1 00 01 00 09 10 ${proof}`)).toMatchObject([{ type: "associated" }]);
});

test.each([
  ["refuses our reply", "C7 01 C1 03 00", { type: "replyRefused", result: "read-write-denied" }],
  ["proves nothing", "C7 01 C1 00 00", { type: "fault" }],
  ["proves nothing, with null-data", "C7 01 C1 00 01 00 00", { type: "fault" }],
  ["proves wrongly", `C7 01 C1 00 01 00 09 10 ${"00".repeat(16)}`, { type: "fault" }],
  ["answers with another type", "C7 01 C1 00 01 00 11 05", { type: "fault" }],
  ["answers with an exception", "D8 01 01", { type: "exception" }],
] as const)("client: HLS fails when the server %s", (_what, answer, evidence) => {
  const bench = new ClientBench(MD5);
  bench.order({ type: "associate" });
  bench.hear(hlsAare());
  expect(failureIn(bench.hear(answer))).toMatchObject({ stage: "hls", evidence });
  expect(bench.client.state).toBe("idle");
});

test("client: a missing proof is let pass where that is tolerated, and told", () => {
  const bench = new ClientBench({ ...MD5, tolerate: ["pass4-missing"] });
  bench.order({ type: "associate" });
  bench.hear(hlsAare());
  expect(bench.hear("C7 01 C1 00 00")).toMatchObject([
    { type: "leniency", name: "pass4-missing" },
    { type: "associated" },
  ]);
  const strict = new ClientBench({ ...MD5, tolerate: ["pass4-missing"] });
  strict.order({ type: "associate" });
  strict.hear(hlsAare());
  expect(failureIn(strict.hear(`C7 01 C1 00 01 00 09 10 ${"00".repeat(16)}`))?.error.code).toBe("HLS_REPLY_MISMATCH");
});

test("client: an echoed challenge, and an HLS association without a challenge, are refused", () => {
  for (const [aare, code] of [
    [hlsAare("4B35366956616759"), "HLS_CHALLENGE_ECHOED"],
    [AARE, "HLS_NO_CHALLENGE"],
  ] as const) {
    const bench = new ClientBench(MD5);
    bench.order({ type: "associate" });
    expect(failureIn(bench.hear(aare))?.error.code).toBe(code);
    expect(bench.sent()).toBe("");
  }
});

test("client: a challenge without the diagnostic that announces it is answered, and told (jDLMS)", () => {
  const bench = new ClientBench(MD5);
  bench.order({ type: "associate" });
  const aare = hlsAare().replace("A10302010E", "A103020100");
  expect(bench.hear(aare)).toMatchObject([{ type: "leniency", name: "hls-without-diagnostic" }]);
  expect(bench.sent()).toMatch(/^c301/);
});

function hlsAare(challenge = "503677524A323146"): string {
  const body = HLS_AARE.slice(4).replace("503677524A323146", challenge);
  return `61${(body.length / 2).toString(16).padStart(2, "0")}${body}`;
}

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

test("client: what comes unasked is told and does not disturb what is awaited", () => {
  const bench = ClientBench.associated();
  bench.order(GET_CLOCK);
  const pushes = ["0F 40000001 00 0600000007", "C2 00 0001 0000600100FF 02 0600000007"];
  for (const push of pushes) expect(bench.hear(push)).toMatchObject([{ type: "notification", layers: [] }]);
  const deadlineMs = bench.client.deadlineMs();
  expect(bench.hear(`C4 01 C1 00 ${TIME_HEX}`)).toMatchObject([{ type: "response" }]);
  expect(deadlineMs).toBe(1000);
  for (const push of pushes) expect(bench.hear(push)).toMatchObject([{ type: "notification" }]);
  // Also before any association.
  expect(new ClientBench().hear("0F 40000001 00 0600000007")).toMatchObject([{ type: "notification" }]);
});

test("client: a meter that always answers with the same invoke-id is understood; a late answer is not taken for the next", () => {
  const fixed = ClientBench.associated();
  fixed.order(GET_CLOCK);
  expect(fixed.hear(`C4 01 00 00 ${TIME_HEX}`)).toMatchObject([
    { type: "leniency", name: "invoke-id-not-echoed" },
    { type: "response" },
  ]);
  fixed.order(GET_CLOCK);
  expect(fixed.hear(`C4 01 00 00 ${TIME_HEX}`)).toMatchObject([{ type: "response" }]);
  const echoing = ClientBench.associated();
  echoing.order(GET_CLOCK);
  expect(failureIn(echoing.expire())?.evidence.type).toBe("silence");
  expect(echoing.client.state).toBe("associated");
  echoing.order(GET_CLOCK);
  expect(echoing.hear("C4 01 C1 01 03")).toMatchObject([{ type: "discarded" }]);
  expect(echoing.hear(`C4 01 C2 00 ${TIME_HEX}`)).toMatchObject([{ type: "response" }]);
});

test.each([
  ["an exception", "D8 02 02", { type: "exception" }],
  ["a service error", "0E 05 05 01", { type: "serviceError" }],
] as const)("client: %s fails the request and leaves the association", (_what, answer, evidence) => {
  const bench = ClientBench.associated();
  bench.order(GET_CLOCK);
  expect(failureIn(bench.hear(answer))).toMatchObject({
    stage: "request",
    error: { code: "SERVICE_REFUSED" },
    evidence,
  });
  expect(bench.client.state).toBe("associated");
});

test("client: an order that does not fit the state is refused and changes nothing", () => {
  const bench = new ClientBench();
  expect(() => bench.order(GET_CLOCK)).toThrow("SERVICE_UNEXPECTED");
  expect(() => bench.order({ type: "release" })).toThrow("SERVICE_UNEXPECTED");
  bench.order({ type: "associate" });
  expect(() => bench.order({ type: "associate" })).toThrow("SERVICE_UNEXPECTED");
  bench.hear(AARE);
  bench.order(GET_CLOCK);
  expect(() => bench.order(GET_CLOCK)).toThrow("SERVICE_UNEXPECTED");
  expect(bench.sent()).toBe("");
  expect(bench.hear(`C4 01 C1 00 ${TIME_HEX}`)).toMatchObject([{ type: "response" }]);
  const tooBig: Data = { type: "unsigned", value: 300 };
  expect(() => bench.order({ type: "set", attribute: clock, value: tooBig })).toThrow("DATA_OUT_OF_RANGE");
  expect(bench.client.state).toBe("associated");
  expect(bench.order(GET_CLOCK)).toMatch(/^c001c2/);
});

test.each([
  ["takes our leave", "63 03 80 01 00", "rlre"],
  ["takes our leave without a word", "63 00", "rlre"],
  ["knows no release", "D8 02 02", "refused"],
  ["gets the lengths of its farewell wrong", "63 05 80 01 00", "rlre"],
] as const)("client: a meter that %s", (_what, answer, expected) => {
  const bench = ClientBench.associated();
  expect(bench.order({ type: "release" })).toBe("6203800100");
  expect(bench.hear(answer).at(-1)).toEqual({ type: "released", answer: expected });
  expect(bench.client.state).toBe("idle");
});

test("client: a leave that is not answered is taken all the same; with the habit none nothing is sent", () => {
  const bench = ClientBench.associated();
  bench.order({ type: "release" });
  expect(bench.hear("0F 40000001 00 0600000007")).toMatchObject([{ type: "notification" }]);
  expect(bench.expire()).toEqual([{ type: "released", answer: "unanswered" }]);
  const silent = ClientBench.associated({ release: "none" });
  expect(silent.order({ type: "release" })).toBe("");
  expect(silent.events()).toEqual([{ type: "released", answer: "notAsked" }]);
});

test("client: a pre-established association needs no word", () => {
  const bench = new ClientBench({ preEstablished: true });
  expect(bench.order({ type: "associate" })).toBe("");
  expect(bench.events()).toMatchObject([{ type: "associated" }]);
  expect(bench.order(GET_CLOCK)).toMatch(/^c001/);
});

test("client: an abort fails what is under way at stage link, and nothing when nothing is", () => {
  const error = new DlmsError("LINK_ENDED", "peer", { by: "peer" });
  const bench = ClientBench.associated();
  bench.order(GET_CLOCK);
  bench.hear("C4 02 C1 00 00000001 00 04 090C07E9");
  bench.order({ type: "abort", error });
  expect(bench.events()).toMatchObject([
    {
      type: "failed",
      failure: {
        stage: "link",
        error,
        evidence: { type: "linkEnded", during: "request" },
        partial: fromHex("090C07E9"),
      },
    },
  ]);
  expect(bench.client.state).toBe("idle");
  bench.order({ type: "abort", error });
  expect(bench.events()).toEqual([]);
  const leaving = ClientBench.associated();
  leaving.order({ type: "release" });
  leaving.order({ type: "abort", error });
  expect(leaving.events()).toEqual([{ type: "released", answer: "unanswered" }]);
});

function ciphered(over: Partial<ClientSettings> = {}) {
  const server = serverProtection();
  server.learnPeerSystemTitle(fromHex("4D4D4D0000000001"));
  const initiate = server.protect(fromHex("0800065F1F0400007E1F01F40007"), {
    control: "authenticated-encrypted",
    form: "service-specific",
    keySet: "global",
  });
  const information = `04${initiate.length.toString(16).padStart(2, "0")}${toHex(initiate)}`;
  const body =
    "A109060760857405080103A203020100A305A103020100A40A04084D4D4D0000BC614E" +
    `BE${(information.length / 2).toString(16).padStart(2, "0")}${information}`;
  const aare = `61${(body.length / 2).toString(16).padStart(2, "0")}${body}`;
  const settings = {
    protection: clientProtection(),
    ciphering: { request: "authenticated-encrypted" } as const,
    ...over,
  };
  return { server, aare, settings };
}

test("client: an answer in clear to a protected request is no answer, unless that is tolerated", () => {
  const strict = ciphered();
  const bench = ClientBench.associated(strict.settings, strict.aare);
  expect(bench.order(GET_CLOCK)).toMatch(/^c81e30/);
  expect(failureIn(bench.hear(`C4 01 C1 00 ${TIME_HEX}`))).toMatchObject({
    stage: "request",
    error: { code: "SECURITY_WEAKER_THAN_REQUIRED" },
  });
  bench.order(GET_CLOCK);
  expect(failureIn(bench.hear("D8 02 02"))?.evidence.type).toBe("exception");
  const lenient = ciphered({ tolerate: ["plain-response"] });
  const other = ClientBench.associated(lenient.settings, lenient.aare);
  other.order(GET_CLOCK);
  expect(other.hear(`C4 01 C1 00 ${TIME_HEX}`)).toMatchObject([
    { type: "leniency", name: "plain-response" },
    { type: "response" },
  ]);
  const plainAare = new ClientBench(ciphered().settings);
  plainAare.order({ type: "associate" });
  const failure = failureIn(plainAare.hear(AARE.replace("0101A2", "0103A2")));
  expect(failure?.error.code).toBe("SECURITY_WEAKER_THAN_REQUIRED");
});

test("client: a protected answer that does not open fails with the octets that did not", () => {
  const { settings, aare, server } = ciphered();
  const bench = ClientBench.associated(settings, aare);
  bench.order(GET_CLOCK);
  const answer = server.protect(fromHex(`C401C100${TIME_HEX}`), {
    control: "authenticated-encrypted",
    form: "service-specific",
    keySet: "global",
  });
  const damaged = answer.with(answer.length - 1, (answer.at(-1) ?? 0) ^ 1);
  expect(failureIn(bench.hear(damaged))).toMatchObject({
    error: { code: "SECURITY_TAG_MISMATCH" },
    evidence: { type: "fault", ciphered: damaged },
  });
  // A push that does not open is no answer: it is not waited for, nor does it fail what is.
  bench.order(GET_CLOCK);
  expect(bench.hear(`CA${toHex(damaged).slice(2)}`)).toMatchObject([{ type: "discarded" }]);
  const good = server.protect(fromHex(`C401C200${TIME_HEX}`), {
    control: "authenticated-encrypted",
    form: "general",
    keySet: "global",
  });
  expect(bench.hear(good)).toMatchObject([{ type: "response" }]);
});

test("client: a ciphered association is left with a protected initiate request, or as the settings say", () => {
  const { settings, aare } = ciphered();
  expect(ClientBench.associated(settings, aare).order({ type: "release" })).toMatch(/^62..800100be..04..21/);
  const plain = ciphered({ release: "plain" });
  expect(ClientBench.associated(plain.settings, plain.aare).order({ type: "release" })).toBe("6203800100");
});
