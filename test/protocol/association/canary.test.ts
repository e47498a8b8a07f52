/** Client and server with secrets that nobody knows, over octets that are changed on the way: no error shows them. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { ClientAssociation } from "../../../protocol/association/client/client.ts";
import type { ClientCommand } from "../../../protocol/association/client/client-events.ts";
import type { ClientSettings } from "../../../protocol/association/client/client-settings.ts";
import type { AssociationRule } from "../../../protocol/association/server/association-rule.ts";
import { AssociationServer } from "../../../protocol/association/server/server.ts";
import { DlmsError } from "../../../protocol/errors.ts";
import { ApduProtection } from "../../../protocol/security/apdu-protection.ts";
import { Canaries, shown } from "../security/canaries.ts";
import { CLIENT_TITLE, CLOCK, counter, FixtureObjects, OPEN_RULE, SERVER_TITLE } from "./server-fixture.ts";

const canaries = new Canaries();
const keys = { blockCipherKey: canaries.key("blockCipherKey"), authenticationKey: canaries.key("authenticationKey") };
const secret = canaries.key("hlsSecret");
const dedicated = canaries.key("dedicatedKey");

interface Sides {
  readonly rule: AssociationRule;
  readonly client: ClientSettings;
}

function protectionOf(own: "client" | "server"): ApduProtection {
  const [ownSystemTitle, peerSystemTitle] =
    own === "client" ? [CLIENT_TITLE, SERVER_TITLE] : [SERVER_TITLE, CLIENT_TITLE];
  return new ApduProtection({ suite: 0, ownSystemTitle, peerSystemTitle, keys, nextInvocationCounter: counter(1) });
}

function ciphered(form: "general" | "service-specific"): Sides {
  return {
    rule: {
      ...OPEN_RULE,
      applicationContexts: ["logical-name-with-ciphering"],
      mechanism: "hls-gmac",
      security: { protection: protectionOf("server") },
    },
    client: {
      ...PLAIN,
      authentication: { mechanism: "hls-gmac" },
      protection: protectionOf("client"),
      ciphering: { request: "authenticated-encrypted", form, dedicatedKey: () => dedicated },
    },
  };
}

const PLAIN: ClientSettings = {
  authentication: { mechanism: "none" },
  challenge: () => Uint8Array.from({ length: 16 }, (_, index) => index + 33),
  maxReceivePduSize: 200,
  responseTimeoutMs: 100,
  releaseTimeoutMs: 100,
};

const SIDES: readonly (() => Sides)[] = [
  () => ({
    rule: { ...OPEN_RULE, mechanism: "lls", secret },
    client: { ...PLAIN, authentication: { mechanism: "lls", password: secret } },
  }),
  ...(["hls", "hls-md5", "hls-sha1"] as const).map((mechanism) => () => ({
    rule: { ...OPEN_RULE, mechanism, secret },
    client: { ...PLAIN, authentication: { mechanism, secret } },
  })),
  () => ciphered("service-specific"),
  () => ciphered("general"),
];

const clock = { classId: 8, logicalName: CLOCK, attributeId: 2 };
const ORDERS: readonly ClientCommand[] = [
  { type: "associate" },
  { type: "get", attribute: clock },
  { type: "set", attribute: clock, value: { type: "octet-string", value: secret.reveal() } },
  {
    type: "action",
    method: { classId: 15, logicalName: CLOCK, methodId: 2 },
    parameters: { type: "octet-string", value: keys.blockCipherKey.reveal() },
  },
  { type: "release" },
];

/** Every error in a value, wherever it stands. */
function errorsIn(value: unknown, found: Error[] = []): Error[] {
  if (value instanceof Error) found.push(value);
  if (typeof value === "object" && value !== null && !(value instanceof Uint8Array)) {
    for (const each of Object.values(value)) errorsIn(each, found);
  }
  return found;
}

test("canary: whatever happens to the octets between a client and a server, no error shows a key or a password", () => {
  const seen = new Map<string, number>();
  fc.assert(
    fc.property(
      fc.nat(SIDES.length - 1),
      fc.infiniteStream(fc.record({ chance: fc.nat(5), at: fc.nat(80), octet: fc.nat(255), cut: fc.nat(3) })),
      (index, changes) => {
        const sides = SIDES[index]?.();
        if (sides === undefined) return;
        const objects = new FixtureObjects();
        objects.values.set(FixtureObjects.key(8, CLOCK, 2), { type: "octet-string", value: new Uint8Array(500) });
        const client = new ClientAssociation(sides.client);
        const server = new AssociationServer({
          clientSap: 16,
          serverSap: 1,
          rule: () => sides.rule,
          objects,
          randomOctets: (length) => Uint8Array.from({ length }, (_, each) => each + 65),
        });
        const changed = (octets: Uint8Array): Uint8Array => {
          const { value: change } = changes.next();
          const copy = Uint8Array.from(octets);
          if (change === undefined || change.chance > 0 || copy.length === 0) return copy;
          copy[change.at % copy.length] = change.octet;
          return change.cut === 0 ? copy.subarray(0, change.at % copy.length) : copy;
        };
        let nowMs = 0;
        for (const order of ORDERS) {
          keepErrors(() => client.command(order, nowMs), seen);
          for (let round = 0; round < 40; round++) {
            let moved = false;
            for (let octets = client.takeBytes(); octets; octets = client.takeBytes(), moved = true)
              server.receive(changed(octets), nowMs);
            for (let octets = server.takeBytes(); octets; octets = server.takeBytes(), moved = true)
              client.receive(changed(octets), nowMs);
            for (const machine of [client, server]) noteEvents(machine, seen);
            if (moved) continue;
            const deadlineMs = client.deadlineMs();
            if (deadlineMs === undefined) break;
            nowMs = deadlineMs;
            client.timeout(nowMs);
          }
        }
      },
    ),
    { numRuns: 400 },
  );
  // The search means something only where much goes wrong in many ways.
  expect([...seen.keys()].length).toBeGreaterThan(12);
});

function noteEvents(machine: { takeEvent(): unknown }, seen: Map<string, number>): void {
  for (let event = machine.takeEvent(); event !== undefined; event = machine.takeEvent()) note(errorsIn(event), seen);
}

function keepErrors(act: () => void, seen: Map<string, number>): void {
  try {
    act();
  } catch (error) {
    note(errorsIn(error), seen);
  }
}

function note(errors: readonly Error[], seen: Map<string, number>): void {
  for (const error of errors) {
    const code = error instanceof DlmsError ? error.code : error.name;
    const times = seen.get(code) ?? 0;
    seen.set(code, times + 1);
    // Showing is slow: the first of each kind, then one of many.
    if (times > 20 && times % 50 !== 0) continue;
    const leaks = canaries.leaksIn(shown(error));
    if (leaks.length > 0) throw new Error(`${code} shows ${leaks.length} parts of a secret`);
  }
}

test("canary: no error of protocol/ is told octets in its location", () => {
  const root = join(import.meta.dirname, "../../../protocol");
  const suspects: string[] = [];
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const text = readFileSync(join(entry.parentPath, entry.name), "utf8");
    for (const [match] of text.matchAll(/new DlmsError\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)/g)) {
      if (/toHex\(|\.reveal\(|JSON\.stringify\(|Array\.from\(|latin1|TextDecoder/.test(match))
        suspects.push(`${entry.name}: ${match}`);
    }
  }
  expect(suspects).toEqual([]);
});
