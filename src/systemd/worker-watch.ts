/**
 * What worker processes tell of themselves, told to the service manager as one: it knows only who started them. A worker
 * that was ready and gives no sign of life any more has to be ended; the service is alive while none is left as it is.
 */

const READY = "READY=1";
const SIGN_OF_LIFE = "WATCHDOG=1";
const STATUS = "STATUS=";
/** Where nobody waits for signs of life. */
const WATCHDOG_MS = 30_000;
/** In the watchdog's time. A look without a sign counts, and not the time: a machine that slept has looked once. */
const LOOKS = 3;

export interface WorkerWatchOptions {
  readonly count: number;
  readonly notify: (state: string) => void;
  readonly watchdogMs: number | undefined;
  /** Has hung for so long. */
  readonly onSilent: (worker: number, forMs: number) => void;
}

interface WorkerState {
  readonly says: string;
  readonly isReady: boolean;
  /** Since its last sign of life. */
  readonly looks: number;
}

const BEGUN: WorkerState = { says: "starts", isReady: false, looks: 0 };

export class WorkerWatch implements Disposable {
  readonly #options: WorkerWatchOptions;
  readonly #everyMs: number;
  readonly #timer: NodeJS.Timeout;
  readonly #workers: Map<number, WorkerState>;
  #isReady = false;

  constructor(options: WorkerWatchOptions) {
    this.#options = options;
    this.#workers = new Map(Array.from({ length: options.count }, (_, index) => [index + 1, BEGUN]));
    this.#everyMs = (options.watchdogMs ?? WATCHDOG_MS) / LOOKS;
    this.#timer = setInterval(() => this.#look(), this.#everyMs).unref();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  /** What a worker tells its service manager. */
  hear(worker: number, state: string): void {
    for (const line of state.split("\n")) {
      if (line === READY) this.#heardReady(worker);
      else if (line === SIGN_OF_LIFE) this.#change(worker, { looks: 0 });
      else if (line.startsWith(STATUS)) this.#tell(worker, line.slice(STATUS.length));
    }
  }

  /** A worker has ended; whether it begins anew is not said here. */
  ended(worker: number, how: string): void {
    this.#change(worker, BEGUN);
    this.#tell(worker, `has ended: ${how}`);
  }

  #heardReady(worker: number): void {
    this.#change(worker, { isReady: true, looks: 0 });
    if (this.#isReady || !this.#workers.values().every(({ isReady }) => isReady)) return;
    this.#isReady = true;
    this.#options.notify(READY);
  }

  #look(): void {
    const { notify, onSilent } = this.#options;
    for (const [worker, { isReady, looks }] of this.#workers) if (isReady) this.#change(worker, { looks: looks + 1 });
    const silent = [...this.#workers].filter(([, { looks }]) => looks > LOOKS);
    for (const [worker, { looks }] of silent) onSilent(worker, looks * this.#everyMs);
    if (silent.length === 0) notify(SIGN_OF_LIFE);
  }

  #change(worker: number, change: Partial<WorkerState>): void {
    this.#workers.set(worker, { ...(this.#workers.get(worker) ?? BEGUN), ...change });
  }

  #tell(worker: number, says: string): void {
    this.#change(worker, { says });
    const all = Array.from(this.#workers, ([each, state]) => `worker ${each}: ${state.says}`);
    this.#options.notify(`${STATUS}${all.join(" | ")}`);
  }
}
