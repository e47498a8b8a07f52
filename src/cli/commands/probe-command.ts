/**
 * `probe`: the road to a meter that the daemon works, step by step; or how an unknown meter is to be read, as a piece of
 * configuration.
 */
import { randomBytes } from "node:crypto";
import { Document } from "yaml";
import { z } from "zod";
import { type ProbeLine, probeLine } from "../../api/answers/probes.ts";
import { askForLines } from "../../api/local-client.ts";
import { likelyCauses } from "../../collect/causes/likely-causes.ts";
import { probeMeter } from "../../collect/probe/meter-probe.ts";
import type { Attempt, ProbeFindings } from "../../collect/probe/probe-findings.ts";
import type { MeterTarget } from "../../collect/session/meter-target.ts";
import { withKnownModel } from "../../config/model-quirks.ts";
import { meterSchema } from "../../config/schema.ts";
import { CounterFile } from "../../keys/counter-file.ts";
import { tapped } from "../../trace/session-tap.ts";
import type { ExitReason } from "../terminal/exit-code.ts";
import type { Output } from "../terminal/output.ts";
import { defaultCounterFile, directTarget, meterInput, tracing } from "./direct-meter.ts";
import { ownSystemTitle } from "./own-title.ts";
import { printReasons, type ReadOptions } from "./read-command.ts";

const BUDGET_MS = 120_000;
/** An unknown meter is asked for much that it does not answer. */
const ANSWER_TIME = "3s";

export async function probeCommand(
  meter: string | undefined,
  options: ReadOptions,
  output: Output,
): Promise<ExitReason> {
  const isDirect = options.tcp !== undefined || options.serial !== undefined;
  if (isDirect === (meter !== undefined)) {
    output.err("probe: say METER, or --tcp host:port or --serial path");
    return "usage";
  }
  return meter === undefined ? await probeDirectly(options, output) : await probeKnown(meter, options, output);
}

/** By the gateway that works the meter, which knows how. */
async function probeKnown(meter: string, { socket, json }: ReadOptions, output: Output): Promise<ExitReason> {
  const order = { path: `/v1/meters/${encodeURIComponent(meter)}/probe`, method: "POST" } as const;
  let reason: ExitReason = "success";
  for await (const line of askForLines(socket, order, probeLine)) {
    if (line.type === "broken") reason = "meterFailed";
    if (json === true)
      output.out(JSON.stringify(line.type === "step" ? line : { ...line, likely: likelyCauses(line.cause) }));
    else if (line.type === "step") output.out(stepText(line.step, line.says));
    else printBroken(line, output);
  }
  return reason;
}

async function probeDirectly(options: ReadOptions, output: Output): Promise<ExitReason> {
  const path = options.counters ?? defaultCounterFile();
  await using counters = await CounterFile.open({ path, randomOctets: randomBytes });
  const clientTitle = options.clientTitle ?? (await ownSystemTitle(path));
  const counter = options.counter ?? (options.blockCipherKey === undefined ? undefined : "find");
  const timeout = options.timeout ?? ANSWER_TIME;
  const given = { ...options, clientTitle, timeout, ...(counter !== undefined && { counter }) };
  const trace = tracing(options, output);
  const findings = await probeMeter({
    ...(trace && { wrap: (channel, target) => tapped(channel, target, trace.tell) }),
    target: (attempt) => targetOf(given, attempt, counters),
    serial: options.serial !== undefined,
    linkGiven: [options.link, options.opening, options.physicalAddress].some((each) => each !== undefined),
    associationGiven: [options.clientSap, options.auth, options.blockCipherKey].some((each) => each !== undefined),
    budgetMs: BUDGET_MS,
    onStep: ({ step, says }) => output.err(stepText(step, says)),
  });
  await trace?.close();
  if (options.json) output.out(JSON.stringify(jsonOf(findings, given), undefined, 2));
  else if (findings.attempt !== undefined) output.out(profileText(findings, given));
  if (findings.broken === undefined) return "success";
  printBroken({ ...findings.broken, nextStep: nextStepOf(findings) ?? findings.broken.nextStep }, output);
  return "meterFailed";
}

function printBroken(broken: Omit<Extract<ProbeLine, { type: "broken" }>, "type">, output: Output): void {
  output.err(stepText(broken.step, `broken: ${broken.says}`));
  printReasons(broken, output);
}

function stepText(step: string, says: string): string {
  return `${step.padEnd("association".length)}  ${says}`;
}

function targetOf(options: ReadOptions, attempt: Attempt, counters: CounterFile): MeterTarget {
  const parsed = meterSchema.safeParse(inputOf(options, attempt));
  if (!parsed.success) throw new Error(`probe: ${z.prettifyError(parsed.error)}`);
  return directTarget({ ...withKnownModel(parsed.data), name: options.tcp ?? options.serial ?? "" }, counters);
}

/** The given options with what is tried over them. */
function inputOf(options: ReadOptions, { connection, association, quirks }: Attempt) {
  const input = meterInput(options);
  return {
    ...input,
    connection: { ...input.connection, ...connection },
    association: { ...input.association, ...association },
    quirks: [...new Set([...(input.quirks ?? []), ...quirks])],
  };
}

/** Meters that let nobody in without authentication have told so much all the same. */
function nextStepOf({ broken, offers }: ProbeFindings): string | undefined {
  if (broken?.step !== "association" || offers.length === 0) return undefined;
  const asked = offers.map(({ clientSap, outcome }) => `client ${clientSap} ${outcome ?? ""}`).join("; ");
  return `probe again with the client that you have rights for, as --client-sap 32 --auth lls --secret env:NAME (${asked})`;
}

/** The piece of configuration, with what else was found as comments. */
function profileText(findings: ProbeFindings, options: ReadOptions): string {
  const document = new Document({ meters: [meterOf(findings, options)] });
  document.commentBefore = commentLines(findings)
    .map((line) => ` ${line}`)
    .join("\n");
  return document.toString().trimEnd();
}

function commentLines({ identity, offers, leniencies, objects, broken }: ProbeFindings): string[] {
  return [
    ...Object.entries(identity).map(([key, text]) => `${key}: ${text}`),
    `objects: ${objects.length}`,
    ...counterLines(objects),
    ...offers.map(({ clientSap, says, mechanism, ciphered, outcome }) => {
      const wants = [mechanism, ciphered === true ? "ciphered" : undefined, outcome].filter(
        (each) => each !== undefined,
      );
      return `client ${clientSap} (${says}): ${wants.join(", ")}`;
    }),
    ...leniencies.map((name) => `let pass: ${name}`),
    ...(broken === undefined ? [] : [`NOT COMPLETE: ${broken.step} broke: ${broken.says}`]),
  ];
}

const COUNTER_NAME = /^0\.\d+\.43\.1\./u;

/** Meters have a counter for each client, or one for all: which is whose has to be known. */
function counterLines(objects: ProbeFindings["objects"]): string[] {
  const names = objects.flatMap(({ logicalName }) => (COUNTER_NAME.test(logicalName) ? [logicalName] : []));
  return names.length === 0
    ? []
    : [`invocation counters, for association.security.invocationCounter: ${names.join(", ")}`];
}

function meterOf(findings: ProbeFindings, options: ReadOptions): unknown {
  const { attempt, identity, companion, quirks } = findings;
  const number = identity.number ?? identity.deviceName ?? "unknown";
  const found = { ...options, ...(findings.counterObject !== undefined && { counter: findings.counterObject }) };
  const input = attempt === undefined ? meterInput(found) : inputOf(found, { ...attempt, quirks });
  const { connection, association, ...rest } = input;
  return withoutEmpty({
    ...rest,
    name: `meter-${number.replaceAll(/[^A-Za-z0-9]/gu, "-")}`.slice(0, 63),
    number,
    companion: options.companion ?? companion,
    timeZone: options.timeZone,
    connection: { ...connection, responseTimeout: options.timeout === ANSWER_TIME ? undefined : options.timeout },
    association,
  });
}

/** Without what is not set, so that defaults stay defaults. */
function withoutEmpty(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, each]) => each !== undefined && !(Array.isArray(each) && each.length === 0))
      .map(([key, each]) => [key, withoutEmpty(each)]),
  );
}

function jsonOf(findings: ProbeFindings, options: ReadOptions): unknown {
  const { identity, companion, offers, quirks, leniencies, steps, broken, objects } = findings;
  const summary = { identity, companion, offers, quirks, leniencies, steps, objectCount: objects.length };
  return { ...summary, meter: meterOf(findings, options), broken };
}
