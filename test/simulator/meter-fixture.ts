import type { AssociationView } from "../../protocol/association/server/object-server.ts";
import type { Data } from "../../protocol/axdr/data.ts";
import {
  type CaptureObject,
  captureObjectsFromData,
  captureObjectToData,
} from "../../protocol/cosem/capture-object.ts";
import { logicalNameToOctets } from "../../protocol/cosem/obis.ts";
import type { MeterDescription } from "../../src/simulator/description.ts";
import { dsmrIdentity, idisIdentity, indianIdentity, seededSecrets } from "../../src/simulator/meter-identity.ts";
import { dsmr } from "../../src/simulator/models/dsmr.ts";
import { idis } from "../../src/simulator/models/idis.ts";
import { STAMPS } from "../../src/simulator/models/is15959.ts";
import { is15959D1 } from "../../src/simulator/models/is15959-d1.ts";
import { is15959D2 } from "../../src/simulator/models/is15959-d2.ts";
import { is15959D3 } from "../../src/simulator/models/is15959-d3.ts";
import { type MeterMemory, VirtualMeter } from "../../src/simulator/virtual-meter.ts";

/** 2026-07-15 10:47:12 in Kolkata. */
export const NOW = Date.UTC(2026, 6, 15, 5, 17, 12);

const indian = {
  identity: indianIdentity(1017),
  security: { ciphered: true, meterReader: "encrypted", utilitySetting: "hls" },
  stamps: STAMPS.standard,
  capturePeriodS: 1800,
} as const;
const european = { mechanism: "hls-gmac", protection: "authenticated-encrypted" } as const;

export const DESCRIPTIONS = {
  d1: is15959D1({ ...indian, energyScaler: 0, solar: true, amended: true }),
  d1Tens: is15959D1({ ...indian, energyScaler: 1, solar: false, amended: false }),
  d2: is15959D2({ ...indian, capturePeriodS: 900, solar: true }),
  d3: is15959D3({ ...indian, solar: false }),
  idis: idis({ identity: idisIdentity(16_000_000), security: european, timeZone: "Europe/Vienna" }),
  dsmr: dsmr({ identity: dsmrIdentity(7_000_001), security: european }),
} as const satisfies Record<string, MeterDescription>;
export type Model = keyof typeof DESCRIPTIONS;
export const MODELS = ["d1", "d1Tens", "d2", "d3", "idis", "dsmr"] as const satisfies readonly Model[];

/** A meter with a clock that stands still until it is moved, read without a wire. */
export class BenchMeter {
  nowMs = NOW;
  readonly meter: VirtualMeter;
  readonly pushed: string[] = [];

  constructor(description: MeterDescription, seed = 42, memory?: MeterMemory) {
    this.meter = new VirtualMeter({
      description,
      identity: indianIdentity(1017),
      secrets: seededSecrets(seed),
      seed,
      clock: () => this.nowMs,
      randomOctets: (length) => Uint8Array.from({ length }, (_, index) => index + 1),
      firstInvocationCounter: 1,
      push: (logicalName) => this.pushed.push(logicalName),
      ...(memory && { memory }),
    });
  }

  view(clientSap: number): AssociationView {
    const rule = this.meter.security.ruleFor(clientSap);
    if (rule === undefined) throw new Error(`no association for client ${clientSap}`);
    return {
      rule,
      clientSap,
      serverSap: 1,
      applicationContext: "logical-name",
      conformance: rule.conformance,
      maxSendPduSize: 0,
      maxReceivePduSize: 1024,
      clientSystemTitle: undefined,
      pending: false,
    };
  }

  /** The client with the most rights. */
  get manager(): AssociationView {
    return this.view(this.meter.description.associations.find(({ access }) => access.write)?.clientSap ?? 1);
  }

  result(classId: number, name: string, attributeId = 2, access?: { selector: number; parameters: Data }) {
    const attribute = { classId, logicalName: logicalNameToOctets(name), attributeId };
    return this.meter.objects.get(access === undefined ? { attribute } : { attribute, access }, this.manager);
  }

  read(classId: number, name: string, attributeId = 2, access?: { selector: number; parameters: Data }): Data {
    const result = this.result(classId, name, attributeId, access);
    if (result.type === "data") return result.data;
    throw new Error(`${name}/${attributeId}: ${result.dataAccessResult}`);
  }

  write(classId: number, name: string, attributeId: number, value: Data): string {
    const attribute = { classId, logicalName: logicalNameToOctets(name), attributeId };
    return this.meter.objects.set({ attribute }, value, this.manager);
  }

  invoke(classId: number, name: string, methodId: number, parameters?: Data): string {
    const method = { classId, logicalName: logicalNameToOctets(name), methodId };
    return this.meter.objects.action(method, parameters, this.manager).result;
  }

  columns(profile: string): CaptureObject[] {
    return captureObjectsFromData(this.read(7, profile, 3));
  }

  rows(profile: string, access?: { selector: number; parameters: Data }): (readonly Data[])[] {
    const buffer = this.read(7, profile, 2, access);
    if (buffer.type !== "array") throw new Error(`a buffer of type ${buffer.type}`);
    return buffer.value.map((row) => {
      if (row.type !== "structure") throw new Error(`a row of type ${row.type}`);
      return row.value;
    });
  }

  /** One column of all rows as numbers. */
  column(profile: string, logicalName: string, rows = this.rows(profile)): number[] {
    const index = this.columns(profile).findIndex((column) => column.logicalName === logicalName);
    return rows.map((row) => numberOf(row[index]));
  }
}

export function numberOf(data: Data | undefined): number {
  if (data !== undefined && "value" in data && typeof data.value === "number") return data.value;
  throw new Error(`no number but ${data?.type}`);
}

export function stampOf(data: Data | undefined): Uint8Array {
  if (data?.type === "octet-string") return data.value;
  throw new Error(`no stamp but ${data?.type}`);
}

export function rangeAccess(from: Uint8Array, to: Uint8Array, columns: readonly CaptureObject[] = []) {
  const clock = { classId: 8, logicalName: "0.0.1.0.0.255", attributeId: 2, dataIndex: 0 };
  const parameters: Data = {
    type: "structure",
    value: [
      captureObjectToData(clock),
      { type: "octet-string", value: from },
      { type: "octet-string", value: to },
      { type: "array", value: columns.map(captureObjectToData) },
    ],
  };
  return { selector: 1, parameters };
}

export function entryAccess(from: number, to: number, fromColumn = 1, toColumn = 0) {
  const parameters: Data = {
    type: "structure",
    value: [
      { type: "double-long-unsigned", value: from },
      { type: "double-long-unsigned", value: to },
      { type: "long-unsigned", value: fromColumn },
      { type: "long-unsigned", value: toColumn },
    ],
  };
  return { selector: 2, parameters };
}
