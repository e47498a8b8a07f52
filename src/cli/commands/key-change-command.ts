/** `keys transfer` and `keys settle`: a meter's key is changed, over the running daemon. */
import { z } from "zod";
import { keyChange } from "../../api/answers/keys.ts";
import { askDaemon } from "../../api/local-client.ts";
import { CHANGED_KEYS } from "../../keys/key-change.ts";
import type { MeterKeyOrder } from "../../keys/key-resources.ts";
import { ROLE_NAMES } from "../../keys/shipment-file.ts";
import type { ExitReason } from "../terminal/exit-code.ts";
import type { Output } from "../terminal/output.ts";

export interface KeyOrderOptions {
  readonly why: string;
  readonly socket: string;
  readonly json?: true;
}

export interface KeyTransferOptions extends KeyOrderOptions {
  readonly role: string;
  readonly agree?: true;
}

type Change = z.output<typeof keyChange>;

const resultsForm = z.object({ items: z.array(keyChange) });

const SAYS: Readonly<Record<Change["state"], string>> = {
  active: "the meter has the new key, and an association has proven it",
  refused: "the meter refuses the new key; the old one stays",
  kept: "the meter goes on with the old key; the new one is given up",
  unproven: "neither the new key nor the old one opens an association: the new one stays pending, see `keys settle`",
};

export async function keysTransfer(
  meter: string,
  { role: named, agree, ...options }: KeyTransferOptions,
  output: Output,
): Promise<ExitReason> {
  const role = CHANGED_KEYS.find((each) => each === (ROLE_NAMES[named.toLowerCase()] ?? named));
  if (role === undefined) {
    output.err(`keys transfer: --role is one of ${CHANGED_KEYS.join(", ")}`);
    return "usage";
  }
  const changes = await order(meter, { type: "change", role, way: agree ? "agreement" : "transfer" }, options, output);
  return changes.at(-1)?.state === "active" ? "success" : "meterFailed";
}

export async function keysSettle(meter: string, options: KeyOrderOptions, output: Output): Promise<ExitReason> {
  const changes = await order(meter, { type: "settle" }, options, output);
  return changes.some(({ state }) => state === "unproven") ? "meterFailed" : "success";
}

async function order(
  meter: string,
  wanted: MeterKeyOrder,
  { why, socket, json }: KeyOrderOptions,
  output: Output,
): Promise<readonly Change[]> {
  const path = `/v1/meters/${encodeURIComponent(meter)}/keys`;
  const { items } = await askDaemon(socket, { path, body: { order: wanted, why }, answer: resultsForm });
  if (json) output.out(JSON.stringify(items, undefined, 2));
  else if (items.length === 0) output.out(`${meter}: no change of a key is open`);
  else for (const change of items) printChange(meter, change, output);
  return items;
}

function printChange(meter: string, { role, version, state, evidence }: Change, output: Output): void {
  output.out(`${meter}  ${role}${version === null ? "" : ` version ${version}`}: ${state}: ${SAYS[state]}`);
  if (evidence !== null) output.err(`  seen  ${evidence}`);
}
