/** A head end in small: visits one meter of a street over TCP. */
import { Pump } from "../../drivers/pump.ts";
import { connectTcp } from "../../drivers/tcp/connect.ts";
import type { DataResult } from "../../protocol/apdu/descriptors.ts";
import { ClientAssociation } from "../../protocol/association/client/client.ts";
import type { ServiceOrder } from "../../protocol/association/client/client-events.ts";
import type { ClientSettings } from "../../protocol/association/client/client-settings.ts";
import { ClientSession, type SessionCommand, type SessionEvent } from "../../protocol/association/session.ts";
import type { Data } from "../../protocol/axdr/data.ts";
import { fromHex } from "../../protocol/bytes/hex.ts";
import { logicalNameToOctets } from "../../protocol/cosem/obis.ts";
import { hdlcAddress } from "../../protocol/link/hdlc/address.ts";
import { HdlcClient } from "../../protocol/link/hdlc/client.ts";
import type { Link } from "../../protocol/link/link.ts";
import { WrapperLink } from "../../protocol/link/wrapper-link.ts";
import { ApduProtection } from "../../protocol/security/apdu-protection.ts";
import { SecretKey } from "../../protocol/security/secret-key.ts";
import { systemTitle } from "../../protocol/security/system-title.ts";
import type { StreetMeter } from "../../src/simulator/street.ts";

const CLIENT_TITLE = "4845530000000001";
const PUBLIC_CLIENT = 16;
const CHALLENGE = new TextEncoder().encode("K56iVagYK56iVagY");
const MECHANISMS = { "hls-2": "hls", "hls-5": "hls-gmac" } as const;

export interface VisitOptions {
  readonly responseTimeoutMs?: number;
  /** Of the client, in hexadecimal. */
  readonly clientTitle?: string;
  /** Instead of the counter that the meter's object tells. */
  readonly firstCounter?: number;
}

/** Why a visit failed: stage and evidence of the client machine. */
export class VisitFailed extends Error {
  override readonly name = "VisitFailed";
  readonly event: SessionEvent | undefined;

  constructor(event: SessionEvent | undefined) {
    const failure = event?.type === "failed" ? event.failure : undefined;
    super(failure === undefined ? (event?.type ?? "channel ended") : `${failure.stage}: ${failure.error.message}`);
    this.event = event;
  }
}

/** An association with a meter; requests go one after the other. */
export class Visitor {
  readonly #pump: Pump<SessionCommand, SessionEvent>;
  readonly events: SessionEvent[] = [];
  #wanted: SessionEvent["type"] | undefined;
  #settle: PromiseWithResolvers<SessionEvent> | undefined;
  readonly closed: Promise<void>;

  private constructor(pump: Pump<SessionCommand, SessionEvent>, closed: Promise<void>) {
    this.#pump = pump;
    this.closed = closed;
  }

  static async connect(meter: StreetMeter, clientSap: number, settings: ClientSettings): Promise<Visitor> {
    const channel = await connectTcp({ host: meter.host, port: meter.port });
    const client = new ClientAssociation(settings);
    const session = new ClientSession({ link: linkTo(meter, clientSap), client, budgetMs: 30_000 });
    const { promise, resolve } = Promise.withResolvers<void>();
    const pump = new Pump<SessionCommand, SessionEvent>(session, channel, {
      event: (event) => visitor.#take(event),
      closed: () => {
        visitor.#fail(undefined);
        resolve();
      },
    });
    const visitor: Visitor = new Visitor(pump, promise);
    pump.start();
    await visitor.#run({ type: "open" }, "opened");
    return visitor;
  }

  async associate(): Promise<void> {
    await this.#run({ type: "associate" }, "associated");
  }

  async ask(order: ServiceOrder) {
    const event = await this.#run(order, "response");
    if (event.type !== "response") throw new VisitFailed(event);
    return event.response;
  }

  async result(classId: number, name: string, attributeId = 2, access?: { selector: number; parameters: Data }) {
    const attribute = { classId, logicalName: logicalNameToOctets(name), attributeId };
    const response = await this.ask({ type: "get", attribute, ...(access && { access }) });
    if (response.type !== "get") throw new Error(`a response to ${response.type}`);
    return response.result;
  }

  async read(classId: number, name: string, attributeId = 2, access?: { selector: number; parameters: Data }) {
    return valueOf(await this.result(classId, name, attributeId, access), name);
  }

  async leave(): Promise<void> {
    await this.#run({ type: "release" }, "released");
    await this.hangUp();
  }

  async hangUp(): Promise<void> {
    this.#pump.close();
    await this.closed;
  }

  #run(command: SessionCommand, wanted: SessionEvent["type"]): Promise<SessionEvent> {
    this.#wanted = wanted;
    this.#settle = Promise.withResolvers<SessionEvent>();
    const { promise } = this.#settle;
    this.#pump.command(command);
    return promise;
  }

  #take(event: SessionEvent): void {
    this.events.push(event);
    if (event.type === this.#wanted) {
      this.#settle?.resolve(event);
      this.#settle = undefined;
    } else if (event.type === "failed" || event.type === "closed") this.#fail(event);
  }

  #fail(event: SessionEvent | undefined): void {
    this.#settle?.reject(new VisitFailed(event));
    this.#settle = undefined;
  }
}

function valueOf(result: DataResult, name: string): Data {
  if (result.type === "data") return result.data;
  throw new Error(`${name}: ${result.dataAccessResult}`);
}

/** Associates as the street says, with a counter from the public client where the association is ciphered. */
export async function visit(meter: StreetMeter, options: VisitOptions = {}): Promise<Visitor> {
  const counter = options.firstCounter ?? (await readCounter(meter, options));
  const visitor = await Visitor.connect(meter, meter.clientSap, settingsFor(meter, counter, options));
  try {
    await visitor.associate();
    return visitor;
  } catch (error) {
    await visitor.hangUp();
    throw error;
  }
}

async function readCounter(meter: StreetMeter, options: VisitOptions): Promise<number> {
  if (meter.security === undefined) return 1;
  const visitor = await Visitor.connect(meter, PUBLIC_CLIENT, publicSettings(options));
  try {
    await visitor.associate();
    const value = await visitor.read(1, meter.security.invocationCounter);
    await visitor.leave();
    if (value.type !== "double-long-unsigned") throw new Error(`a counter of type ${value.type}`);
    return value.value + 1;
  } catch (error) {
    await visitor.hangUp();
    throw error;
  }
}

function publicSettings({ responseTimeoutMs = 5000 }: VisitOptions): ClientSettings {
  return { authentication: { mechanism: "none" }, challenge: () => CHALLENGE, responseTimeoutMs };
}

function settingsFor(meter: StreetMeter, firstCounter: number, options: VisitOptions): ClientSettings {
  const { security } = meter;
  const base = { ...publicSettings(options), authentication: authenticationFor(meter) };
  if (security === undefined) return base;
  let next = firstCounter;
  const protection = new ApduProtection({
    suite: security.suite,
    ownSystemTitle: systemTitle(fromHex(options.clientTitle ?? CLIENT_TITLE)),
    peerSystemTitle: systemTitle(fromHex(security.serverSystemTitle)),
    keys: {
      blockCipherKey: new SecretKey("blockCipherKey", fromHex(security.blockCipherKey)),
      authenticationKey: new SecretKey("authenticationKey", fromHex(security.authenticationKey)),
    },
    nextInvocationCounter: () => next++,
    minimum: { sent: security.protection, received: security.protection },
  });
  return { ...base, protection, ciphering: { request: security.protection } };
}

function authenticationFor({ mechanism, secret }: StreetMeter): ClientSettings["authentication"] {
  if (mechanism === "none") return { mechanism: "none" };
  const hlsSecret = new SecretKey("hlsSecret", new TextEncoder().encode(secret ?? ""));
  if (mechanism === "lls") return { mechanism: "lls", password: hlsSecret };
  if (mechanism !== "hls-2" && mechanism !== "hls-5") throw new Error(`no meter of the street has ${mechanism}`);
  const name = MECHANISMS[mechanism];
  return name === "hls-gmac" ? { mechanism: name } : { mechanism: name, secret: hlsSecret };
}

function linkTo({ link, serverSap }: StreetMeter, clientSap: number): Link {
  if (link.type === "wrapper") return new WrapperLink({ role: "client", clientSap, serverSap });
  return new HdlcClient({
    clientSap,
    server: hdlcAddress(serverSap, link.physicalDevice),
    parameters: { maxInfoTransmit: 512, maxInfoReceive: 512, windowTransmit: 3, windowReceive: 3 },
  });
}
