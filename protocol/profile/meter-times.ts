import { DATE_TIME_LENGTH } from "../axdr/data.ts";

/** The stamps of rows as a meter sent them, 12 octets each. */
export class MeterTimes {
  /** One after the other; those of rows without a stamp mean nothing. */
  readonly octets: Uint8Array;
  /** 1 for each row with a stamp. */
  readonly sent: Uint8Array;

  constructor(octets: Uint8Array, sent: Uint8Array) {
    this.octets = octets;
    this.sent = sent;
  }

  /** Undefined where no row has a stamp. */
  static of(stamps: readonly (Uint8Array | undefined)[]): MeterTimes | undefined {
    const times = new MeterTimes(new Uint8Array(DATE_TIME_LENGTH * stamps.length), new Uint8Array(stamps.length));
    for (const [row, stamp] of stamps.entries()) {
      if (stamp === undefined) continue;
      times.octets.set(stamp.subarray(0, DATE_TIME_LENGTH), DATE_TIME_LENGTH * row);
      times.sent[row] = 1;
    }
    return times.sent.includes(1) ? times : undefined;
  }

  get length(): number {
    return this.sent.length;
  }

  /** A view of the stamp of a row, or undefined. */
  at(row: number): Uint8Array | undefined {
    const start = DATE_TIME_LENGTH * row;
    return this.sent[row] === 1 ? this.octets.subarray(start, start + DATE_TIME_LENGTH) : undefined;
  }

  toArray(): readonly (Uint8Array | undefined)[] {
    return Array.from(this.sent, (_, row) => this.at(row));
  }
}
