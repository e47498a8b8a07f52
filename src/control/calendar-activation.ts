/** The passive calendar of an Activity calendar (class 20) put in force: its method, for meters that take no time for it. */
import type { Data } from "../../protocol/axdr/data.ts";
import { logicalNameToOctets } from "../../protocol/cosem/obis.ts";
import { readable, saysTheSame } from "../../protocol/cosem/plain-value.ts";
import { attributeOf } from "../collect/read/layout-reader.ts";
import { AccessRefusedError } from "../collect/session/access-refused.ts";
import { negotiated } from "../push/setups/setup-execution.ts";
import { NOT_AGREED } from "./load-switch.ts";
import type { OrderConnection, OrderKind } from "./order-execution.ts";

/** Name, seasons, weeks and days of each. */
interface Calendars {
  readonly active: readonly Data[];
  readonly passive: readonly Data[];
}

const ACTIVITY_CALENDAR = 20;
const ACTIVATE_PASSIVE_CALENDAR = 1;
const ACTIVE = [2, 3, 4, 5] as const;
/** Each four numbers behind its active counterpart. */
const PASSIVE = [6, 7, 8, 9] as const;

export function calendarOrder(logicalName: string): OrderKind<Calendars> {
  /** What was passive when the order was given: some meters have nothing there afterwards. */
  let ordered: readonly Data[] | undefined;
  return {
    look: (connection) => look(connection, logicalName),
    give: async (connection, { passive }) => {
      ordered = passive;
      const method = {
        classId: ACTIVITY_CALENDAR,
        logicalName: logicalNameToOctets(logicalName),
        methodId: ACTIVATE_PASSIVE_CALENDAR,
      };
      const given = await negotiated(() => connection.action(method, { type: "integer", value: 0 }), {
        result: NOT_AGREED,
      });
      return given.result === "success" ? undefined : given.result;
    },
    judge: ({ active, passive }) => {
      const wanted = ordered ?? passive;
      const isInForce = active.every((part, index) => {
        const other = wanted[index];
        return other !== undefined && saysTheSame(part, other);
      });
      return isInForce ? { state: "done" } : { state: "differs", evidence: "the active calendar is another one" };
    },
    shown: ({ active, passive }) => ({ active: active.map(readable), passive: passive.map(readable) }),
    patienceMs: 0,
  };
}

async function look(connection: OrderConnection, logicalName: string): Promise<Calendars> {
  const references = [...ACTIVE, ...PASSIVE].map((attributeId) =>
    attributeOf({ classId: ACTIVITY_CALENDAR, logicalName, attributeId }),
  );
  const results = await connection.getList(references);
  const values = references.map((reference, index) => {
    const result = results[index];
    if (result?.type === "data") return result.data;
    throw new AccessRefusedError(reference, result?.dataAccessResult ?? "other-reason");
  });
  return { active: values.slice(0, ACTIVE.length), passive: values.slice(ACTIVE.length) };
}
