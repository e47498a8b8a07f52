/**
 * Which slots of one profile of one meter need no more asking: held, or known never to come. Nearly always all of them
 * up to a moment, so that is what it costs to remember; stretches beyond are kept only while something before is open.
 */
import { type SlotRule, slotAfter, slotUpTo } from "./slot-calendar.ts";

/** Slots that follow one another, both ends included, ms since 1970. */
export interface SlotRange {
  readonly fromMs: number;
  readonly toMs: number;
}

export class SettledSlots {
  readonly #fromMs: number;
  /** All slots up to here are settled. */
  #throughMs: number;
  /** Settled stretches after that, in order, with something open between any two. */
  #beyond: SlotRange[] = [];

  /** Slots up to `fromMs` are none of our business. */
  constructor(fromMs: number) {
    this.#fromMs = fromMs;
    this.#throughMs = fromMs;
  }

  /** The newest slot that is known to be settled; undefined while none is but what is none of our business. */
  get newestMs(): number | undefined {
    const last = this.#beyond.at(-1)?.toMs;
    return last ?? (this.#throughMs > this.#fromMs ? this.#throughMs : undefined);
  }

  get throughMs(): number {
    return this.#throughMs;
  }

  /** Settles slots that follow one another. */
  add(rule: SlotRule, { fromMs, toMs }: SlotRange): void {
    if (toMs <= this.#throughMs) return;
    const before: SlotRange[] = [];
    const after: SlotRange[] = [];
    let [from, to] = [fromMs, toMs];
    for (const range of this.#beyond) {
      if (slotAfter(rule, range.toMs) < from) before.push(range);
      else if (range.fromMs > slotAfter(rule, to)) after.push(range);
      else [from, to] = [Math.min(from, range.fromMs), Math.max(to, range.toMs)];
    }
    this.#beyond = [...before, { fromMs: from, toMs: to }, ...after];
    this.#advance(rule);
  }

  /** Nothing before is asked for any more: the meter has overwritten it. */
  forgetBefore(rule: SlotRule, instantMs: number): void {
    if (instantMs <= this.#throughMs) return;
    this.#throughMs = instantMs;
    this.#beyond = this.#beyond.filter((range) => range.toMs > instantMs);
    this.#advance(rule);
  }

  /** The stretches of open slots after a moment and up to another, the oldest first. */
  open(rule: SlotRule, nowMs: number, sinceMs = Number.NEGATIVE_INFINITY): SlotRange[] {
    const open: SlotRange[] = [];
    let from = slotAfter(rule, Math.max(this.#throughMs, sinceMs));
    for (const range of this.#beyond) {
      if (range.toMs < from) continue;
      if (range.fromMs > nowMs) break;
      if (range.fromMs > from) open.push({ fromMs: from, toMs: slotUpTo(rule, range.fromMs - 1) });
      from = slotAfter(rule, range.toMs);
    }
    if (from <= nowMs) open.push({ fromMs: from, toMs: slotUpTo(rule, nowMs) });
    return open;
  }

  #advance(rule: SlotRule): void {
    for (let [first] = this.#beyond; first !== undefined; [first] = this.#beyond) {
      if (first.fromMs > slotAfter(rule, this.#throughMs)) return;
      this.#throughMs = Math.max(this.#throughMs, first.toMs);
      this.#beyond.shift();
    }
  }
}
