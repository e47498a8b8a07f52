/** What is told to others about a meter, and who tells it. */

/** One event of a meter, as it is sent. */
export interface Notification {
  /** The same each time that it is tried. */
  readonly id: string;
  readonly meter: string;
  readonly meterNumber: string;
  readonly madeAt: string;
  /** Time, log, code, name, kind, condition, severity, source, details; members that are not known are missing. */
  readonly event: Readonly<Record<string, unknown>>;
  /** Conditions of the meter that go on. */
  readonly conditions: readonly string[];
}

/** A way to one destination. Rejects with NotificationError when it is not sure that all have arrived. */
export interface NotificationSender extends AsyncDisposable {
  send(notifications: readonly Notification[]): Promise<void>;
}

/** Why notifications did not arrive: `hopeless` when another try would not help. Never holds a secret or an address. */
export class NotificationError extends Error {
  override readonly name = "NotificationError";
  readonly hopeless: boolean;

  constructor(evidence: string, { hopeless = false }: { readonly hopeless?: boolean } = {}) {
    super(evidence);
    this.hopeless = hopeless;
  }
}
