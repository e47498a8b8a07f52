/** A meter on either link, and the connections that are opened to it. */
import { systemClock } from "../../../../drivers/clock.ts";
import { Pump } from "../../../../drivers/pump.ts";
import type { ClientSettings } from "../../../../protocol/association/client/client-settings.ts";
import type { AssociationRule } from "../../../../protocol/association/server/association-rule.ts";
import { AssociationServer } from "../../../../protocol/association/server/server.ts";
import type { Data } from "../../../../protocol/axdr/data.ts";
import { fromHex } from "../../../../protocol/bytes/hex.ts";
import { hdlcAddress } from "../../../../protocol/link/hdlc/address.ts";
import { HdlcClient } from "../../../../protocol/link/hdlc/client.ts";
import { HdlcServer } from "../../../../protocol/link/hdlc/server.ts";
import { WrapperLink } from "../../../../protocol/link/wrapper-link.ts";
import { SecretKey } from "../../../../protocol/security/secret-key.ts";
import type { CounterMemory, InvocationCounters, MeterAccess } from "../../../../src/collect/session/meter-access.ts";
import { MeterConnection, type MeterConnectionSettings } from "../../../../src/collect/session/meter-connection.ts";
import { MeterLine } from "../../../../src/collect/session/meter-line.ts";
import { channelPair, type PairedChannel } from "../../../drivers/channel-pair.ts";
import { ServedLink } from "../../../protocol/association/served-link.ts";
import {
  ascii,
  CLOCK,
  clientProtection,
  FixtureObjects,
  OPEN_RULE,
  SERVER_CHALLENGE,
  serverProtection,
} from "../../../protocol/association/server-fixture.ts";

const CHALLENGE = ascii("K56iVagYK56iVagY");
export const SECRET = new SecretKey("hlsSecret", ascii("sixteen octets!!"));
export const COUNTER = fromHex("00002b0103ff");
export const clock = { attribute: { classId: 8, logicalName: CLOCK, attributeId: 2 } };
export const TIME: Data = { type: "octet-string", value: fromHex("07E9071703081E18FF014A00") };

export const PUBLIC: ClientSettings = {
  authentication: { mechanism: "none" },
  challenge: () => CHALLENGE,
  responseTimeoutMs: 500,
};

export interface Meter {
  readonly near: PairedChannel;
  readonly far: PairedChannel;
  readonly objects: FixtureObjects;
  readonly log: string[];
}

/** A meter at the far end of a channel; `rules` by client SAP. */
export function meter(
  rules: Readonly<Record<number, AssociationRule>>,
  link: "wrapper" | "hdlc" = "wrapper",
  deviation?: (apdu: Uint8Array) => Uint8Array | undefined,
): Meter {
  const [near, far] = channelPair();
  const objects = new FixtureObjects();
  objects.values.set(FixtureObjects.key(8, CLOCK, 2), TIME);
  objects.values.set(FixtureObjects.key(1, COUNTER, 2), { type: "double-long-unsigned", value: 1000 });
  const log: string[] = [];
  const get = objects.get;
  objects.get = (...order) => {
    log.push(`get ${order[0].attribute.classId}`);
    return get(...order);
  };
  const serverFor = (clientSap: number) => {
    log.push(`client ${clientSap}`);
    return new AssociationServer({
      clientSap,
      serverSap: 1,
      rule: () => rules[clientSap],
      objects,
      randomOctets: (length) => SERVER_CHALLENGE.subarray(0, length),
    });
  };
  const serverLink =
    link === "wrapper"
      ? new WrapperLink({ role: "server" })
      : new HdlcServer({ logicalDevices: [1], physicalDevice: 17 });
  const served = new ServedLink(serverLink, serverFor, deviation && { instead: deviation });
  new Pump(served, far, { event: () => {}, closed: () => {} }, { ended: { type: "channelEnded" } }).start();
  return { near, far, objects, log };
}

export const wrapper = (clientSap = 16) => new WrapperLink({ role: "client", clientSap, serverSap: 1 });
export const hdlc = (clientSap = 16) =>
  new HdlcClient({ clientSap, server: hdlcAddress(1, 17), responseTimeoutMs: 200 });

export async function open(each: Meter, over: Partial<MeterConnectionSettings> = {}, signal?: AbortSignal) {
  const line = new MeterLine(each.near, signal === undefined ? {} : { signal });
  const connection = await MeterConnection.open(line, { link: wrapper(), client: PUBLIC, ...over });
  return { line, connection };
}

export async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("did not fail");
}

export function indianAccess(counters: InvocationCounters, memory: CounterMemory): MeterAccess {
  return {
    clientSap: 48,
    link: wrapper,
    clock: systemClock,
    session: () => ({ client: indianSettings(counters) }),
    publicSession: () => ({ client: PUBLIC }),
    counter: { names: () => [COUNTER], counters, memory },
  };
}

export class TestCounters implements InvocationCounters {
  readonly given: number[] = [];
  #next: number;
  constructor(next: number) {
    this.#next = next;
  }
  next(): number {
    this.given.push(this.#next);
    return this.#next++;
  }
  get upcoming(): number {
    return this.#next;
  }
  async ensure(): Promise<void> {}
  async raise(lowest: number): Promise<void> {
    this.#next = Math.max(this.#next, lowest);
  }
}

export function indianRule(over: Partial<AssociationRule> = {}): AssociationRule {
  return {
    ...OPEN_RULE,
    clientSap: 48,
    mechanism: "hls",
    secret: SECRET,
    applicationContexts: ["logical-name-with-ciphering"],
    security: { protection: serverProtection() },
    ...over,
  };
}

export function indianSettings(counters: InvocationCounters, over: Partial<ClientSettings> = {}): ClientSettings {
  return {
    ...PUBLIC,
    authentication: { mechanism: "hls", secret: SECRET },
    protection: clientProtection({ nextInvocationCounter: () => counters.next() }),
    ciphering: { request: "authenticated-encrypted" },
    ...over,
  };
}
