import { mkdtempSync, rmSync, symlinkSync, unlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test, vi } from "vitest";
import { SerialBus } from "../../../drivers/serial/bus.ts";
import type { SerialTurn } from "../../../drivers/serial/turn.ts";
import { Pty } from "./pty.ts";

/** The machine may be loaded. */
const PATIENCE = { timeout: 15_000 };

function listenTo(turn: SerialTurn): { octets: number[]; ends: (Error | undefined)[] } {
  const heard: { octets: number[]; ends: (Error | undefined)[] } = { octets: [], ends: [] };
  turn.start({ bytes: (bytes) => heard.octets.push(...bytes), closed: (cause) => heard.ends.push(cause) });
  return heard;
}

/** A path that leads to whichever line is plugged in, as those in /dev/serial/by-id do. */
class ById implements Disposable {
  readonly #directory = mkdtempSync(join(tmpdir(), "by-id-"));
  readonly path = join(this.#directory, "usb-optical-head");

  plug(pty: Pty): void {
    symlinkSync(pty.path, this.path);
  }
  unplug(pty: Pty): void {
    unlinkSync(this.path);
    pty.unplug();
  }
  [Symbol.dispose](): void {
    rmSync(this.#directory, { recursive: true });
  }
}

test("serial bus: one talks at a time, in the order of asking, each at its speed", async () => {
  const said: string[] = [];
  using pty = new Pty((octets) => said.push(`${pty.baud}:${octets[0]}`));
  await using bus = new SerialBus({ path: pty.path });
  let talking = 0;
  const visit = async (number: number, baud: number) => {
    const turn = await bus.turn({ baud, turnaroundMs: 5 });
    talking++;
    expect(talking).toBe(1);
    const heard = listenTo(turn);
    turn.write(Uint8Array.of(number));
    await vi.waitFor(() => expect(said.at(-1)).toBe(`${baud}:${number}`), PATIENCE);
    talking--;
    turn.close();
    await vi.waitFor(() => expect(heard.ends).toEqual([undefined]), PATIENCE);
  };
  await Promise.all([visit(1, 9600), visit(2, 300), visit(3, 2400), visit(4, 9600)]);
  expect(said).toEqual(["9600:1", "300:2", "2400:3", "9600:4"]);
});

test("serial bus: what comes between two turns is nobody's, and the next one waits for silence", async () => {
  using pty = new Pty(() => {});
  await using bus = new SerialBus({ path: pty.path });
  const first = await bus.turn({ baud: 9600 });
  const heard = listenTo(first);
  pty.say(Uint8Array.of(1));
  await vi.waitFor(() => expect(heard.octets).toEqual([1]), PATIENCE);
  first.close();
  const waiting = bus.turn({ baud: 9600, turnaroundMs: 100 });
  pty.say(Uint8Array.of(2));
  const startedMs = performance.now();
  const second = await waiting;
  expect(performance.now() - startedMs).toBeGreaterThan(50);
  expect(heard.octets).toEqual([1]);
  expect(listenTo(second).octets).toEqual([]);
});

test("serial bus: who gives up waiting is passed over", async () => {
  using pty = new Pty(() => {});
  await using bus = new SerialBus({ path: pty.path });
  const turn = await bus.turn({ baud: 9600 });
  const abort = new AbortController();
  const given = bus.turn({ baud: 9600, signal: abort.signal });
  const served = bus.turn({ baud: 9600 });
  abort.abort();
  await expect(given).rejects.toMatchObject({ code: "CHANNEL_ABORTED" });
  expect(bus.waiting).toBe(1);
  turn.close();
  (await served).close();
});

test("serial bus: a port that is unplugged ends the turn; plugged in again it serves the next one", async () => {
  using byId = new ById();
  using first = new Pty(() => {});
  byId.plug(first);
  await using bus = new SerialBus({ path: byId.path, openTimeoutMs: 5000 });
  const turn = await bus.turn({ baud: 9600 });
  const heard = listenTo(turn);
  byId.unplug(first);
  await vi.waitFor(
    () => expect(heard.ends).toEqual([expect.objectContaining({ code: "CHANNEL_UNPLUGGED" })]),
    PATIENCE,
  );
  const waiting = bus.turn({ baud: 9600 });
  await sleep(300);
  using second = new Pty((octets) => second.say(octets));
  byId.plug(second);
  const again = await waiting;
  const echoed = listenTo(again);
  again.write(Uint8Array.of(5));
  await vi.waitFor(() => expect(echoed.octets).toEqual([5]), PATIENCE);
});

test("serial bus: a port that stays away is told as missing, and those behind are served in turn", async () => {
  using byId = new ById();
  await using bus = new SerialBus({ path: byId.path, openTimeoutMs: 50 });
  const turns = await Promise.allSettled([bus.turn({ baud: 9600 }), bus.turn({ baud: 9600 })]);
  const missing = { status: "rejected", reason: expect.objectContaining({ code: "CHANNEL_PORT_MISSING" }) };
  expect(turns).toEqual([missing, missing]);
});

test("serial bus: an idle port is given back; a closed bus cuts the turn and refuses those that wait", async () => {
  using pty = new Pty(() => {});
  await using bus = new SerialBus({ path: pty.path, idleCloseMs: 20 });
  (await bus.turn({ baud: 9600 })).close();
  await using other = new SerialBus({ path: pty.path, openTimeoutMs: PATIENCE.timeout });
  const heard = listenTo(await other.turn({ baud: 9600 }));
  const [refused] = await Promise.allSettled([other.turn({ baud: 9600 }), other.close()]);
  expect(refused).toMatchObject({ status: "rejected", reason: { code: "CHANNEL_ABORTED" } });
  expect(heard.ends).toEqual([expect.objectContaining({ code: "CHANNEL_ABORTED" })]);
  await expect(other.turn({ baud: 9600 })).rejects.toMatchObject({ code: "CHANNEL_ABORTED" });
});

test("serial bus: one that is closed while its port is being opened gives the port back", async () => {
  using pty = new Pty(() => {});
  const bus = new SerialBus({ path: pty.path });
  const [refused] = await Promise.allSettled([bus.turn({ baud: 9600 }), bus.close()]);
  expect(refused).toMatchObject({ status: "rejected", reason: { code: "CHANNEL_ABORTED" } });
  await using other = new SerialBus({ path: pty.path });
  await other.turn({ baud: 9600 });
});

test("serial bus: who waits for silence hears that the port is gone", async () => {
  using byId = new ById();
  using pty = new Pty(() => {});
  byId.plug(pty);
  await using bus = new SerialBus({ path: byId.path });
  const first = await bus.turn({ baud: 9600 });
  const heard = listenTo(first);
  pty.say(Uint8Array.of(1));
  await vi.waitFor(() => expect(heard.octets).toEqual([1]), PATIENCE);
  const waiting = bus.turn({ baud: 9600, turnaroundMs: 1900 });
  first.close();
  byId.unplug(pty);
  // Before the turn begins, or when it has.
  const unplugged = expect.objectContaining({ code: "CHANNEL_UNPLUGGED" });
  await waiting.then(
    async (turn) => {
      const { ends } = listenTo(turn);
      await vi.waitFor(() => expect(ends).toEqual([unplugged]), PATIENCE);
    },
    (error: unknown) => expect(error).toEqual(unplugged),
  );
});
