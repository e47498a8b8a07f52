/** What gateways ask of each other about themselves: a job for a block that the other one holds, kept by nobody. */
import type { Queryable } from "../store/database/database.ts";
import type { FleetShare } from "./fleet-share.ts";
import type { JobHandler, MeterJobs } from "./meter-jobs.ts";

/** Undefined where nothing came in time. */
export interface GatewayAnswer {
  readonly gateway: string;
  readonly answer: unknown;
}

export interface GatewayQuestionsOptions {
  readonly database: Queryable;
  readonly jobs: Pick<MeterJobs, "request">;
  readonly handlers: Map<string, JobHandler>;
  readonly share: Pick<FleetShare, "id" | "gateways" | "someBlockOf">;
}

/** People wait for the answers. */
const PATIENCE_MS = 3000;

export class GatewayQuestions {
  readonly #options: GatewayQuestionsOptions;

  constructor(options: GatewayQuestionsOptions) {
    this.#options = options;
  }

  /** Asks each other gateway that holds meters. Throws StoreError. */
  async ask(kind: string, what: unknown): Promise<GatewayAnswer[]> {
    const { share } = this.#options;
    const others = share.gateways().filter(({ id }) => id !== share.id);
    const asked = others.map(async ({ id, name, ageMs, silenceMs }): Promise<GatewayAnswer[]> => {
      const block = share.someBlockOf(id);
      if (block === undefined) return [];
      if (ageMs >= silenceMs) return [{ gateway: name, answer: undefined }];
      const job = { network: block.network, block: block.block, meter: "", kind, what };
      const answer = await this.#options.jobs.request(job, PATIENCE_MS).catch(() => undefined);
      return [{ gateway: name, answer }];
    });
    const answers = (await Promise.all(asked)).flat();
    if (answers.length > 0) await this.#forget(kind);
    return answers;
  }

  /** Answers what others ask of this gateway. */
  answer(kind: string, answer: (what: unknown) => unknown): void {
    this.#options.handlers.set(kind, async (_, what) => answer(what));
  }

  /** It is asked again and again. */
  async #forget(kind: string): Promise<void> {
    await this.#options.database.query(
      `delete from dlms.jobs
       where kind = $1::text and asked_by = $2::uuid and (answered_at is not null or expires_at < now())`,
      [kind, this.#options.share.id],
    );
  }
}
