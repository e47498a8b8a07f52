/**
 * One reading of an independent meter server, the same whether the server answers or a recording of it does: associate,
 * object list, clock, load profile, release.
 */
import type { ByteChannel } from "../../drivers/channel.ts";
import { Pump } from "../../drivers/pump.ts";
import type { AttributeReference, DataResult } from "../../protocol/apdu/descriptors.ts";
import { ClientAssociation } from "../../protocol/association/client/client.ts";
import type { ServiceOrder, ServiceResponse } from "../../protocol/association/client/client-events.ts";
import { ClientSession, type SessionCommand, type SessionEvent } from "../../protocol/association/session.ts";
import { inShortNames } from "../../protocol/association/client/short-name-orders.ts";
import type { Data } from "../../protocol/axdr/data.ts";
import { captureObjectKey, captureObjectsFromData } from "../../protocol/cosem/capture-object.ts";
import { decodeDateTime, formatDateTime } from "../../protocol/cosem/date-time.ts";
import { logicalNameToOctets } from "../../protocol/cosem/obis.ts";
import { objectListFromData } from "../../protocol/cosem/object-list.ts";
import { ShortNames } from "../../protocol/cosem/short-names.ts";
import { DlmsError } from "../../protocol/errors.ts";
import { entryAccess } from "../../protocol/profile/selective-access.ts";
import { type NormalData, normaliseData } from "../corpus/normalise-data.ts";
import { type ServiceReading, tryServices } from "./peer-services.ts";
import { type PeerSetup, type SetupReading, trySetup } from "./peer-setup.ts";
import { clientSettings, linkOf, type PeerSettings } from "./peer-settings.ts";

/** Attribute 2 of the Association SN in use. */
const SHORT_NAME_LIST = 0xfa08;

const OBJECTS = {
  association: { classId: 15, logicalName: "0.0.40.0.0.255" },
  clock: { classId: 8, logicalName: "0.0.1.0.0.255" },
  loadProfile: { classId: 7, logicalName: "1.0.99.1.0.255" },
  text: { classId: 1, logicalName: "0.0.96.1.0.255" },
} as const;

export interface PeerReading {
  readonly conformance: readonly string[];
  readonly serverMaxReceivePduSize: number;
  readonly objects: readonly string[];
  readonly clock: string;
  readonly captureObjects: readonly string[];
  readonly rowCount: number;
  readonly firstRow: NormalData | undefined;
  readonly lastRow: NormalData | undefined;
  /** Deviations that were let pass, in order, each once. */
  readonly leniencies: readonly string[];
  readonly release: string;
  /** What only readings with short names try. */
  readonly shortName?: ShortNameReading;
  readonly services?: ServiceReading;
  readonly pushSetup?: SetupReading;
}

interface ShortNameReading {
  /** Two variables in one request: clock and capture objects, each by the type of its value or the server's reason. */
  readonly list: readonly string[];
  /** How many rows came for the first three entries, or what was wrong with the answer. */
  readonly entries: number | string;
  /** What the clock's time zone, written as it was read, and the capture of a row gave. */
  readonly written: string;
  readonly invoked: string;
}

export async function readPeer(channel: ByteChannel, settings: PeerSettings): Promise<PeerReading> {
  const peer = new Peer(channel, settings);
  try {
    return await peer.read();
  } finally {
    await peer.close();
  }
}

class Peer {
  readonly #pump: Pump<SessionCommand, SessionEvent>;
  readonly #events: SessionEvent[] = [];
  readonly #leniencies = new Set<string>();
  readonly #services: boolean;
  readonly #pushSetup: PeerSetup | undefined;
  #names: ShortNames | undefined;
  #wake: () => void = () => {};
  #ended: Error | undefined;

  constructor(channel: ByteChannel, settings: PeerSettings) {
    this.#services = settings.services === true;
    const { pushSetup: logicalName, pushSetupVersion: version = 0, portReference } = settings;
    this.#pushSetup = logicalName === undefined ? undefined : { logicalName, version, portReference };
    const session = new ClientSession({
      link: linkOf(settings),
      client: new ClientAssociation(clientSettings(settings)),
      budgetMs: 60_000,
    });
    this.#pump = new Pump(session, channel, {
      event: (event) => {
        this.#events.push(event);
        this.#wake();
      },
      closed: (cause) => {
        this.#ended = cause ?? new Error("the channel was closed");
        this.#wake();
      },
    });
    this.#pump.start();
  }

  async read(): Promise<PeerReading> {
    this.#pump.command({ type: "open" });
    await this.#await("opened");
    this.#pump.command({ type: "associate" });
    const { agreement } = await this.#await("associated");
    const objects = await this.#objects(agreement.conformance.has("read"));
    const clock = await this.#get(OBJECTS.clock, 2);
    const captureObjects = captureObjectsFromData(await this.#get(OBJECTS.loadProfile, 3));
    const buffer = await this.#get(OBJECTS.loadProfile, 2);
    const rows = buffer.type === "array" ? buffer.value.map(normaliseData) : [];
    const shortName = this.#names && (await this.#tryShortNames());
    const services = this.#services
      ? await tryServices((order) => this.#ask(order), SERVICE_OBJECTS, buffer.type === "array" ? buffer.value : [])
      : undefined;
    const setup = this.#pushSetup;
    const pushSetup = setup === undefined ? undefined : await trySetup((order) => this.#ask(order), setup);
    this.#pump.command({ type: "release" });
    const { answer } = await this.#await("released");
    this.#pump.command({ type: "close" });
    await this.#linkClosed();
    return {
      conformance: [...agreement.conformance],
      serverMaxReceivePduSize: agreement.serverMaxReceivePduSize,
      objects: objects.map((each) => `${each.classId}:${each.logicalName}`),
      clock: clock.type === "octet-string" ? formatDateTime(decodeDateTime(clock.value)) : clock.type,
      captureObjects: captureObjects.map(captureObjectKey),
      rowCount: rows.length,
      firstRow: rows[0],
      lastRow: rows.at(-1),
      leniencies: [...this.#leniencies],
      release: answer,
      ...(shortName && { shortName }),
      ...(services && { services }),
      ...(pushSetup && { pushSetup }),
    };
  }

  async #objects(byShortName: boolean): Promise<readonly { readonly classId: number; readonly logicalName: string }[]> {
    if (!byShortName) return objectListFromData(await this.#get(OBJECTS.association, 2));
    const response = await this.#service({ type: "read", variables: [{ variableName: SHORT_NAME_LIST }] });
    const result = response.type === "read" ? response.results[0] : undefined;
    if (result?.type !== "data") throw new Error(`the list of short names: ${JSON.stringify(response)}`);
    this.#names = ShortNames.fromObjectList(result.data);
    return this.#names.objects;
  }

  async #tryShortNames(): Promise<ShortNameReading> {
    const attributes = [reference(OBJECTS.clock, 2), reference(OBJECTS.loadProfile, 3)];
    const list = await this.#ask({ type: "getList", attributes });
    const access = entryAccess(1, 3);
    const entries = await this.#rowsOf({ type: "get", ...reference(OBJECTS.loadProfile, 2), access });
    const zone = await this.#get(OBJECTS.clock, 3);
    const written = await this.#ask({ type: "set", ...reference(OBJECTS.clock, 3), value: zone });
    const { classId, logicalName } = reference(OBJECTS.loadProfile, 1).attribute;
    const invoked = await this.#ask({ type: "action", method: { classId, logicalName, methodId: 2 } });
    return {
      list: list.type === "getList" ? list.results.map(resultText) : [],
      entries,
      written: written.type === "set" ? written.result : "no answer",
      invoked: invoked.type === "action" ? invoked.outcome.result : "no answer",
    };
  }

  async close(): Promise<void> {
    this.#pump.close();
    while (this.#ended === undefined) await this.#woken();
  }

  async #get(object: { readonly classId: number; readonly logicalName: string }, attributeId: number): Promise<Data> {
    const response = await this.#ask({ type: "get", ...reference(object, attributeId) });
    if (response.type !== "get" || response.result.type !== "data") {
      throw new Error(`attribute ${attributeId} of ${object.logicalName}: ${JSON.stringify(response)}`);
    }
    return response.result.data;
  }

  async #rowsOf(order: ServiceOrder): Promise<number | string> {
    try {
      const response = await this.#ask(order);
      return response.type === "get" ? rowCount(response.result) : response.type;
    } catch (error) {
      if (error instanceof DlmsError) return error.code;
      throw error;
    }
  }

  /** An order by logical name, put into short names where the peer has those. */
  async #ask(order: ServiceOrder): Promise<ServiceResponse> {
    if (this.#names === undefined) return this.#service(order);
    const { orders, responseOf } = inShortNames(order, this.#names);
    const responses: ServiceResponse[] = [];
    for (const each of orders) responses.push(await this.#service(each));
    return responseOf(responses);
  }

  async #service(order: ServiceOrder): Promise<ServiceResponse> {
    this.#pump.command(order);
    return (await this.#await("response")).response;
  }

  /** A peer that drops the connection instead of answering the DISC has closed the link as well. */
  async #linkClosed(): Promise<void> {
    try {
      await this.#await("closed");
    } catch (error) {
      if (error !== this.#ended) throw error;
    }
  }

  async #woken(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
  }

  /** The next event of this type; a failure in between is thrown, deviations are kept, the rest passes. */
  async #await<T extends SessionEvent["type"]>(type: T): Promise<Extract<SessionEvent, { readonly type: T }>> {
    for (;;) {
      const event = this.#events.shift();
      if (event === undefined) {
        if (this.#ended !== undefined) throw this.#ended;
        await this.#woken();
        continue;
      }
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- The type was compared.
      if (event.type === type) return event as Extract<SessionEvent, { readonly type: T }>;
      if (event.type === "failed") throw event.failure.error;
      if (event.type === "leniency") this.#leniencies.add(event.name);
    }
  }
}

function reference(
  object: { readonly classId: number; readonly logicalName: string },
  attributeId: number,
): AttributeReference {
  const logicalName = logicalNameToOctets(object.logicalName);
  return { attribute: { classId: object.classId, logicalName, attributeId }, access: undefined };
}

function resultText(result: DataResult): string {
  return result.type === "data" ? result.data.type : result.dataAccessResult;
}

function rowCount(result: DataResult): number | string {
  return result.type === "data" && result.data.type === "array" ? result.data.value.length : resultText(result);
}

const SERVICE_OBJECTS = {
  clock: reference(OBJECTS.clock, 2),
  clockZone: reference(OBJECTS.clock, 3),
  captureObjects: reference(OBJECTS.loadProfile, 3),
  buffer: reference(OBJECTS.loadProfile, 2),
  text: reference(OBJECTS.text, 2),
};
