/** A push setup of the peer: compared with a wanted one, written, read back, found in order, and put back as it was. */
import type { ServiceOrder, ServiceResponse } from "../../protocol/association/client/client-events.ts";
import { pushSetupSchema } from "../../src/config/push-schema.ts";
import { changeOf, type Difference, executeSetup, type SetupConnection, undo } from "../../src/push/setups/setup-execution.ts";
import { wishesOf } from "../../src/push/setups/setup-wishes.ts";

export interface SetupReading {
  /** What differs before anything is written. */
  readonly differs: readonly SetupChange[];
  /** What came of writing it. */
  readonly applied: string;
  /** What comparing says then, and what putting back came to. */
  readonly again: string;
  readonly back: string;
}

interface SetupChange {
  readonly attribute: string;
  readonly before: unknown;
  readonly after: unknown;
}

type Ask = (order: ServiceOrder) => Promise<ServiceResponse>;

export async function trySetup(ask: Ask, logicalName: string): Promise<SetupReading> {
  const setup = pushSetupSchema.parse({
    name: "recorded",
    logicalName,
    objects: ["8:0.0.1.0.0.255:2", `40:${logicalName}:1`, "1:0.0.42.0.0.255:2"],
    destination: "127.0.0.1:4059",
    retries: 4,
    repetitionDelay: "45s",
    randomisation: "30s",
    window: [{ from: "01:00", to: "05:00" }],
  });
  const connection = connectionOver(ask);
  const wishes = wishesOf(setup, 0);
  const shown = await executeSetup(connection, wishes, { dryRun: true, differences: [] });
  const differences: Difference[] = [];
  const applied = await executeSetup(connection, wishes, { dryRun: false, differences });
  const again = await executeSetup(connection, wishes, { dryRun: true, differences: [] });
  return {
    differs: shown.differences.map(changeOf).map(({ attribute, before, after }) => ({ attribute, before, after })),
    applied: [applied.state, applied.evidence].filter((each) => each !== undefined).join(": "),
    again: again.state,
    back: await undo(connection, differences),
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
