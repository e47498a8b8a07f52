import type { ObjectDescription } from "../description.ts";

/** The load switch, as all models have it. */
export const DISCONNECT_CONTROL: ObjectDescription = {
  classId: 70,
  version: 0,
  logicalName: "0.0.96.3.10.255",
  attributes: {
    2: { type: "measured", as: "boolean", quantity: { of: "state", name: "output-state" } },
    3: { type: "measured", as: "enum", quantity: { of: "state", name: "control-state" } },
    4: { type: "measured", as: "enum", quantity: { of: "state", name: "control-mode" } },
  },
};
