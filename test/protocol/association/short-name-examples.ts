/** A client and a server that name their objects by short names. */
import { expect } from "vitest";
import { encodeApdu } from "../../../protocol/apdu/apdu.ts";
import type { ClientSettings } from "../../../protocol/association/client/client-settings.ts";
import type { AssociationRule } from "../../../protocol/association/server/association-rule.ts";
import type { Data } from "../../../protocol/axdr/data.ts";
import { conformanceFromNumber } from "../../../protocol/ber/conformance.ts";
import { fromHex, toHex } from "../../../protocol/bytes/hex.ts";
import { ShortNames } from "../../../protocol/cosem/short-names.ts";
import { ApduPair } from "./pair.ts";
import { CLOCK, type FixtureObjects } from "./server-fixture.ts";
import { serve, settingsOf, type Variant } from "./variants.ts";

/** Read, Write, UnconfirmedWrite, blocks both ways, lists, parameterised access. */
const SN_CONFORMANCE = conformanceFromNumber(0x1c1b20);
const PLAIN = "short-name";
const CIPHERED = "short-name-with-ciphering";

export const names = new ShortNames([
  { baseName: 0x0100, classId: 8, version: 0, logicalName: "0.0.1.0.0.255" },
  { baseName: 0x0200, classId: 1, version: 0, logicalName: "0.0.96.1.0.255" },
  { baseName: 0x0300, classId: 70, version: 0, logicalName: "0.0.96.3.10.255" },
  { baseName: 0x0400, classId: 64, version: 1, logicalName: "0.0.43.0.0.255" },
]);

export function named(rule: AssociationRule): AssociationRule {
  const ciphered = rule.applicationContexts.includes("logical-name-with-ciphering");
  return { ...rule, applicationContexts: [ciphered ? CIPHERED : PLAIN], conformance: SN_CONFORMANCE };
}

export interface Served {
  readonly pair: ApduPair;
  readonly objects: FixtureObjects;
}

export function served(rule: AssociationRule, settings: Partial<ClientSettings> = {}): Served {
  const { objects, server } = serve(rule, { shortNames: names });
  return { pair: new ApduPair(settingsOf({ referencing: "short-name", ...settings }), server), objects };
}

export function associated(
  { rule, settings }: Pick<Variant, "rule" | "settings">,
  over: Partial<AssociationRule> = {},
): Served {
  const made = served({ ...named(rule()), ...over }, settings());
  expect(made.pair.run({ type: "associate" }).at(-1)).toMatchObject({ type: "associated" });
  return made;
}

export const clock = { classId: 8, logicalName: CLOCK, attributeId: 2 };
export const TIME: Data = { type: "octet-string", value: fromHex("07E9071703081E18FF014A00") };
const ACCEPTED = "6129a109060760857405080102a203020100a305a103020100be10040e0800065f1f04001c1b200400fa00";

/** A server that answers each request with the next of some octets. */
export function scripted(
  answers: readonly string[],
  aare: string = ACCEPTED,
  settings: Partial<ClientSettings> = {},
): ApduPair {
  const queue = [aare, ...answers];
  let answer: string | undefined;
  return new ApduPair(settingsOf({ referencing: "short-name", ...settings }), {
    command: () => undefined,
    receive: () => {
      answer = queue.shift();
    },
    timeout: () => undefined,
    takeBytes: () => {
      const octets = answer === undefined || answer === "" ? undefined : fromHex(answer);
      answer = undefined;
      return octets;
    },
    takeEvent: () => undefined,
    deadlineMs: () => undefined,
  });
}

export function block(number: number, last: boolean, raw: Uint8Array): string {
  const results = [{ type: "data-block-result", lastBlock: last, blockNumber: number, rawData: raw }] as const;
  return toHex(encodeApdu({ apdu: "read-response", body: { results } }));
}

/** What the server answers to octets within an association. */
export function answered(made: Served, request: string): string | undefined {
  made.pair.server.receive(fromHex(request), 0);
  const answer = made.pair.server.takeBytes();
  return answer && toHex(answer);
}
