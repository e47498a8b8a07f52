/** `read --dump`: everything that a client may read of a meter, as a description that `simulate` serves again. */
import { randomBytes } from "node:crypto";
import { z } from "zod";
import { toHex } from "../../../protocol/bytes/hex.ts";
import type { ObjectListElement } from "../../../protocol/cosem/object-list.ts";
import { objectListFromData } from "../../../protocol/cosem/object-list.ts";
import { causeOf } from "../../collect/causes/failure-cause.ts";
import { attributeOf } from "../../collect/read/layout-reader.ts";
import type { MeterConnection } from "../../collect/session/meter-connection.ts";
import { visitMeter } from "../../collect/session/meter-session.ts";
import { withKnownModel } from "../../config/model-quirks.ts";
import { meterSchema } from "../../config/schema.ts";
import { CounterFile } from "../../keys/counter-file.ts";
import type { ObjectDump } from "../../simulator/object-dump.ts";
import { dataToJson, type TypedJson } from "../../simulator/typed-json.ts";
import type { ExitReason } from "../terminal/exit-code.ts";
import type { Output } from "../terminal/output.ts";
import { Progress } from "../terminal/progress.ts";
import { defaultCounterFile, directTarget, meterInput } from "./direct-meter.ts";
import { ownSystemTitle } from "./own-title.ts";
import type { ReadOptions } from "./read-command.ts";

const BUDGET_MS = 3_600_000;
const ASSOCIATION_CLASSES: ReadonlySet<number> = new Set([12, 15]);
const SYSTEM_TITLE_LENGTH = 8;

export async function dumpCommand(words: readonly string[], options: ReadOptions, output: Output): Promise<ExitReason> {
  if (words.length > 0 || (options.tcp === undefined && options.serial === undefined)) {
    output.err("read --dump: say --tcp host:port or --serial path, and nothing else");
    return "usage";
  }
  const path = options.counters ?? defaultCounterFile();
  await using counters = await CounterFile.open({ path, randomOctets: randomBytes });
  const clientTitle = options.clientTitle ?? (await ownSystemTitle(path));
  const parsed = meterSchema.safeParse(meterInput({ ...options, clientTitle }));
  if (!parsed.success) throw new Error(`read --dump: ${z.prettifyError(parsed.error)}`);
  const target = directTarget(withKnownModel(parsed.data), counters);
  try {
    const dump = await visitMeter(target, { budgetMs: BUDGET_MS }, (connection) =>
      readDump(connection, { clientSap: target.association.clientSap, timeZone: options.timeZone ?? "UTC" }, output),
    );
    output.out(JSON.stringify(dump, undefined, 1));
    return "success";
  } catch (error) {
    const { says, evidence, nextStep } = causeOf(error);
    output.err(`${options.tcp ?? options.serial}: ${says}`);
    output.err(`  seen  ${evidence}`);
    output.err(`  next  ${nextStep}`);
    return "meterFailed";
  }
}

/** Who asked, and in which zone the meter's clock is. */
interface DumpSource {
  readonly clientSap: number;
  readonly timeZone: string;
}

async function readDump(connection: MeterConnection, source: DumpSource, output: Output): Promise<ObjectDump> {
  const list = await connection.readObjectList();
  if (list.type !== "data") throw new Error(`the meter does not show its object list: ${list.dataAccessResult}`);
  const elements = objectListFromData(list.data).filter(({ classId }) => !ASSOCIATION_CLASSES.has(classId));
  const objects: ObjectDump["objects"] = [];
  using progress = new Progress(output, elements.length, "objects");
  for (const element of elements) {
    objects.push(await readObject(connection, element));
    progress.at(objects.length);
  }
  const title = connection.agreement?.serverSystemTitle ?? new Uint8Array(SYSTEM_TITLE_LENGTH);
  return {
    meter: { serial: "dump", systemTitle: toHex(title), timeZone: source.timeZone },
    associations: [
      {
        name: "open",
        clientSap: source.clientSap,
        logicalName: "0.0.40.0.1.255",
        mechanism: "none",
        write: true,
      },
    ],
    objects,
  };
}

/** What the meter refuses is left out, so that it is refused again. */
async function readObject(
  connection: MeterConnection,
  { classId, version, logicalName, attributes }: ObjectListElement,
): Promise<ObjectDump["objects"][number]> {
  const values: [string, TypedJson][] = [];
  for (const { id, read } of attributes) {
    if (id <= 1 || !read) continue;
    const result = await connection.get(attributeOf({ classId, logicalName, attributeId: id }));
    if (result.type === "data") values.push([String(id), dataToJson(result.data)]);
  }
  const writable = attributes.filter(({ write }) => write).map(({ id }) => id);
  return { class: classId, version, logicalName, attributes: Object.fromEntries(values), writable };
}
