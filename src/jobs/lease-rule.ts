/**
 * Until when a gateway may work the meters of its blocks after the last sign of life that the database took. Others take
 * over from one that they saw alive and that is silent for its `silenceMs`; from one that they never saw alive, or not
 * since their own way to the database broke, only after its `awayMs`. So whoever can't reach the database goes on
 * for `silenceMs`, and for `awayMs` where nobody can have seen it fall silent: it was alone, or the server itself refuses
 * everybody.
 */
export interface LeaseState {
  /** When the last sign of life was sent that was taken, on a clock that never jumps. */
  readonly renewedMs: number;
  /** No other gateway was there then. */
  readonly alone: boolean;
  /** The server answers from its own address that it takes no connections. */
  readonly serverAway: boolean;
  readonly silenceMs: number;
  readonly awayMs: number;
}

/** Sessions that are cut have to end before another gateway begins. */
const MARGIN_PART = 0.2;
const LONGEST_MARGIN_MS = 2000;

/** When work must have ended, on the clock of `renewedMs`. */
export function leaseEndMs({ renewedMs, alone, serverAway, silenceMs, awayMs }: LeaseState): number {
  const limitMs = alone || serverAway ? awayMs : silenceMs;
  return renewedMs + limitMs - Math.min(limitMs * MARGIN_PART, LONGEST_MARGIN_MS);
}
