/** How a meter stands with a push setup, by name. */

/** See the comment of the column push_setup_history.state. */
export type SetupState = "in-order" | "differs" | "applied" | "restored" | "mixed" | "refused" | "unreached";
export type TestPush = "arrived" | "silent" | "refused" | "not-ordered";

/** The meter has then what the configuration wants. */
export const AS_WANTED: ReadonlySet<SetupState> = new Set(["in-order", "applied"]);

/** Why the gateway does something by itself. */
export const DRIFT_CHECK = "drift check";
export const REPAIR = "it was left between two states";
