/** What worker processes tell of themselves, told to the service manager as one: it knows only who started them. */

const READY = "READY=1";
const SIGN_OF_LIFE = "WATCHDOG=1";
const STATUS = "STATUS=";

export class WorkerStates {
  readonly #notify: (state: string) => void;
  readonly #count: number;
  readonly #ready = new Set<number>();
  /** Since a sign of life was given for all. */
  readonly #alive = new Set<number>();
  readonly #status = new Map<number, string>();

  constructor(count: number, notify: (state: string) => void) {
    this.#count = count;
    this.#notify = notify;
  }

  /** Hears one worker. Ready are they when all have been; alive while none is silent. */
  hear(worker: number, state: string): void {
    for (const line of state.split("\n")) {
      if (line === READY) this.#gather(this.#ready, worker, line);
      else if (line === SIGN_OF_LIFE && this.#gather(this.#alive, worker, line)) this.#alive.clear();
      else if (line.startsWith(STATUS)) this.#tellStatus(worker, line.slice(STATUS.length));
    }
  }

  #gather(heard: Set<number>, worker: number, line: string): boolean {
    const isNew = !heard.has(worker);
    heard.add(worker);
    const isComplete = heard.size === this.#count && isNew;
    if (isComplete) this.#notify(line);
    return isComplete;
  }

  #tellStatus(worker: number, text: string): void {
    this.#status.set(worker, text);
    const all = [...this.#status].sort(([a], [b]) => a - b).map(([each, said]) => `worker ${each}: ${said}`);
    this.#notify(`${STATUS}${all.join(" | ")}`);
  }
}
