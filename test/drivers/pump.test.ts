import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Pump } from "../../drivers/pump.ts";
import type { Machine } from "../../protocol/machine.ts";
import { TestChannel } from "./test-channel.ts";

/** Echoes octets, tells each as an event, wants a timeout 100 ms after the last input unless told to be quiet. */
class EchoMachine implements Machine<string, string> {
  readonly bytes: Uint8Array[] = [];
  readonly events: string[] = [];
  deadline: number | undefined;
  broken = false;

  command(command: string, nowMs: number): void {
    if (command === "refuse") throw new Error("refused");
    if (command === "gone") this.events.push("last words");
    this.deadline = command === "quiet" ? undefined : nowMs + 100;
    this.bytes.push(new TextEncoder().encode(command));
  }
  receive(bytes: Uint8Array, nowMs: number): void {
    if (this.broken) throw new Error("broken machine");
    this.deadline = nowMs + 100;
    this.events.push(new TextDecoder().decode(bytes));
  }
  timeout(nowMs: number): void {
    if (this.deadline === undefined || nowMs < this.deadline) throw new Error("timeout before the deadline");
    this.deadline = undefined;
    this.events.push("timeout");
  }
  takeBytes(): Uint8Array | undefined {
    return this.bytes.shift();
  }
  takeEvent(): string | undefined {
    return this.events.shift();
  }
  deadlineMs(): number | undefined {
    return this.deadline;
  }
}

function setUp(event: (event: string, pump: Pump<string, string>) => void = () => {}, ended?: string) {
  const machine = new EchoMachine();
  const channel = new TestChannel();
  const heard: string[] = [];
  const pump: Pump<string, string> = new Pump(
    machine,
    channel,
    {
      event(text) {
        heard.push(text);
        event(text, pump);
      },
      closed: (cause) => heard.push(`closed ${cause?.message ?? "orderly"}`),
      fault: (error) => heard.push(`fault ${error instanceof Error ? error.message : "?"}`),
    },
    ended === undefined ? {} : { ended },
  );
  pump.start();
  const written = () => channel.written.map((bytes) => new TextDecoder().decode(bytes));
  return { machine, channel, heard, pump, written };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("pump: no timer while the machine has no deadline, one while it has, none after the end", () => {
  const { pump, channel } = setUp();
  expect(vi.getTimerCount()).toBe(0);
  pump.command("a");
  pump.command("b");
  channel.say(Uint8Array.of(0x63));
  expect(vi.getTimerCount()).toBe(1);
  pump.command("quiet");
  expect(vi.getTimerCount()).toBe(0);
  pump.command("d");
  channel.sink?.closed();
  expect(vi.getTimerCount()).toBe(0);
});

test("pump: a deadline that moves on is kept, and met at its time", () => {
  const { pump, heard, channel } = setUp();
  pump.command("a");
  for (let i = 0; i < 10; i++) {
    vi.advanceTimersByTime(90);
    channel.say(Uint8Array.of(0x78));
  }
  expect(heard).not.toContain("timeout");
  vi.advanceTimersByTime(99);
  expect(heard).not.toContain("timeout");
  vi.advanceTimersByTime(2);
  expect(heard.at(-1)).toBe("timeout");
  expect(vi.getTimerCount()).toBe(0);
});

test("pump: an earlier deadline replaces a later one", () => {
  const { pump, machine, heard } = setUp();
  pump.command("a");
  machine.deadline = performance.now() + 10;
  pump.command("quiet");
  machine.deadline = performance.now() + 5;
  pump.command("b");
  vi.advanceTimersByTime(101);
  expect(heard).toEqual(["timeout"]);
});

test("pump: an order given out of an event is carried out, and a refused one changes nothing", () => {
  const { channel, heard, written } = setUp((event, pump) => {
    if (event !== "ping") return;
    pump.command("pong");
    expect(() => pump.command("refuse")).toThrow("refused");
  });
  channel.say(new TextEncoder().encode("ping"));
  expect(written()).toEqual(["pong"]);
  expect(heard).toEqual(["ping"]);
});

test("pump: octets ordered just before close are still written", () => {
  const { channel, written } = setUp((_, pump) => {
    pump.command("last");
    pump.close();
  });
  channel.say(Uint8Array.of(0x78));
  expect(written()).toEqual(["last"]);
  expect(channel.closeCount).toBe(1);
});

test("pump: a sink that throws is told and the session goes on", () => {
  const { channel, heard } = setUp((event) => {
    if (event === "bad") throw new Error("sink");
  });
  channel.say(new TextEncoder().encode("bad"));
  channel.say(new TextEncoder().encode("good"));
  expect(heard).toEqual(["bad", "fault sink", "good"]);
});

test("pump: a machine that throws on octets ends the channel", async () => {
  const { channel, heard, machine } = setUp();
  machine.broken = true;
  channel.say(Uint8Array.of(1));
  await Promise.resolve();
  expect(heard).toEqual(["fault broken machine", "closed orderly"]);
  expect(channel.closeCount).toBe(1);
});

test("pump: the end is told once and nothing after it", () => {
  const { channel, heard } = setUp();
  channel.sink?.closed(new Error("reset"));
  channel.sink?.closed();
  channel.say(Uint8Array.of(0x61));
  expect(heard).toEqual(["closed reset"]);
});

test("pump: the machine is told of the channel's end, and its last events come before the end", () => {
  const { channel, heard } = setUp(undefined, "gone");
  channel.sink?.closed(new Error("reset"));
  expect(heard).toEqual(["last words", "closed reset"]);
  expect(vi.getTimerCount()).toBe(0);
});
