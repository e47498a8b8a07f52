import type { LinkUnit } from "../link.ts";
import { P1Parser } from "./p1.ts";

/** Telegrams as units of a line that pushes: each goes on whole, as its own text from `/` to the end of its check. */
export class P1Pushes {
  readonly #parser = new P1Parser();
  readonly #saps: { readonly sourceSap: number; readonly destinationSap: number };

  constructor(saps: { readonly sourceSap: number; readonly destinationSap: number }) {
    this.#saps = saps;
  }

  get pending(): boolean {
    return this.#parser.pending;
  }

  receive(octets: Uint8Array): void {
    this.#parser.receive(octets);
  }

  timeout(): void {
    // Telegrams have no segments; only silence counts.
  }

  stall(): void {
    this.#parser.flush();
  }

  flush(): void {
    this.#parser.flush();
  }

  takeUnit(): LinkUnit | undefined {
    const unit = this.#parser.takeUnit();
    return unit?.type === "telegram" ? { type: "apdu", apdu: unit.octets, ...this.#saps } : unit;
  }

  deadlineMs(): undefined {
    return undefined;
  }
}
