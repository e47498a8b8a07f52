/** Associations of the client machine against single APDUs: examples of the standard, and what meters do instead. */
import { expect, test } from "vitest";
import type { ClientSettings } from "../../../../protocol/association/client/client-settings.ts";
import { conformanceFromNumber } from "../../../../protocol/ber/conformance.ts";
import { fromHex, toHex } from "../../../../protocol/bytes/hex.ts";
import { SecretKey } from "../../../../protocol/security/secret-key.ts";
import { AARE, ClientBench, failureIn, hex } from "../client-bench.ts";
import { clientProtection, counter, SERVER_TITLE } from "../server-fixture.ts";
import { PASSWORD } from "./client-examples.ts";

const LLS: Partial<ClientSettings> = { authentication: { mechanism: "lls", password: PASSWORD } };

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
