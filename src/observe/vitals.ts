/** How a gateway is, at a moment: for the service manager, and for whoever watches it. */

/** Longer than whatever a part waits for by design: retries, the spool's patience. */
const PATIENCE_MS = 60_000;

/** What has work of its own to go on with. */
const PARTS = ["planner", "rows", "pushes"] as const;
export type Part = (typeof PARTS)[number];

export interface Vitals {
  /** Meters that it works now. */
  readonly meters: number;
  readonly quarantined: number;
  /** How late the work is that is due next. */
  readonly overdueMs: number;
  /** For how long each part has had something to do, and has tried nothing; 0 while it goes on. */
  readonly stalledMs: Readonly<Record<Part, number>>;
  /** Rows that are kept in memory until they are durable. */
  readonly waitingRows: number;
  /** The same of pushes. */
  readonly waitingPushes: number;
  readonly pushConnections: number;
  readonly spool: { readonly octets: number; readonly quota: number; readonly engaged: boolean };
}

/** Those of the parts that have stood still for too long. */
export function stalledParts({ stalledMs }: Vitals, parts: readonly Part[] = PARTS): Part[] {
  return parts.filter((part) => stalledMs[part] > PATIENCE_MS);
}

/** The same for people. */
export function stalledTexts(vitals: Vitals, parts?: readonly Part[]): string[] {
  return stalledParts(vitals, parts).map(
    (part) => `${part} stalled for ${Math.round(vitals.stalledMs[part] / 1000)} s`,
  );
}
