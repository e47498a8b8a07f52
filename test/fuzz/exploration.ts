import { Worker } from "node:worker_threads";
import type { ExploreNews, ExploreOrder } from "./explore.ts";

export type Explored = Extract<ExploreNews, { type: "explored" }>;
export type Covered = Extract<ExploreNews, { type: "covered" }>;

/** Has a worker explore these targets, and tells of each when it is done; ends with what was covered in all. */
export function exploration(order: ExploreOrder, done: (news: Explored) => void): Promise<Covered> {
  const worker = new Worker(new URL("explore.ts", import.meta.url), { workerData: order, execArgv: [] });
  return new Promise((resolve, reject) => {
    worker.on("error", reject);
    worker.on("exit", (code) => reject(new Error(`the exploration ended with ${code}`)));
    worker.on("message", (news: ExploreNews) => {
      if (news.type === "covered") resolve(news);
      else done(news);
    });
  });
}
