import type { Link, LinkEvent } from "../../../protocol/link/link.ts";

/** What happens to the pieces that one side sends before the other one gets them. Chances are in 1/1000. */
export interface WireFaults {
  readonly latencyMs: number;
  readonly loss: number;
  readonly corruption: number;
  readonly duplication: number;
  /** Cut into single octets, one millisecond apart. */
  readonly octetwise: boolean;
  /** Both sides hear what they send. */
  readonly echo: boolean;
}

export const PERFECT: WireFaults = {
  latencyMs: 1,
  loss: 0,
  corruption: 0,
  duplication: 0,
  octetwise: false,
  echo: false,
};

/** Reproducible numbers in [0, 1). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

interface Delivery {
  readonly atMs: number;
  readonly to: Link;
  readonly octets: Uint8Array;
}

/** Two links joined in memory. The clock is virtual and jumps to whatever is next: an arrival or a deadline. */
export class Wire {
  nowMs = 0;
  /** Octets that went over the wire, faults included. */
  octets = 0;
  readonly #a: Link;
  readonly #b: Link;
  readonly #faults: WireFaults;
  readonly #random: () => number;
  readonly #listeners = new Map<Link, (event: LinkEvent) => void>();
  /** In order of arrival: what was sent first arrives first. */
  readonly #underWay: Delivery[] = [];
  readonly #sideFreeAtMs = new Map<Link, number>();
  readonly #tasks: { readonly atMs: number; readonly task: () => void }[] = [];

  constructor(a: Link, b: Link, options: { faults?: WireFaults; seed?: number } = {}) {
    this.#a = a;
    this.#b = b;
    this.#faults = options.faults ?? PERFECT;
    this.#random = seededRandom(options.seed ?? 1);
  }

  on(link: Link, listener: (event: LinkEvent) => void): void {
    this.#listeners.set(link, listener);
  }

  /** Does something at a later time of the wire's clock. */
  after(delayMs: number, task: () => void): void {
    this.#tasks.push({ atMs: this.nowMs + delayMs, task });
    this.#tasks.sort((a, b) => a.atMs - b.atMs);
  }

  /** Runs until `done`, until nothing is left to happen, or until the clock passes `untilMs`. */
  run(done: () => boolean, untilMs = 1e9): void {
    while (!this.#settle(done) && this.#jump(untilMs)) {
      // Every jump delivers something or calls a deadline.
    }
  }

  /** Hands out events and takes octets until both sides are quiet. */
  #settle(done: () => boolean): boolean {
    for (let busy = true; busy; ) {
      busy = false;
      for (const link of [this.#a, this.#b]) {
        for (let event = link.takeEvent(); event; event = link.takeEvent()) {
          this.#listeners.get(link)?.(event);
          busy = true;
        }
        for (let octets = link.takeBytes(); octets; octets = link.takeBytes()) {
          this.#send(link, octets);
          busy = true;
        }
      }
    }
    return done();
  }

  #chance(perMille: number): boolean {
    return this.#random() * 1000 < perMille;
  }

  #send(from: Link, octets: Uint8Array): void {
    if (this.#faults.echo) this.#carry(from, octets);
    this.#carry(from === this.#a ? this.#b : this.#a, octets);
  }

  #carry(to: Link, octets: Uint8Array): void {
    const { loss, corruption, duplication, octetwise, latencyMs } = this.#faults;
    this.octets += octets.length;
    if (this.#chance(loss)) return;
    const copies = this.#chance(duplication) ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      const carried = Uint8Array.from(octets);
      if (this.#chance(corruption)) {
        const index = Math.floor(this.#random() * carried.length);
        carried[index] = (carried[index] ?? 0) ^ (1 << Math.floor(this.#random() * 8));
      }
      const pieces = octetwise ? Array.from(carried, (octet) => Uint8Array.of(octet)) : [carried];
      for (const piece of pieces) {
        const atMs = Math.max(this.nowMs + latencyMs, (this.#sideFreeAtMs.get(to) ?? 0) + (octetwise ? 1 : 0));
        this.#sideFreeAtMs.set(to, atMs);
        this.#insert({ atMs, to, octets: piece });
      }
    }
  }

  #insert(delivery: Delivery): void {
    let index = this.#underWay.length;
    while (index > 0 && (this.#underWay[index - 1]?.atMs ?? 0) > delivery.atMs) index--;
    this.#underWay.splice(index, 0, delivery);
  }

  #jump(untilMs: number): boolean {
    const arrival = this.#underWay[0]?.atMs ?? Infinity;
    const deadline = Math.min(this.#a.deadlineMs() ?? Infinity, this.#b.deadlineMs() ?? Infinity);
    const next = Math.max(this.nowMs, Math.min(arrival, deadline, this.#tasks[0]?.atMs ?? Infinity));
    if (next === Infinity || next > untilMs) return false;
    this.nowMs = next;
    if (arrival <= next) {
      const delivery = this.#underWay.shift();
      delivery?.to.receive(delivery.octets, next);
    }
    while ((this.#tasks[0]?.atMs ?? Infinity) <= next) this.#tasks.shift()?.task();
    this.#a.timeout(next);
    this.#b.timeout(next);
    return true;
  }
}
