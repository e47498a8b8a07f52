/** The shapes of what the API answers, as far as the pages use them: those of the schemas that the API answers by. */
import type { z } from "zod";
import type { who } from "../../api/answers/access.ts";
import type { logEntry, meterEvent } from "../../api/answers/events.ts";
import type { attempt, coverageDay, meter, overview } from "../../api/answers/meters.ts";
import type { expectedPush, push, setupExecution } from "../../api/answers/pushes.ts";
import type { reading, readingColumn, readRequest } from "../../api/answers/readings.ts";
import type { serviceLevel, serviceLevelReport } from "../../api/answers/reports.ts";
import type { traceLine } from "../../api/answers/traces.ts";
import type { gateway, job, jobList, lanes, plan } from "../../api/answers/work.ts";
import type { gapRowSchema } from "../../api/gap-order.ts";

export interface Page<Item> {
  readonly items: readonly Item[];
  readonly next: string | null;
}

export type Session = z.output<typeof who>;
export type Attempt = z.output<typeof attempt>;
export type Meter = z.output<typeof meter>;
export type MeterCounts = Overview["fleet"];
export type Overview = z.output<typeof overview>;
export type Reading = z.output<typeof reading>;
export type CoverageDay = z.output<typeof coverageDay>;
export type Gap = z.output<typeof gapRowSchema>;
export type MeterEvent = z.output<typeof meterEvent>;
export type LogEntry = z.output<typeof logEntry>;
export type ReadRequest = z.output<typeof readRequest>;
export type Push = z.output<typeof push>;
export type ExpectedPush = z.output<typeof expectedPush>;
export type SetupExecution = z.output<typeof setupExecution>;
export type Gateway = z.output<typeof gateway>;
export type ServiceLevel = z.output<typeof serviceLevel>;
export type ServiceLevels = z.output<typeof serviceLevelReport>;
export type RequestTimes = ServiceLevel["reads"];
export type Job = z.output<typeof job>;
export type JobList = z.output<typeof jobList>;
export type Lanes = z.output<typeof lanes>;
export type TraceLine = z.output<typeof traceLine>;
export type Plan = z.output<typeof plan>;

export interface Readings extends Page<Reading> {
  readonly columns: readonly z.output<typeof readingColumn>[];
}
