/** `doctor`: looks at all that the daemon needs, and says what to do where something is missing. */
import { connect } from "node:net";
import { ConfigError } from "../../config/config-error.ts";
import { loadConfig } from "../../config/load.ts";
import { counted } from "../../observe/counted.ts";
import { messageOf } from "../../observe/message-of.ts";
import { describeCapabilities } from "../../store/database/capabilities.ts";
import { openDatabase } from "../../store/database/database.ts";
import type { ExitReason } from "../terminal/exit-code.ts";
import { type ListingOptions, printList, prose, titled } from "../terminal/listing.ts";
import type { Output } from "../terminal/output.ts";
import { openPlace } from "./database-place.ts";
import { CHECKS, type Finding, type Patient } from "./doctor-checks.ts";

export interface DoctorOptions extends ListingOptions {
  readonly config: string;
}

interface NamedFinding extends Finding {
  readonly check: string;
}

export async function doctorCommand(options: DoctorOptions, output: Output): Promise<ExitReason> {
  await using stack = new AsyncDisposableStack();
  const findings: NamedFinding[] = [];
  try {
    const config = await loadConfig(options.config);
    const says = `${options.config}: ${counted(config.meters.length, "meter")}`;
    findings.push({ check: "configuration", verdict: "good", says });
    const patient = { config, ...(await examined(options, stack)), isAlive: await isAlive(config.socket) };
    const stateDirectory = process.env["STATE_DIRECTORY"] ?? config.stateDirectory;
    for (const [check, look] of Object.entries(CHECKS)) {
      findings.push({ check, ...(await look({ ...patient, stateDirectory }).catch(unexpected)) });
    }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const nextStep = "dlms-gateway config check says it line by line";
    findings.push({ check: "configuration", verdict: "bad", says: error.message, nextStep });
  }
  print(findings, options, output);
  if (findings[0]?.verdict === "bad") return "configuration";
  return findings.some(({ verdict }) => verdict === "bad") ? "failure" : "success";
}

function unexpected(error: unknown): Finding {
  return { verdict: "bad", says: messageOf(error), nextStep: "see what it says" };
}

type Examined = Pick<Patient, "database" | "databaseUrl" | "databaseSays">;

async function examined({ config }: DoctorOptions, stack: AsyncDisposableStack): Promise<Examined> {
  try {
    const { url } = await openPlace({ config }, stack);
    const database = stack.use(await openDatabase({ url, connections: 1, applicationName: "dlms-gateway doctor" }));
    await database.query("select 1");
    return { database, databaseUrl: url, databaseSays: describeCapabilities(database.capabilities) };
  } catch (error) {
    return { database: undefined, databaseUrl: undefined, databaseSays: messageOf(error) };
  }
}

function isAlive(socketPath: string): Promise<boolean> {
  return new Promise((done) => {
    const probe = connect(socketPath, () => {
      probe.destroy();
      done(true);
    });
    probe.once("error", () => done(false));
  });
}

function print(findings: readonly NamedFinding[], options: ListingOptions, output: Output): void {
  const isForPeople = options.json !== true && options.csv !== true;
  printList(output, options, {
    columns: [...titled("check", "is"), ...prose("found", ...(isForPeople ? [] : ["next step"]))],
    rows: findings.map(({ check, verdict, says, nextStep = null }) => {
      return isForPeople ? [check, verdict, says.split("\n")[0] ?? ""] : [check, verdict, says, nextStep];
    }),
    objects: findings,
  });
  if (!isForPeople) return;
  for (const { check, verdict, says, nextStep } of findings) {
    if (verdict === "good") continue;
    output.err(`${check}: ${says}`);
    if (nextStep !== undefined) output.err(`  next  ${nextStep}`);
  }
}
