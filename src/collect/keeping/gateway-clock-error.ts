/** The gateway's clock is before times that it has seen. */
export class GatewayClockError extends Error {
  override readonly name = "GatewayClockError";
  readonly knownMs: number;

  constructor(nowMs: number, knownMs: number) {
    super(`the gateway's clock says ${isoTime(nowMs)}, and it was ${isoTime(knownMs)} before`);
    this.knownMs = knownMs;
  }
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
