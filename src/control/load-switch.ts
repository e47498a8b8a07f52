/** The load switch (class 70): disconnect and reconnect. Success of the order says only that the meter has taken it. */
import type { Data } from "../../protocol/axdr/data.ts";
import { integerOf } from "../../protocol/cosem/integers.ts";
import { logicalNameToOctets } from "../../protocol/cosem/obis.ts";
import type { MeterQuirk } from "../../protocol/quirks.ts";
import { attributeOf } from "../collect/read/layout-reader.ts";
import { AccessRefusedError } from "../collect/session/access-refused.ts";
import { negotiated } from "../push/setups/setup-execution.ts";
import type { Judgement, OrderConnection, OrderKind } from "./order-execution.ts";

/** Undefined where the meter does not show it. */
interface SwitchState {
  /** Whether the load has power. */
  readonly output: boolean | undefined;
  readonly control: ControlState | undefined;
  readonly mode: number | undefined;
}

const DISCONNECT_CONTROL = 70;
const METHODS = { disconnect: 1, reconnect: 2 } as const;
const CONTROL_STATES = ["disconnected", "connected", "ready for reconnection"] as const;
type ControlState = (typeof CONTROL_STATES)[number];

/** What a control mode lets a remote order do; those that are not here let it do both. */
const MODES: Readonly<Record<number, string>> = {
  0: "the load is always connected, and no remote order moves it",
  1: "a remote reconnection only makes ready: the switch is closed at the meter",
  3: "a remote reconnection only makes ready: the switch is closed at the meter",
  5: "a remote reconnection only makes ready: the switch is closed at the meter",
  6: "a remote reconnection only makes ready: the switch is closed at the meter",
};
/** A relay with its motor and the logic before it. */
const PATIENCE_MS = 30_000;
/** Of an order that is a method. */
export const NOT_AGREED = "the association has not agreed on methods";

export function switchOrder(
  type: keyof typeof METHODS,
  { logicalName, quirks }: { readonly logicalName: string; readonly quirks: ReadonlySet<MeterQuirk> },
): OrderKind<SwitchState> {
  return {
    look: (connection) => look(connection, logicalName),
    give: async (connection, { mode }) => {
      const parameter: Data | undefined = quirks.has("switched-without-parameter")
        ? undefined
        : { type: "integer", value: 0 };
      const method = {
        classId: DISCONNECT_CONTROL,
        logicalName: logicalNameToOctets(logicalName),
        methodId: METHODS[type],
      };
      const given = await negotiated(() => connection.action(method, parameter), { result: NOT_AGREED });
      return given.result === "success" ? undefined : withMode(given.result, mode);
    },
    judge: (state) => judge(type, state),
    shown: ({ output = null, control = null, mode = null }) => ({ output, control, mode }),
    patienceMs: PATIENCE_MS,
  };
}

async function look(connection: OrderConnection, logicalName: string): Promise<SwitchState> {
  const references = [2, 3, 4].map((attributeId) => {
    return attributeOf({ classId: DISCONNECT_CONTROL, logicalName, attributeId });
  });
  const [output, control, mode] = await connection.getList(references);
  const [, reference] = references;
  const shows = [output, control].some((result) => result?.type === "data");
  // Without either, nobody could say what has come of an order.
  if (!shows && reference !== undefined && control?.type === "data-access-result") {
    throw new AccessRefusedError(reference, control.dataAccessResult);
  }
  const number = mode?.type === "data" ? integerOf(mode.data) : undefined;
  const state = control?.type === "data" ? integerOf(control.data) : undefined;
  return {
    output: output?.type === "data" && output.data.type === "boolean" ? output.data.value : undefined,
    control: state === undefined ? undefined : CONTROL_STATES[state],
    mode: number,
  };
}

/** The logic may be ahead of the relay, and the output may be shown by neither. */
function judge(type: keyof typeof METHODS, { output, control, mode }: SwitchState): Judgement {
  if (type === "disconnect") {
    const isOff = (control ?? "disconnected") === "disconnected" && output !== true;
    return isOff ? { state: "done" } : { state: "differs", evidence: withMode("the load still has power", mode) };
  }
  if (control === "ready for reconnection")
    return { state: "ready", evidence: mode === undefined ? undefined : `control mode ${mode}` };
  const isOn = (control ?? "connected") === "connected" && output !== false;
  return isOn ? { state: "done" } : { state: "differs", evidence: withMode("the load still has no power", mode) };
}

function withMode(says: string, mode: number | undefined): string {
  const lets = mode === undefined ? undefined : MODES[mode];
  return lets === undefined ? says : `${says}; control mode ${mode}: ${lets}`;
}
