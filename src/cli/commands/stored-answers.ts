/** Answers about what is stored: of the daemon where one runs, else of the configuration's database itself. */
import { askForLines, type LocalOrder, NoDaemonError } from "../../api/local-client.ts";
import { loadConfig } from "../../config/load.ts";
import { type StoredReadings, storedReadings } from "../../gateway/stored-readings.ts";
import { openDatabase } from "../../store/database/database.ts";
import type { Output } from "../terminal/output.ts";
import { openPlace } from "./database-place.ts";

/** Where an answer may come from. */
export interface AnswerPlace {
  readonly socket: string;
  /** The configuration file. */
  readonly config: string;
}

export interface StoredQuestion<Line> {
  readonly order: LocalOrder;
  readonly schema: Parameters<typeof askForLines<Line>>[2];
  /** Gives the same lines without the daemon. */
  readonly alone: (stored: StoredReadings) => AsyncIterable<Line>;
}

/** Throws what the daemon said, and ConfigError, StoreError and ApiError where there is none. */
export async function* storedAnswers<Line>(
  { socket, config: file }: AnswerPlace,
  { order, schema, alone }: StoredQuestion<Line>,
  output: Output,
): AsyncGenerator<Line> {
  try {
    yield* askForLines(socket, order, schema);
    return;
  } catch (error) {
    if (!(error instanceof NoDaemonError)) throw error;
  }
  const config = await loadConfig(file);
  output.err(`no daemon answers on ${socket}: this is from the database of ${file}`);
  await using stack = new AsyncDisposableStack();
  const { url } = await openPlace({ config: file }, stack);
  const options = { url, connections: 2, applicationName: "dlms-gateway command", unlimited: true };
  yield* alone(await storedReadings(config, stack.use(await openDatabase(options))));
}
