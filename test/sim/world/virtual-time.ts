/**
 * Time that jumps from one event to the next. Between two events everything that waits in promises runs to its end, so
 * that a run with one seed is the same each time, to the octet. What belongs to one process ends with its scope.
 */
import type { Clock, Timer } from "../../../drivers/clock.ts";

interface Entry {
  readonly atMs: number;
  readonly order: number;
  readonly scope: VirtualScope;
  call: (() => void) | undefined;
}

/** Taken before anybody replaces it. */
const nextTurn = setImmediate;

export class VirtualTime {
  readonly startMs: number;
  #nowMs: number;
  #order = 0;
  readonly #heap: Entry[] = [];
  #current: VirtualScope;
  /** Events that have been carried out; for reports. */
  events = 0;

  constructor(startMs: number) {
    this.startMs = startMs;
    this.#nowMs = startMs;
    this.#current = new VirtualScope(this);
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** Whose event is being carried out. */
  get current(): VirtualScope {
    return this.#current;
  }

  scope(): VirtualScope {
    return new VirtualScope(this);
  }

  set(scope: VirtualScope, delayMs: number, call: () => void): Entry {
    const entry = { atMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, scope, call };
    this.#push(entry);
    return entry;
  }

  /** Carries out what is due up to an instant, then it is that instant. Rejects with what an event throws. */
  run(untilMs: number): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const step = () => {
      const next = this.#take(untilMs);
      if (next === undefined) {
        this.#nowMs = Math.max(this.#nowMs, untilMs);
        resolve();
        return;
      }
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      this.#current = next.scope;
      this.events += 1;
      try {
        next.call?.();
      } catch (error) {
        reject(error);
        return;
      }
      nextTurn(step);
    };
    nextTurn(step);
    return promise;
  }

  /** Carries out events until the work is done; rejects when nothing is left that could end it, or after a time. */
  async until<T>(work: Promise<T>, mostMs: number): Promise<T> {
    const outcome: { value?: { readonly result: T }; error?: { readonly thrown: unknown } } = {};
    work.then(
      (result) => (outcome.value = { result }),
      (thrown: unknown) => (outcome.error = { thrown }),
    );
    const endMs = this.#nowMs + mostMs;
    for (;;) {
      await new Promise((resolve) => nextTurn(resolve));
      if (outcome.value !== undefined) return outcome.value.result;
      if (outcome.error !== undefined) throw outcome.error.thrown;
      const nextMs = this.#nextMs();
      if (nextMs === undefined || nextMs > endMs) throw new Error(`nothing ended the work within ${mostMs} ms`);
      await this.run(nextMs);
    }
  }

  /** Events of a scope that are still to come. */
  waiting(scope: VirtualScope): number {
    return this.#heap.filter((entry) => entry.scope === scope && entry.call !== undefined).length;
  }

  #nextMs(): number | undefined {
    while (this.#heap[0] !== undefined && !isAlive(this.#heap[0])) this.#pop();
    return this.#heap[0]?.atMs;
  }

  #take(untilMs: number): Entry | undefined {
    const nextMs = this.#nextMs();
    return nextMs === undefined || nextMs > untilMs ? undefined : this.#pop();
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let place = heap.push(entry) - 1;
    while (place > 0) {
      const above = (place - 1) >> 1;
      const parent = heap[above];
      if (parent === undefined || !isBefore(entry, parent)) break;
      heap[place] = parent;
      place = above;
    }
    heap[place] = entry;
  }

  #pop(): Entry | undefined {
    const heap = this.#heap;
    const [first] = heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return first;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      const [left, right] = [heap[child], heap[child + 1]];
      if (left === undefined) break;
      if (right !== undefined && isBefore(right, left)) child += 1;
      const lower = heap[child];
      if (lower === undefined || !isBefore(lower, last)) break;
      heap[place] = lower;
      place = child;
    }
    heap[place] = last;
    return first;
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

function isAlive({ call, scope }: Entry): boolean {
  return call !== undefined && scope.alive;
}

/** The time of one process: when it ends, nothing that it waits for comes any more. */
export class VirtualScope implements Clock {
  readonly #time: VirtualTime;
  readonly #endings = new Set<() => void>();
  alive = true;

  constructor(time: VirtualTime) {
    this.#time = time;
  }

  now(): number {
    return this.#time.nowMs;
  }

  elapsed(): number {
    return this.#time.nowMs - this.#time.startMs;
  }

  after(delayMs: number, call: () => void): Timer {
    const entry = this.#time.set(this, delayMs, call);
    return {
      close: () => {
        entry.call = undefined;
      },
      unref: () => undefined,
    };
  }

  wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.after(delayMs, resolve);
    });
  }

  /** Called when the process is gone; the result takes the call back. */
  onEnd(call: () => void): () => void {
    this.#endings.add(call);
    return () => this.#endings.delete(call);
  }

  end(): void {
    this.alive = false;
    for (const call of this.#endings) call();
    this.#endings.clear();
  }
}

/**
 * p-queue takes its time from the globals: for as long as a simulation runs they are those of the process whose event is
 * being carried out. Everything of ours gets its clock in its constructor.
 */
export function withVirtualGlobals(time: VirtualTime): Disposable {
  const held = { setTimeout, setInterval, clearTimeout, clearInterval, now: Date.now };
  Object.assign(globalThis, {
    setTimeout: (call: () => void, delayMs = 0) => new GlobalTimer(time.current, delayMs, { call, repeats: false }),
    setInterval: (call: () => void, delayMs = 0) => new GlobalTimer(time.current, delayMs, { call, repeats: true }),
    clearTimeout: closeGlobal,
    clearInterval: closeGlobal,
  });
  Date.now = () => time.nowMs;
  return {
    [Symbol.dispose]: () => {
      const { now, ...globals } = held;
      Object.assign(globalThis, globals);
      Date.now = now;
    },
  };
}

function closeGlobal(timer: unknown): void {
  if (timer instanceof GlobalTimer) timer.close();
}

class GlobalTimer {
  #timer: Timer | undefined;
  #closed = false;

  constructor(scope: VirtualScope, delayMs: number, what: { readonly call: () => void; readonly repeats: boolean }) {
    const arm = () => {
      this.#timer = scope.after(Math.max(1, delayMs), () => {
        what.call();
        if (what.repeats && !this.#closed) arm();
      });
    };
    arm();
  }

  close(): void {
    this.#closed = true;
    this.#timer?.close();
  }

  unref(): this {
    return this;
  }

  ref(): this {
    return this;
  }
}
