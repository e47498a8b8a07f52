/** A meter with push setups, and campaigns over such. */
import type { AttributeReference, DataResult } from "../../../protocol/apdu/descriptors.ts";
import type { Data } from "../../../protocol/axdr/data.ts";
import { logicalNameFromOctets, logicalNameToOctets } from "../../../protocol/cosem/obis.ts";
import { pushExecutionSchema, pushSetupSchema } from "../../../src/config/push-schema.ts";
import type { GatewayEvent } from "../../../src/observe/events.ts";
import { type CampaignOrder, type CampaignResult, SetupCampaigns } from "../../../src/push/setups/setup-campaign.ts";
import { SetupDrift } from "../../../src/push/setups/setup-drift.ts";
import type { SetupConnection } from "../../../src/push/setups/setup-execution.ts";
import { SetupRepairs } from "../../../src/push/setups/setup-repairs.ts";
import type { SetupRecord } from "../../../src/store/push/push-setup-history.ts";
import type { NoticedEvent } from "../../../src/store/records/noticed-events.ts";

export const SETUP = "0.0.25.9.0.255";
export const SCHEDULE = "0.0.15.0.4.255";
export const SCRIPTS = "0.0.10.0.108.255";
export const PORT = "0.0.25.0.0.255";

export const unsigned = (value: number): Data => ({ type: "unsigned", value });
const long = (value: number): Data => ({ type: "long-unsigned", value });
const octets = (text: string): Data => ({ type: "octet-string", value: new TextEncoder().encode(text) });
const name = (text: string): Data => ({ type: "octet-string", value: logicalNameToOctets(text) });
const structure = (...value: Data[]): Data => ({ type: "structure", value });
const array = (...value: Data[]): Data => ({ type: "array", value });
const enumerated = (value: number): Data => ({ type: "enum", value });

/** A meter with a push setup of version 2, its schedule, script table and port. */
export class SetupMeter implements SetupConnection {
  readonly values = new Map<string, Data>([
    [`40:${SETUP}:2`, array()],
    [`40:${SETUP}:3`, structure(enumerated(0), octets("192.0.2.1:4059"), enumerated(0))],
    [`40:${SETUP}:4`, array()],
    [`40:${SETUP}:5`, long(0)],
    [`40:${SETUP}:6`, unsigned(1)],
    [`40:${SETUP}:7`, structure(long(10), long(100), long(10))],
    [`40:${SETUP}:8`, name("0.0.0.0.0.0")],
    [`40:${SETUP}:10`, array()],
    [`40:${SETUP}:11`, enumerated(0)],
    [`40:${SETUP}:12`, structure(octets("            "), { type: "double-long-unsigned", value: 0 })],
    [`9:${SCRIPTS}:2`, array(structure(long(1), array()), structure(long(2), array(structure(enumerated(1)))))],
    [`22:${SCHEDULE}:2`, structure(name(SCRIPTS), long(2))],
    [`22:${SCHEDULE}:3`, enumerated(1)],
    [`22:${SCHEDULE}:4`, array(structure({ type: "octet-string", value: Uint8Array.of(0, 0, 0, 0) }, octets("     ")))],
    [`41:${PORT}:2`, long(4059)],
  ]);
  readonly written: string[] = [];
  readonly refused = new Set<string>();
  /** Number of the write at which the line is cut. */
  cutAt = Infinity;
  pushed = 0;

  async get({ attribute }: AttributeReference): Promise<DataResult> {
    const data = this.values.get(keyOf(attribute));
    return data === undefined
      ? { type: "data-access-result", dataAccessResult: "object-undefined" }
      : { type: "data", data };
  }

  async set({ attribute }: AttributeReference, value: Data): Promise<string> {
    const key = keyOf(attribute);
    if (this.written.length >= this.cutAt) {
      this.cutAt = Infinity;
      throw new Error("the line is cut");
    }
    if (this.refused.has(key)) return "read-write-denied";
    this.written.push(key);
    this.values.set(key, value);
    return "success";
  }

  async action() {
    this.pushed += 1;
    return { result: "success", data: undefined } as never;
  }
}

function keyOf({ classId, logicalName, attributeId }: AttributeReference["attribute"]): string {
  return `${classId}:${logicalNameFromOctets(logicalName)}:${attributeId}`;
}

export const EVERYTHING = pushSetupSchema.parse({
  name: "all",
  logicalName: SETUP,
  objects: ["8:0.0.1.0.0.255:2"],
  attributes: [{ attribute: `41:${PORT}:2`, value: 4060 }],
  destination: "192.0.2.9:4059",
  window: [{ from: "01:00", to: "05:00" }],
  randomisation: "30s",
  retries: 3,
  repetition: { least: "30s", exponent: 150, most: "10m" },
  portReference: PORT,
  operation: "confirmed",
  confirmation: { interval: "1d" },
  schedule: { logicalName: SCHEDULE, at: ["*:00", "*:30"], script: { logicalName: SCRIPTS, selector: 1 } },
  test: false,
});

interface Options {
  readonly setup?: Partial<typeof EVERYTHING>;
  readonly execution?: Record<string, unknown>;
  readonly meters?: readonly SetupMeter[];
  readonly visit?: (meter: SetupMeter) => Promise<void>;
  /** Whether ordered pushes arrive. */
  readonly arrives?: boolean;
  /** Of meters that call in: when each may be visited. */
  readonly nextCall?: () => Promise<void> | undefined;
}

export function campaigns({
  setup,
  execution = {},
  meters = [new SetupMeter()],
  visit,
  arrives = true,
  nextCall = () => undefined,
}: Options = {}) {
  const kept: SetupRecord[] = [];
  const told: string[] = [];
  const events = (event: GatewayEvent) => told.push(event.event);
  const noticed = { add: ({ event }: NoticedEvent) => told.push(`${event.kind} ${event.condition}`) };
  const setups = [{ ...EVERYTHING, ...setup }];
  const keep = async (record: SetupRecord, key = BigInt(kept.length)) => {
    kept[Number(key)] = record;
    return key;
  };
  const repairs = new SetupRepairs<SetupConnection>(
    { setups: () => setups, keep, relearn: async () => undefined, events },
    [],
  );
  const running = new SetupCampaigns({
    config: () => ({ setups, execution: pushExecutionSchema.parse({ perMinute: 6000, ...execution }) }),
    meters: (only) =>
      meters
        .map((meter, index) => ({
          meterId: `id-${index}`,
          name: `m${index}`,
          companion: "idis",
          nextCall,
          visit: async <T>(work: (connection: SetupConnection) => Promise<T>) => {
            await visit?.(meter);
            return await work(meter);
          },
          relearn: async () => undefined,
        }))
        .filter(({ name }) => (only ?? name) === name),
    arrivals: { wait: async () => arrives },
    keep,
    drift: new SetupDrift({ noticed, events }),
    repairs,
    events,
  });
  return { running, kept, told, repairs };
}

export async function run(running: SetupCampaigns<SetupConnection>, order: CampaignOrder): Promise<CampaignResult[]> {
  const results: CampaignResult[] = [];
  for await (const line of running.follow(order)) if (line.line === "result") results.push(line);
  return results;
}

export const order = { dryRun: false, who: "somebody", why: "a test" };
