/** The part of the configuration's schema that says what service levels are judged by. */
import { z } from "zod";
import { messageOf } from "../observe/message-of.ts";
import { duration } from "./fields.ts";

const HOUR_MS = 3_600_000;
const SLOT_TIMES_MS: ReadonlySet<number> = new Set([HOUR_MS, 8 * HOUR_MS, 24 * HOUR_MS]);
const SUBJECTS = ["slots", "pushes", "reads", "disconnects", "reconnects"] as const;
const THRESHOLD = new RegExp(
  `^(?<percent>\\d{1,3}(?:\\.\\d{1,3})?)% of (?<subject>${SUBJECTS.join("|")})(?: within (?<within>\\d+(?:ms|s|m|h|d)))?$`,
);

/** `95% of slots within 8h`. */
export interface ServiceThreshold {
  readonly text: string;
  readonly subject: (typeof SUBJECTS)[number];
  readonly percent: number;
  /** Undefined for pushes. */
  readonly withinMs: number | undefined;
}

const FORM = "a threshold is like: 95% of slots within 8h, 90% of pushes, 95% of reads within 10m";
const WITHIN = "slots, reads, disconnects and reconnects are judged within a time, pushes without one";
const SLOT_TIMES = "slots are counted within 1h, 8h and 24h";

/** What a text says that the schema has passed. Throws an Error for another one. */
export function serviceThreshold(text: string): ServiceThreshold {
  const { percent, subject: word, within } = THRESHOLD.exec(text)?.groups ?? {};
  const subject = SUBJECTS.find((each) => each === word);
  const withinMs = within === undefined ? undefined : duration.parse(within);
  if (subject === undefined || Number(percent) > 100) throw new Error(FORM);
  if ((subject === "pushes") !== (withinMs === undefined)) throw new Error(WITHIN);
  if (subject === "slots" && !SLOT_TIMES_MS.has(withinMs ?? 0)) throw new Error(SLOT_TIMES);
  return { text, subject, percent: Number(percent), withinMs };
}

const threshold = z.string().superRefine((text, context) => {
  try {
    serviceThreshold(text);
  } catch (error) {
    context.addIssue({ code: "custom", message: messageOf(error) });
  }
});

export const serviceLevelsSchema = z
  .array(threshold)
  .optional()
  .describe(
    "What `report sla` and its page judge by: the least share of `slots` of block load (within 1h, 8h or 24h), of expected `pushes`, of `reads`, `disconnects` and `reconnects` that people asked for. The example names thresholds of the kind that tenders have.",
  )
  .meta({
    examples: [
      [
        "95% of slots within 8h",
        "99% of slots within 24h",
        "95% of pushes",
        "90% of reads within 1m",
        "99% of reads within 10m",
        "90% of disconnects within 10m",
        "99% of disconnects within 6h",
        "90% of reconnects within 10m",
        "99% of reconnects within 6h",
      ],
    ],
  });
