/** Whatever a server sends, and whenever: the client never throws, and never waits without a deadline. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { ClientAssociation } from "../../../protocol/association/client/client.ts";
import type { ClientCommand } from "../../../protocol/association/client/client-events.ts";
import type { ClientSettings } from "../../../protocol/association/client/client-settings.ts";
import { ClientSession, type SessionCommand } from "../../../protocol/association/session.ts";
import { conformanceFromNumber } from "../../../protocol/ber/conformance.ts";
import { fromHex } from "../../../protocol/bytes/hex.ts";
import { DlmsError } from "../../../protocol/errors.ts";
import { hdlcAddress } from "../../../protocol/link/hdlc/address.ts";
import { HdlcClient } from "../../../protocol/link/hdlc/client.ts";
import type { Link } from "../../../protocol/link/link.ts";
import { encodeWrapper } from "../../../protocol/link/wrapper.ts";
import { WrapperLink } from "../../../protocol/link/wrapper-link.ts";
import { SecretKey } from "../../../protocol/security/secret-key.ts";
import { AARE, PLAIN_SETTINGS } from "./client-bench.ts";
import { ascii, CLOCK, clientProtection } from "./server-fixture.ts";

const AWAITING: ReadonlySet<string> = new Set(["associating", "authenticating", "requesting", "releasing"]);
const clock = { attribute: { classId: 8, logicalName: CLOCK, attributeId: 2 } };
const error = new DlmsError("LINK_ENDED", "peer", {});

const COMMANDS: readonly ClientCommand[] = [
  { type: "associate" },
  { type: "get", ...clock },
  { type: "getList", attributes: [clock, clock] },
  { type: "set", ...clock, value: { type: "octet-string", value: new Uint8Array(1200) } },
  {
    type: "action",
    method: { classId: 15, logicalName: CLOCK, methodId: 1 },
    parameters: { type: "octet-string", value: new Uint8Array(1200) },
  },
  { type: "release" },
  { type: "waitOn" },
  { type: "abort", error },
];
type LinksOwn = Extract<ClientCommand, { readonly type: "abort" | "waitOn" }>;

/** Answers of every kind, to be changed. */
const ANSWERS = [
  AARE,
  "6129A109060760857405080101A203020100A305A103020100BE10040E0800065F1F0400207E1F01F40007",
  "613EA109060760857405080101A203020100A305A10302010E88020780890760857405080203AA0A8008503677524A323146BE10040E0800065F1F0400007E1F01F40007",
  "6117A109060760857405080101A203020101A305A10302010D",
  "C401C100090C07E9071703081E18FF014A00",
  "C401C10104",
  "C402C1000000000100 04 090C07E9",
  "C402C1010000000200 02 0102",
  "C403C1020600000001 0104",
  "C501C100",
  "C502C100000001",
  "C503C10000000002",
  "C701C100 00",
  "C701C1000100091000000000000000000000000000000000",
  "C702C1000000000103 000100",
  "C704C100000001",
  "D80106 00001234",
  "0E010601",
  "0F40000001000600000007",
  "E0430001000004 C401C100",
  "E0830002000105 0600000007",
  "CC0E30000000010102030405060708090A0B0C0D0E",
  "DB084D4D4D0000BC614E0E30000000010102030405060708090A0B0C0D",
  "6300",
].map((text) => fromHex(text));

const PASSWORD = new SecretKey("hlsSecret", ascii("12345678"));
const SETTINGS: readonly (() => ClientSettings)[] = [
  () => ({ ...PLAIN_SETTINGS, conformance: conformanceFromNumber(0x207e1f), generalBlockWindow: 3 }),
  () => ({ ...PLAIN_SETTINGS, authentication: { mechanism: "hls-md5", secret: PASSWORD } }),
  () => ({
    ...PLAIN_SETTINGS,
    authentication: { mechanism: "hls-gmac" },
    protection: clientProtection(),
    ciphering: { request: "authenticated-encrypted" },
  }),
];

/** An answer whole, cut, with octets changed, or followed by others; or just octets. */
const octets = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...ANSWERS) },
  {
    weight: 4,
    arbitrary: fc
      .record({
        answer: fc.constantFrom(...ANSWERS),
        at: fc.nat(60),
        octet: fc.integer({ min: 0, max: 255 }),
        length: fc.nat(60),
      })
      .map(({ answer, at, octet, length }) => {
        const changed = Uint8Array.from(answer);
        if (at < changed.length) changed[at] = octet;
        return changed.subarray(0, length === 0 ? changed.length : length);
      }),
  },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 40 }) },
);

type Step =
  | { readonly type: "order"; readonly command: ClientCommand }
  | { readonly type: "hear"; readonly octets: Uint8Array }
  | { readonly type: "wait" };

const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    { weight: 2, arbitrary: fc.constantFrom(...COMMANDS).map((command): Step => ({ type: "order", command })) },
    { weight: 5, arbitrary: octets.map((each): Step => ({ type: "hear", octets: each })) },
    { weight: 1, arbitrary: fc.constant<Step>({ type: "wait" }) },
  ),
  { maxLength: 40 },
);

/** A refused order is the only thing that may throw, with a fault of the caller. */
function ordered(order: () => void): void {
  try {
    order();
  } catch (refusal) {
    if (!(refusal instanceof DlmsError) || refusal.fault !== "caller") throw refusal;
  }
}

function drain(machine: { takeBytes(): unknown; takeEvent(): unknown }): void {
  while (machine.takeBytes() !== undefined);
  while (machine.takeEvent() !== undefined);
}

test("client: any orders and any octets in any order leave it with a deadline or with nothing awaited", () => {
  fc.assert(
    fc.property(fc.nat(SETTINGS.length - 1), steps, (index, list) => {
      const settings = SETTINGS[index]?.() ?? PLAIN_SETTINGS;
      const client = new ClientAssociation(settings);
      let nowMs = 0;
      for (const step of list) {
        nowMs += 10;
        if (step.type === "order") ordered(() => client.command(step.command, nowMs));
        else if (step.type === "hear") client.receive(Uint8Array.from(step.octets), nowMs);
        else client.timeout((nowMs += client.deadlineMs() ?? 0));
        drain(client);
        expect(client.deadlineMs() !== undefined).toBe(AWAITING.has(client.state));
      }
      for (let waits = 0; client.deadlineMs() !== undefined; waits++) {
        expect(waits).toBeLessThan(6);
        client.timeout(client.deadlineMs() ?? 0);
        drain(client);
      }
      expect(["idle", "associated"]).toContain(client.state);
    }),
    { numRuns: 3000 },
  );
});

function isOrder(command: ClientCommand): command is Exclude<ClientCommand, LinksOwn> {
  return command.type !== "abort" && command.type !== "waitOn";
}

const LINKS: readonly (() => Link)[] = [
  () => new WrapperLink({ role: "client", clientSap: 16, serverSap: 1 }),
  () => new HdlcClient({ clientSap: 16, server: hdlcAddress(1), responseTimeoutMs: 100, maxRetries: 1 }),
];
const UA = fromHex("7EA01E210373C37A818012050180060180070400000001080400000001533B7E");

test("session: any octets from a channel, and its end at any time, leave it with a deadline or with nothing awaited", () => {
  const SESSION: readonly SessionCommand[] = [{ type: "open" }, { type: "close" }, { type: "channelEnded" }];
  const orders = [...SESSION, ...COMMANDS.filter(isOrder)];
  const heard = fc.oneof(
    fc.constant(UA),
    octets,
    octets
      .filter((each) => each.length > 0)
      .map((apdu) => encodeWrapper({ sourceWPort: 1, destinationWPort: 16, apdu })),
  );
  const sessionSteps = fc.array(
    fc.oneof(
      { weight: 2, arbitrary: fc.constantFrom(...orders).map((command) => ({ command, octets: undefined })) },
      { weight: 5, arbitrary: heard.map((each) => ({ command: undefined, octets: each })) },
    ),
    { maxLength: 40 },
  );
  fc.assert(
    fc.property(fc.nat(1), fc.nat(SETTINGS.length - 1), sessionSteps, (link, index, list) => {
      const session = new ClientSession({
        link: (LINKS[link] ?? (() => new HdlcClient({ clientSap: 16, server: hdlcAddress(1) })))(),
        client: new ClientAssociation(SETTINGS[index]?.() ?? PLAIN_SETTINGS),
        budgetMs: 10_000,
      });
      let nowMs = 0;
      ordered(() => session.command({ type: "open" }, nowMs));
      for (const { command, octets: each } of list) {
        nowMs += 10;
        if (command !== undefined) ordered(() => session.command(command, nowMs));
        if (each !== undefined) session.receive(Uint8Array.from(each), nowMs);
        drain(session);
        expect(session.deadlineMs() !== undefined || !AWAITING.has(session.client.state)).toBe(true);
      }
      let waits = 0;
      for (let deadlineMs = session.deadlineMs(); deadlineMs !== undefined; deadlineMs = session.deadlineMs()) {
        expect(++waits).toBeLessThan(2000);
        nowMs = Math.max(nowMs, deadlineMs);
        session.timeout(nowMs);
        drain(session);
      }
      expect(["closed", "failed"]).toContain(session.state);
      expect(session.client.state).toBe("idle");
    }),
    { numRuns: 1500 },
  );
});
