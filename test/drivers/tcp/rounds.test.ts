import { expect, test } from "vitest";
import { Rounds } from "../../../drivers/tcp/rounds.ts";

/** Connections that answer what comes, some promises later; `log` says in which order things happened. */
function answering(rounds: Rounds, count: number, log: string[]) {
  return Array.from({ length: count }, (_, index) => {
    const member = {
      deliver: (octets: Uint8Array) => {
        log.push(`${index} takes ${octets.join(" ")}`);
        void Promise.resolve()
          .then(() => Promise.resolve())
          .then(() => rounds.wantsToSend(member));
      },
      send: () => void log.push(`${index} sends`),
    };
    return member;
  });
}

const roundOver = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

test("rounds: all that has come is handed out in its order, then all that is said to it goes out", async () => {
  const rounds = new Rounds();
  const log: string[] = [];
  const [first, second] = answering(rounds, 2, log);
  if (first === undefined || second === undefined) throw new Error("two were asked for");
  const memory = Uint8Array.of(1);
  rounds.arrived(first, memory);
  memory[0] = 2;
  rounds.arrived(second, memory);
  expect(log).toEqual([]);
  await roundOver();
  expect(log).toEqual(["0 takes 1", "1 takes 2", "0 sends", "1 sends"]);
});

test("rounds: what is said unasked goes out as well", async () => {
  const rounds = new Rounds();
  const log: string[] = [];
  const [only] = answering(rounds, 1, log);
  if (only === undefined) throw new Error("one was asked for");
  rounds.wantsToSend(only);
  await roundOver();
  expect(log).toEqual(["0 sends"]);
});

test("rounds: no more than a megabyte waits", () => {
  const rounds = new Rounds();
  const delivered: number[] = [];
  const member = { deliver: (octets: Uint8Array) => void delivered.push(octets.length), send: () => undefined };
  const piece = new Uint8Array(64 * 1024);
  for (let pieces = 0; pieces < 16; pieces++) rounds.arrived(member, piece);
  expect(delivered).toEqual([]);
  rounds.arrived(member, piece);
  expect(delivered).toHaveLength(16);
});
