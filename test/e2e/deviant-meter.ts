/** A small meter over a socket that does what the standard wants, but for what a test changes on the way. */
import { Pump } from "../../drivers/pump.ts";
import { TcpListener } from "../../drivers/tcp/listener.ts";
import type { ActionOutcome } from "../../protocol/apdu/action.ts";
import type { AttributeReference, DataResult, MethodDescriptor } from "../../protocol/apdu/descriptors.ts";
import type { DataAccessResult } from "../../protocol/apdu/result-codes.ts";
import type { AssociationRule } from "../../protocol/association/server/association-rule.ts";
import type { ObjectServer } from "../../protocol/association/server/object-server.ts";
import { AssociationServer } from "../../protocol/association/server/server.ts";
import type { Data } from "../../protocol/axdr/data.ts";
import { conformanceFromNumber } from "../../protocol/ber/conformance.ts";
import { type CaptureObject, captureObjectsToData } from "../../protocol/cosem/capture-object.ts";
import { logicalNameFromOctets } from "../../protocol/cosem/obis.ts";
import type { Link } from "../../protocol/link/link.ts";
import { type LinkHooks, ServedLink } from "../protocol/association/served-link.ts";
import { OPEN_RULE, SERVER_CHALLENGE } from "../protocol/association/server-fixture.ts";

export interface Deviations extends LinkHooks {
  readonly link: () => Link;
  readonly rule?: Partial<AssociationRule>;
  readonly objects?: MeterHabits;
}

export interface MeterHabits {
  /** Answers before the objects do; what it leaves open they answer. */
  readonly own?: {
    readonly get: (reference: AttributeReference) => DataResult | undefined;
    readonly set: (reference: AttributeReference, value: Data) => DataAccessResult | undefined;
    readonly action: (method: MethodDescriptor, parameters: Data | undefined) => ActionOutcome | undefined;
  };
  /** Stamp of a row, as the meter writes it. */
  readonly stamp?: (instantMs: number) => Data;
  readonly capturePeriodS?: number;
  /** Rows of the buffer that are asked for by an access; the whole buffer comes without. */
  readonly select?: (access: NonNullable<AttributeReference["access"]>, rows: readonly Data[]) => DataResult;
}

export const START_MS = Date.UTC(2026, 6, 1);
export const PERIOD_MS = 900_000;
const ROWS = 40;
const PROFILE = "1.0.99.1.0.255";
const COLUMNS: readonly CaptureObject[] = [
  { classId: 8, logicalName: "0.0.1.0.0.255", attributeId: 2, dataIndex: 0 },
  { classId: 3, logicalName: "1.0.1.8.0.255", attributeId: 2, dataIndex: 0 },
];
const EVERYTHING = conformanceFromNumber(0x60_fe_1f);

/** Octets 07E7… of an instant in UTC, without a deviation. */
export function utcStamp(instantMs: number, tail: readonly number[] = [0, 0, 0, 0]): Data {
  const at = new Date(instantMs);
  const year = at.getUTCFullYear();
  const date = [year >> 8, year & 0xff, at.getUTCMonth() + 1, at.getUTCDate(), 0xff];
  const time = [at.getUTCHours(), at.getUTCMinutes(), at.getUTCSeconds()];
  return { type: "octet-string", value: Uint8Array.of(...date, ...time, ...tail) };
}

/** Serves a load profile, a text that may be written, and the counter of the client. */
class DeviantObjects implements ObjectServer {
  readonly asked: string[] = [];
  readonly #habits: MeterHabits;
  readonly #rows: readonly Data[];
  #text: Data = { type: "octet-string", value: Uint8Array.of(1) };

  constructor(habits: MeterHabits, asked: string[]) {
    const { stamp = utcStamp } = habits;
    this.#habits = habits;
    this.asked = asked;
    this.#rows = Array.from({ length: ROWS }, (_, index) => ({
      type: "structure",
      value: [stamp(START_MS + index * PERIOD_MS), { type: "double-long-unsigned", value: index }],
    }));
  }

  get: ObjectServer["get"] = (reference) => {
    const { attribute, access } = reference;
    const own = this.#habits.own?.get(reference);
    if (own !== undefined) return own;
    const key = `${logicalNameFromOctets(attribute.logicalName)}:${attribute.attributeId}`;
    if (key === `${PROFILE}:2`) return this.#buffer(access);
    const data = this.#values().get(key);
    return data === undefined
      ? { type: "data-access-result", dataAccessResult: "object-undefined" }
      : { type: "data", data };
  };

  set: ObjectServer["set"] = (reference, value) => {
    const own = this.#habits.own?.set(reference, value);
    if (own !== undefined) return own;
    this.#text = structuredClone(value);
    return "success";
  };

  action: ObjectServer["action"] = (method, parameters) => {
    return this.#habits.own?.action(method, parameters) ?? { result: "success" };
  };

  #buffer(access: AttributeReference["access"]): DataResult {
    this.asked.push(access === undefined ? "whole" : access.selector === 1 ? "range" : "entries");
    const { select } = this.#habits;
    if (access !== undefined && select !== undefined) return select(access, this.#rows);
    return { type: "data", data: { type: "array", value: this.#rows } };
  }

  #values(): ReadonlyMap<string, Data> {
    const { capturePeriodS = PERIOD_MS / 1000 } = this.#habits;
    return new Map<string, Data>([
      [`${PROFILE}:3`, captureObjectsToData(COLUMNS)],
      [`${PROFILE}:4`, { type: "double-long-unsigned", value: capturePeriodS }],
      [`${PROFILE}:5`, { type: "enum", value: 1 }],
      [`${PROFILE}:7`, { type: "double-long-unsigned", value: ROWS }],
      [`${PROFILE}:8`, { type: "double-long-unsigned", value: ROWS }],
      ["0.0.96.1.0.255:2", this.#text],
      ["0.0.43.1.0.255:2", { type: "double-long-unsigned", value: 0 }],
    ]);
  }
}

/** Listens on a free port of the loopback. `asked` hears in which way the buffer is asked for. */
export function listenDeviant(deviations: Deviations, asked: string[]): Promise<TcpListener> {
  const { rule, objects = {} } = deviations;
  const full: AssociationRule = { ...OPEN_RULE, conformance: EVERYTHING, ...rule };
  // The counter is read by the public client, whatever the association of the others is.
  const open: AssociationRule = { ...OPEN_RULE, conformance: EVERYTHING };
  return TcpListener.listen({ host: "127.0.0.1", port: 0 }, (channel) => {
    const served = new DeviantObjects(objects, asked);
    const machine = new ServedLink(
      deviations.link(),
      (clientSap) =>
        new AssociationServer({
          clientSap,
          serverSap: 1,
          rule: () => (clientSap === PUBLIC ? open : full),
          objects: served,
          randomOctets: (length) => SERVER_CHALLENGE.subarray(0, length),
        }),
      deviations,
    );
    new Pump(machine, channel, { event: () => {}, closed: () => {} }, { ended: { type: "channelEnded" } }).start();
  });
}

const PUBLIC = 16;
/** The client that the deviations are for. */
export const CLIENT = 32;
