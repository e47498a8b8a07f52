/** How a gateway is, at a moment: for the service manager, and for whoever watches it. */
export interface Vitals {
  /** Meters that it works now. */
  readonly meters: number;
  readonly quarantined: number;
  /** How late the work is that is due next. */
  readonly overdueMs: number;
  /** For how long each part has had something to do, and has tried nothing; 0 while it goes on. */
  readonly stalledMs: Readonly<Record<"planner" | "rows" | "pushes", number>>;
  /** Rows that are kept in memory until they are durable. */
  readonly waitingRows: number;
  /** The same of pushes. */
  readonly waitingPushes: number;
  readonly pushConnections: number;
  readonly spool: { readonly octets: number; readonly quota: number; readonly engaged: boolean };
}
