import { LIMITS } from "../../limits.ts";

/** Until when an answer is awaited, what came in the meantime, and whether an invoke-id says that it is this one's. */
export class AnswerWatch {
  #deadlineMs: number | undefined;
  #sinceMs = 0;
  #discarded = 0;
  /** Answers that gave the invoke-id back: one alone may be a server's that always answers with the same. */
  #echoes = 0;
  #hasNotEchoed = false;
  #lateAnswerCame = false;
  /** An answer that was given up may still come. */
  #lateAnswerPossible = false;
  /** A request was made more than once: each may be answered, whenever. */
  #repeated = false;
  #openings = 0;

  get deadlineMs(): number | undefined {
    return this.#deadlineMs;
  }

  /** APDUs that came since the start and were no answer. */
  get discarded(): number {
    return this.#discarded;
  }

  start(nowMs: number, timeoutMs: number): void {
    this.#sinceMs = nowMs;
    this.#discarded = 0;
    this.extend(nowMs, timeoutMs);
  }

  /** Something came that brings the answer nearer. */
  extend(nowMs: number, timeoutMs: number): void {
    this.#deadlineMs = nowMs + timeoutMs;
  }

  stop(): void {
    this.#deadlineMs = undefined;
  }

  waitedMs(nowMs: number): number {
    return Math.round(nowMs - this.#sinceMs);
  }

  /** False when too much has come that is no answer. */
  discard(): boolean {
    this.#discarded++;
    return this.#discarded <= LIMITS.discardedApdus;
  }

  giveUp(): void {
    this.#lateAnswerPossible = true;
  }

  repeat(): void {
    this.#repeated = true;
  }

  /** The answer has come; what comes after it is late only where a request was made more than once. */
  settle(): void {
    this.#lateAnswerPossible = this.#repeated;
  }

  /** Counts the attempts to associate after the first. */
  mayOpenAgain(most: number): boolean {
    return this.#openings++ < most;
  }

  /** A new association: nothing is late any more. */
  begin(): void {
    this.#openings = 0;
    this.#repeated = false;
    this.#lateAnswerPossible = false;
    this.#lateAnswerCame = false;
  }

  /** Whether a late answer can't be told from that of the next request: nothing may be asked twice, or after silence. */
  get isAmbiguous(): boolean {
    return this.#hasNotEchoed || (this.#lateAnswerCame && this.#echoes < 2);
  }

  /**
   * Whether an answer is the one awaited. Meters that always answer with the same invoke-id are believed, unless the
   * answer may be a late one to an earlier request.
   */
  judge(echoed: boolean): "answer" | "notEchoed" | "late" {
    if (!echoed && this.#lateAnswerPossible) {
      this.#lateAnswerCame = true;
      return "late";
    }
    const isNews = !echoed && !this.#hasNotEchoed;
    if (echoed) this.#echoes++;
    else this.#hasNotEchoed = true;
    return isNews ? "notEchoed" : "answer";
  }
}
