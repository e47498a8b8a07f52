import { withEvenParity, withoutEvenParity } from "./parity.ts";

/** A line at sign-on: seven bits with even parity, done here where the port can't, and an echo of what we say. */
export class SignOnLine {
  readonly #softwareParity: boolean;
  readonly #echoes: boolean;
  readonly #output: Uint8Array[] = [];
  /** Octets sent whose echo has not come. */
  #echo: number[] = [];

  constructor({ softwareParity, echo }: { readonly softwareParity: boolean; readonly echo: boolean }) {
    this.#softwareParity = softwareParity;
    this.#echoes = echo;
  }

  send(octets: Uint8Array): void {
    this.#echo = this.#echoes ? Array.from(octets) : [];
    this.#output.push(this.#softwareParity ? withEvenParity(octets) : Uint8Array.from(octets));
  }

  /** What the meter has said: without parity bits and without our own echo. */
  heard(bytes: Uint8Array): Uint8Array {
    const octets = this.#softwareParity ? withoutEvenParity(bytes).octets : bytes;
    return octets.filter((octet) => !this.#isEcho(octet));
  }

  takeBytes(): Uint8Array | undefined {
    return this.#output.shift();
  }

  /** An echo comes whole and first; anything else means that there is none. */
  #isEcho(octet: number): boolean {
    if (this.#echo[0] === octet) {
      this.#echo.shift();
      return true;
    }
    this.#echo = [];
    return false;
  }
}
