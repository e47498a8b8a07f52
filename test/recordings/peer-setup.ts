/** A push setup of the peer: compared with a wanted one, written, read back, found in order, and put back as it was. */
import type { ServiceOrder, ServiceResponse } from "../../protocol/association/client/client-events.ts";
import { pushSetupSchema } from "../../src/config/push-schema.ts";
import {
  changeOf,
  type Difference,
  executeSetup,
  orderPush,
  type SetupConnection,
  setupVersion,
  undo,
} from "../../src/push/setups/setup-execution.ts";
import { wishesOf } from "../../src/push/setups/setup-wishes.ts";

export interface SetupReading {
  /** What differs before anything is written. */
  readonly differs: readonly SetupChange[];
  /** What came of writing it. */
  readonly applied: string;
  /** What comparing says then, and what putting back came to. */
  readonly again: string;
  readonly back: string;
  /** Of a setup whose version was asked for: that, and what came of ordering a push. */
  readonly version?: number;
  readonly pushed?: string;
}

/** Version 0 is that of a setup of which nobody asks. */
export interface PeerSetup {
  readonly logicalName: string;
  readonly version: number;
  /** Of the wrapper's ports, where the peer has that object. */
  readonly portReference?: string | undefined;
}

interface SetupChange {
  readonly attribute: string;
  readonly before: unknown;
  readonly after: unknown;
}

type Ask = (order: ServiceOrder) => Promise<ServiceResponse>;

/** What a setup says by its version. */
const OF_VERSION = [
  { repetitionDelay: "45s" },
  { repetitionDelay: "45s" },
  { repetition: { least: "30s", exponent: 150, most: "10m" }, operation: "confirmed" },
];

export async function trySetup(
  ask: Ask,
  { logicalName, version: expected, portReference }: PeerSetup,
): Promise<SetupReading> {
  const connection = connectionOver(ask);
  const version = expected === 0 ? 0 : await setupVersion(connection, logicalName);
  const setup = pushSetupSchema.parse({
    ...OF_VERSION[expected],
    ...(portReference !== undefined && { portReference }),
    name: "recorded",
    logicalName,
    objects: ["8:0.0.1.0.0.255:2", `40:${logicalName}:1`, "1:0.0.42.0.0.255:2"],
    destination: "127.0.0.1:4059",
    retries: 4,
    randomisation: "30s",
    window: [{ from: "01:00", to: "05:00" }],
  });
  const wishes = wishesOf(setup, version);
  const shown = await executeSetup(connection, wishes, { dryRun: true, differences: [] });
  const differences: Difference[] = [];
  const applied = await executeSetup(connection, wishes, { dryRun: false, differences });
  const again = await executeSetup(connection, wishes, { dryRun: true, differences: [] });
  const told = expected === 0 ? {} : { version, pushed: await orderPush(connection, logicalName) };
  return {
    differs: shown.differences.map(changeOf).map(({ attribute, before, after }) => ({ attribute, before, after })),
    applied: [applied.state, applied.evidence].filter((each) => each !== undefined).join(": "),
    again: again.state,
    back: await undo(connection, differences),
    ...told,
  };
}

function connectionOver(ask: Ask): SetupConnection {
  return {
    async get(reference) {
      const response = await ask({ type: "get", ...reference });
      if (response.type !== "get") throw new Error(`an answer to get: ${response.type}`);
      return response.result;
    },
    async set(reference, value) {
      const response = await ask({ type: "set", ...reference, value });
      if (response.type !== "set") throw new Error(`an answer to set: ${response.type}`);
      return response.result;
    },
    async action(method, parameters) {
      const response = await ask({ type: "action", method, ...(parameters && { parameters }) });
      if (response.type !== "action") throw new Error(`an answer to action: ${response.type}`);
      return response.outcome;
    },
  };
}
