import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { fromHex, toHex } from "../../../protocol/bytes/hex.ts";
import { HdlcClient } from "../../../protocol/link/hdlc/client.ts";
import { decodeHdlcFrame, type HdlcFrame } from "../../../protocol/link/hdlc/frame.ts";
import { stripLlc } from "../../../protocol/link/hdlc/llc.ts";
import type { LinkEvent } from "../../../protocol/link/link.ts";

interface SessionCase {
  readonly id: string;
  readonly layer: string;
  readonly input: { readonly steps: readonly { readonly dir: "TX" | "RX"; readonly hex: string }[] };
}

/** Captures of real meters, which may be read in place but not be part of this repository. */
const FIELD = join(import.meta.dirname, "..", "..", "..", "..", "shared", "corpus", "field", "security.json");
const sessions = existsSync(FIELD)
  ? (JSON.parse(readFileSync(FIELD, "utf8")) as SessionCase[]).filter(({ layer }) => layer === "hdlc-session")
  : [];

function frameOf(octets: Uint8Array): HdlcFrame {
  const frame = decodeHdlcFrame(octets)?.frame;
  if (frame === undefined) throw new Error("the recording holds an unfinished frame");
  return frame;
}

/** Plays a recorded head end: what it sent, our client must send; what it heard, our client must take. */
class Replay {
  #client: HdlcClient | undefined;
  readonly sent: string[] = [];
  readonly events: LinkEvent[] = [];

  /** Gives our client the order that must lead to these octets. */
  sends(octets: Uint8Array): void {
    const frame = frameOf(octets);
    const { type } = frame.control;
    // The recorded head end begins every link with DISC.
    if (type === "DISC") {
      this.#client = clientFor(frame);
      this.#client.command({ type: "open" }, 0);
    } else if (type === "I") this.#client?.command({ type: "send", apdu: stripLlc(frame.information) }, 0);
    const ours = this.#client?.takeBytes();
    if (ours) this.sent.push(toHex(ours));
  }

  hears(octets: Uint8Array): void {
    this.#client?.receive(octets, 0);
    for (let event = this.#client?.takeEvent(); event; event = this.#client?.takeEvent()) this.events.push(event);
  }
}

function clientFor({ source, destination }: HdlcFrame): HdlcClient {
  return new HdlcClient({
    clientSap: source.upper,
    server: destination,
    bareSnrm: true,
    discFirst: true,
  });
}

function replayed({ input }: SessionCase) {
  const replay = new Replay();
  const sent: string[] = [];
  const apdus: string[] = [];
  for (const { dir, hex } of input.steps) {
    const octets = fromHex(hex);
    if (dir === "TX") replay.sends(octets);
    else replay.hears(octets);
    if (dir === "TX") sent.push(hex);
    const { control, information } = frameOf(octets);
    if (dir === "RX" && control.type === "I") apdus.push(toHex(stripLlc(information)));
  }
  return { replay, recorded: { sent, apdus } };
}

// One test, not one a session: without the captures it must still be there, to say why it is skipped.
test.skipIf(sessions.length === 0)(
  "recorded sessions: our client sends what the recorded one did (needs ../shared/corpus/field)",
  () => {
    for (const session of sessions) {
      const { replay, recorded } = replayed(session);
      const taken = replay.events.filter((event) => event.type === "apdu");
      const bad = replay.events.filter((event) => event.type === "discarded" || event.type === "failed");
      const ours = { sent: replay.sent, apdus: taken.map(({ apdu }) => toHex(apdu)) };
      expect({ id: session.id, bad, ...ours }).toEqual({ id: session.id, bad: [], ...recorded });
    }
  },
);
