import { expect, test } from "vitest";
import { hdlcAddress } from "../../../../protocol/link/hdlc/address.ts";
import { HdlcClient } from "../../../../protocol/link/hdlc/client.ts";
import { HdlcServer } from "../../../../protocol/link/hdlc/server.ts";
import type { LinkCommand } from "../../../../protocol/link/link.ts";
import { ModeELink } from "../../../../src/collect/session/mode-e-link.ts";

const HDLC = "\x7e";

/** A link on a virtual clock; what it sends and does to the line, in order. */
class Played {
  readonly link: ModeELink;
  readonly done: string[] = [];
  nowMs = 0;

  constructor(lastBaud?: number) {
    this.link = new ModeELink({
      opening: { responseTimeoutMs: 1000, retryDelayMs: 2000, maxRetries: 1 },
      hdlc: () => new HdlcClient({ clientSap: 16, server: hdlcAddress(1), responseTimeoutMs: 1000, maxRetries: 0 }),
      setLine: ({ baud }) => this.done.push(`line ${baud}`),
      onOpened: (baud) => this.done.push(`told ${baud}`),
      ...(lastBaud !== undefined && { lastBaud }),
    });
  }

  command(command: LinkCommand): string[] {
    this.link.command(command, this.nowMs);
    return this.happens();
  }

  hears(text: string | Uint8Array): string[] {
    const octets = typeof text === "string" ? Uint8Array.from(text, (each) => each.charCodeAt(0)) : text;
    this.link.receive(octets, this.nowMs);
    return this.happens();
  }

  /** Lets time pass until the next deadline. */
  waits(): string[] {
    this.nowMs = this.link.deadlineMs() ?? this.nowMs;
    this.link.timeout(this.nowMs);
    return this.happens();
  }

  happens(): string[] {
    for (let octets = this.link.takeBytes(); octets !== undefined; octets = this.link.takeBytes()) {
      const text = String.fromCharCode(...octets);
      this.done.push(text.startsWith(HDLC) ? "HDLC" : text);
    }
    for (let event = this.link.takeEvent(); event !== undefined; event = this.link.takeEvent()) {
      this.done.push(event.type === "failed" ? `failed ${event.error.code}` : event.type);
    }
    return this.done.splice(0);
  }
}

function signOn(played: Played): void {
  expect(played.command({ type: "open" })).toEqual(["line 300", "/?!\r\n"]);
  expect(played.hears("/APA5\\2X\r\n")).toEqual([]);
  expect(played.waits()).toEqual(["\x06252\r\n"]);
  expect(played.hears("\x06252\r\n")).toEqual([]);
  expect(played.waits()).toEqual(["line 9600"]);
  expect(played.waits()).toEqual(["told 9600", "HDLC"]);
}

test("mode E link: signs on, changes the speed, and goes on as HDLC", () => {
  const played = new Played();
  signOn(played);
  const server = new HdlcServer({ logicalDevices: [1] });
  server.command({ type: "open" }, 0);
  const snrm = new HdlcClient({ clientSap: 16, server: hdlcAddress(1) });
  snrm.command({ type: "open" }, 0);
  server.receive(snrm.takeBytes() ?? new Uint8Array(0), 0);
  expect(played.hears(server.takeBytes() ?? "")).toEqual(["opened"]);
  expect(played.command({ type: "send", apdu: Uint8Array.of(1) })).toEqual(["HDLC"]);
  expect(played.command({ type: "channelEnded" })).toEqual(["closed"]);
  expect(played.command({ type: "open" })).toEqual(["line 300", "/?!\r\n"]);
});

test("mode E link: silence fails it; where the meter spoke HDLC a moment ago it is asked there once more", () => {
  const fresh = new Played();
  fresh.command({ type: "open" });
  expect(fresh.waits()).toEqual([]);
  expect(fresh.waits()).toEqual(["/?!\r\n"]);
  expect(fresh.waits()).toEqual(["failed LINK_NO_ANSWER"]);
  const known = new Played(4800);
  known.command({ type: "open" });
  expect(known.waits()).toEqual(["line 4800", "HDLC"]);
  expect(known.waits()).toEqual(["failed LINK_NO_ANSWER"]);
});

test("mode E link: a meter without HDLC is refused, also where HDLC was spoken before", () => {
  const played = new Played(9600);
  played.command({ type: "open" });
  expect(played.hears("/APA5X\r\n")).toEqual(["failed LINK_MODE_NOT_OFFERED"]);
  expect(played.link.deadlineMs()).toBeUndefined();
});

test("mode E link: an order to close or the end of the channel ends the opening; other orders don't fit", () => {
  for (const [command, octets] of [
    ["close", "/APA5\\2X\r\n"],
    ["channelEnded", ""],
  ] as const) {
    const played = new Played();
    played.command({ type: "open" });
    played.hears(octets);
    expect(() => played.command({ type: "open" })).toThrow("LINK_STATE");
    expect(() => played.command({ type: "send", apdu: Uint8Array.of(1) })).toThrow("LINK_STATE");
    expect(played.command({ type: command })).toEqual(["closed"]);
    expect(played.link.deadlineMs()).toBeUndefined();
    expect(played.hears("/APA5\\2X\r\n")).toEqual([]);
    expect(() => played.command({ type: "send", apdu: Uint8Array.of(1) })).toThrow("LINK_STATE");
    expect(played.command({ type: "close" })).toEqual([]);
  }
});

test("mode E link: noise before the identification is told", () => {
  const played = new Played();
  played.command({ type: "open" });
  expect(played.hears("\x7f\x00/APA5\\2X\r\n")).toEqual(["discarded"]);
});
