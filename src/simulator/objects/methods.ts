/** What the methods of virtual objects do, by class. The others that a class has are refused. */
import { integerOf } from "../../../protocol/cosem/integers.ts";
import type { ObjectDescription } from "../description.ts";
import type { MeterModel } from "../meter-model.ts";
import type { VirtualMethod } from "./described-object.ts";
import { ImageTransfer } from "./image-transfer.ts";
import { deleteEntry, insertEntry, nextDemandPeriod, resetRegister } from "./register-methods.ts";
import { outcome } from "./virtual-object.ts";

/** What methods may reach. */
export interface MethodHost {
  readonly model: MeterModel;
  /** Has the meter send the push of a push setup. */
  readonly push: (logicalName: string) => void;
}

type ClassMethods = Readonly<Record<number, (host: MethodHost, object: ObjectDescription) => VirtualMethod>>;

const MINUTE_MS = 60_000;
const SHIFT_LIMIT_S = 900;
const MDI_RESET_SCRIPTS = "0.0.10.0.1.255";
const DISCONNECT_SCRIPTS = "0.0.10.0.106.255";
const PUSH_SCRIPTS = "0.0.10.0.108.255";
const INSTANT_PUSH = "0.0.25.9.0.255";

const METHODS: Readonly<Record<number, ClassMethods>> = {
  3: { 1: ({ model }, object) => resetRegister(model, object) },
  4: { 1: ({ model }, object) => resetRegister(model, object, [2], 5) },
  5: {
    1: ({ model }, object) => resetRegister(model, object, [2, 3], 6),
    2: ({ model }, object) => nextDemandPeriod(model, object),
  },
  6: {
    2: ({ model }, object) => insertEntry(model, object, 3),
    3: ({ model }, object) => deleteEntry(model, object, 3),
  },
  8: {
    1: ({ model }) => adjustTo(model, 15 * MINUTE_MS),
    2: ({ model }) => adjustTo(model, model.capturePeriodMs),
    3: ({ model }) => adjustTo(model, MINUTE_MS),
    6: ({ model }) => shiftTime(model),
  },
  11: {
    1: ({ model }, object) => insertEntry(model, object, 2),
    2: ({ model }, object) => deleteEntry(model, object, 2),
  },
  9: { 1: (host, object) => runScript(host, object.logicalName) },
  20: { 1: ({ model }, object) => activateCalendar(model, object) },
  40: { 1: (host, object) => pushNow(host, object.logicalName) },
  70: { 1: ({ model }) => switchLoad(model, false), 2: ({ model }) => switchLoad(model, true) },
};

const IMAGE_TRANSFER = 18;

/** The methods of an object that do something, by number. */
export function methodsOf(object: ObjectDescription, host: MethodHost): ReadonlyMap<number, VirtualMethod> {
  if (object.classId === IMAGE_TRANSFER) {
    const methods = Object.entries(new ImageTransfer(host.model, object).methods());
    return new Map(methods.map(([id, method]) => [Number(id), method]));
  }
  const methods = Object.entries(METHODS[object.classId] ?? {});
  return new Map(methods.map(([id, method]) => [Number(id), method(host, object)]));
}

/** Sets the clock to the nearest end of a period. */
function adjustTo(model: MeterModel, periodMs: number): VirtualMethod {
  return (_parameters, { moment }) => {
    const before = model.calendar.periodEnd(moment.atMs, periodMs);
    const nearest = moment.atMs - before < periodMs / 2 ? before : before + periodMs;
    model.state.clockOffsetMs += nearest - moment.atMs;
    return outcome("success");
  };
}

function shiftTime(model: MeterModel): VirtualMethod {
  return (parameters) => {
    const seconds = parameters && integerOf(parameters);
    if (seconds === undefined) return outcome("type-unmatched");
    if (Math.abs(seconds) > SHIFT_LIMIT_S) return outcome("scope-of-access-violated");
    model.state.clockOffsetMs += seconds * 1000;
    return outcome("success");
  };
}

function runScript(host: MethodHost, logicalName: string): VirtualMethod {
  return (parameters, request) => {
    const script = parameters && integerOf(parameters);
    if (script === undefined) return outcome("type-unmatched");
    if (logicalName === MDI_RESET_SCRIPTS && script === 1) {
      host.model.state.reset(request.moment.atMs);
      return outcome("success");
    }
    if (logicalName === DISCONNECT_SCRIPTS && (script === 1 || script === 2)) {
      return switchLoad(host.model, script === 2)(undefined, request);
    }
    if (logicalName === PUSH_SCRIPTS) return pushNow(host, INSTANT_PUSH)(undefined, request);
    return outcome("object-undefined");
  };
}

function pushNow(host: MethodHost, logicalName: string): VirtualMethod {
  return () => {
    host.push(logicalName);
    return outcome("success");
  };
}

/** In mode 0 the load is always connected. Success says that the order was taken. */
function switchLoad({ state }: MeterModel, connect: boolean): VirtualMethod {
  return () => {
    if (state.number("control-mode") === 0) return outcome("read-write-denied");
    state.setNumber("control-state", connect ? 1 : 0);
    state.setNumber("output-state", connect ? 1 : 0);
    return outcome("success");
  };
}

/** Attributes 6 to 9 are the passive forms of 2 to 5. */
function activateCalendar({ state }: MeterModel, { logicalName, attributes }: ObjectDescription): VirtualMethod {
  return () => {
    for (const active of [2, 3, 4, 5]) {
      const described = attributes[active + 4];
      const constant = described?.type === "measured" || described?.type === "stamp" ? undefined : described;
      const passive = state.written(logicalName, active + 4) ?? constant;
      if (passive !== undefined) state.write(logicalName, active, passive);
    }
    return outcome("success");
  };
}
