/** General block transfer: as the standard scripts it, and two sides over a wire that loses blocks. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { GeneralBlockTransfer } from "../../../protocol/apdu/general-block-transfer.ts";
import type { ClientSettings } from "../../../protocol/association/client/client-settings.ts";
import { GeneralBlockDialogue, UnconfirmedBlocks } from "../../../protocol/association/general-blocks.ts";
import { AssociationServer } from "../../../protocol/association/server/server.ts";
import type { Data } from "../../../protocol/axdr/data.ts";
import { conformanceFromNumber } from "../../../protocol/ber/conformance.ts";
import { fromHex } from "../../../protocol/bytes/hex.ts";
import { DlmsError } from "../../../protocol/errors.ts";
import type { Machine } from "../../../protocol/machine.ts";
import { ClientBench, failureIn, hex, PLAIN_SETTINGS } from "./client-bench.ts";
import { ApduPair } from "./pair.ts";
import { CLOCK, FixtureObjects, OPEN_RULE, SERVER_CHALLENGE } from "./server-fixture.ts";

const clock = { classId: 8, logicalName: CLOCK, attributeId: 2 };
const GET_CLOCK = { type: "get", attribute: clock } as const;
/** General blocks and GET with blocks; server PDU size 500. */
const AARE_WITH_BLOCKS = "6129A109060760857405080101A203020100A305A103020100BE10040E0800065F1F0400207E1F01F40007";
const WITH_BLOCKS: Partial<ClientSettings> = {
  conformance: conformanceFromNumber(0x207e1f),
  generalBlockWindow: 3,
  blockTimeoutMs: 400,
};

/** A value of 16 octets, in pieces. */
const ANSWER = hex("C4 01 C1 00 09 0C 07E9071703081E18FF014A00");
const piece = (from: number, to?: number) => ANSWER.slice(2 * from, to === undefined ? undefined : 2 * to);

test("general blocks: a plain request answered in a stream, acknowledged window by window", () => {
  const bench = ClientBench.associated(WITH_BLOCKS, AARE_WITH_BLOCKS);
  expect(bench.order(GET_CLOCK)).toMatch(/^c001/);
  expect(bench.hear(`E0 43 0001 0000 04 ${piece(0, 4)}`)).toEqual([{ type: "progress", octets: 4 }]);
  expect(bench.sent()).toBe("");
  bench.hear(`E0 43 0002 0000 04 ${piece(4, 8)}`);
  bench.hear(`E0 03 0003 0000 04 ${piece(8, 12)}`);
  expect(bench.sent()).toBe(hex("E0 83 0001 0003 00"));
  expect(bench.hear(`E0 83 0004 0001 06 ${piece(12)}`)).toMatchObject([{ type: "response" }]);
  expect(bench.sent()).toBe("");
});

test("general blocks: a full window is acknowledged, although its last block says that more is coming", () => {
  const bench = ClientBench.associated({ ...WITH_BLOCKS, generalBlockWindow: 1 }, AARE_WITH_BLOCKS);
  bench.order(GET_CLOCK);
  // The Gurux Java server, window 1.
  bench.hear(`E0 01 0001 0000 04 ${piece(0, 4)}`);
  expect(bench.sent()).toBe(hex("E0 81 0001 0001 00"));
  bench.hear(`E0 41 0002 0001 04 ${piece(4, 8)}`);
  expect(bench.sent()).toBe(hex("E0 81 0002 0002 00"));
  expect(bench.hear(`E0 81 0003 0002 0A ${piece(8)}`)).toMatchObject([{ type: "response" }]);
});

test("general blocks: a lost block is asked for by the number before it, and comes again", () => {
  const bench = ClientBench.associated(WITH_BLOCKS, AARE_WITH_BLOCKS);
  bench.order(GET_CLOCK);
  bench.hear(`E0 43 0001 0000 04 ${piece(0, 4)}`);
  bench.hear(`E0 03 0003 0000 04 ${piece(8, 12)}`);
  expect(bench.sent()).toBe(hex("E0 83 0001 0001 00"));
  bench.hear(`E0 43 0002 0001 04 ${piece(4, 8)}`);
  bench.hear(`E0 43 0003 0001 04 ${piece(8, 12)}`);
  expect(bench.hear(`E0 83 0004 0001 06 ${piece(12)}`)).toMatchObject([{ type: "response" }]);
});

test("general blocks: silence in the middle is answered by saying the same again, three times at most", () => {
  const bench = ClientBench.associated(WITH_BLOCKS, AARE_WITH_BLOCKS);
  bench.order(GET_CLOCK);
  bench.hear(`E0 03 0001 0000 04 ${piece(0, 4)}`);
  expect(bench.sent()).toBe(hex("E0 83 0001 0001 00"));
  for (let repetition = 0; repetition < 3; repetition++) {
    expect(bench.expire()).toEqual([]);
    expect(bench.sent()).toBe(hex("E0 83 0001 0001 00"));
  }
  expect(failureIn(bench.expire())).toMatchObject({ stage: "request", evidence: { type: "silence" } });
  expect(bench.client.state).toBe("associated");
});

test("general blocks: a peer that makes no progress does not hold the client", () => {
  const bench = ClientBench.associated(WITH_BLOCKS, AARE_WITH_BLOCKS);
  bench.order(GET_CLOCK);
  bench.hear(`E0 03 0001 0000 04 ${piece(0, 4)}`);
  for (let turn = 0; turn < 10 && bench.client.state === "requesting"; turn++) bench.hear("E0 03 0007 0000 01 00");
  expect(bench.client.state).toBe("associated");
  bench.order(GET_CLOCK);
  bench.hear(`E0 43 0001 0000 04 ${piece(0, 4)}`);
  const deadlineMs = bench.client.deadlineMs();
  bench.nowMs += 100;
  for (let block = 0; block < 10; block++) bench.hear("E0 43 0007 0000 01 00");
  expect(bench.client.deadlineMs()).toBe(deadlineMs);
});

test("general blocks: a push in blocks between request and answer is joined by itself", () => {
  const bench = ClientBench.associated(WITH_BLOCKS, AARE_WITH_BLOCKS);
  bench.order(GET_CLOCK);
  bench.hear("E0 40 0001 0000 05 0F 40000001");
  expect(bench.hear("E0 C0 0002 0000 06 00 0600000007")).toMatchObject([{ type: "notification" }]);
  expect(bench.sent()).toBe("");
  expect(bench.hear(ANSWER)).toMatchObject([{ type: "response" }]);
});

function pushed(blockNumber: number, blockData: string, lastBlock = false): GeneralBlockTransfer {
  const blockControl = { lastBlock, streaming: true, window: 0 };
  return { blockControl, blockNumber, blockNumberAck: 0, blockData: fromHex(blockData) };
}

test("general blocks: an unconfirmed transfer with a gap is dropped, the next one is taken", () => {
  const blocks = new UnconfirmedBlocks();
  expect(blocks.receive(pushed(1, "01"))).toBeUndefined();
  expect(blocks.receive(pushed(3, "03", true))).toBeUndefined();
  expect(blocks.receive(pushed(2, "02", true))).toBeUndefined();
  expect(blocks.receive(pushed(1, "01"))).toBeUndefined();
  expect(blocks.receive(pushed(2, "02", true))).toEqual(fromHex("0102"));
});

test("general blocks: what an unconfirmed transfer lost can be looked at; a block that comes twice counts once", () => {
  const blocks = new UnconfirmedBlocks();
  blocks.receive(pushed(1, "01"));
  expect(blocks.joined).toBe(1);
  expect(blocks.takeDropped()).toBeUndefined();
  blocks.receive(pushed(3, "03"));
  expect([blocks.takeDropped(), blocks.takeDropped()]).toEqual([fromHex("0103"), undefined]);
  blocks.receive(pushed(1, "01"));
  blocks.receive(pushed(1, "11"));
  expect(blocks.takeDropped()).toEqual(fromHex("01"));
  blocks.receive(pushed(2, "02"));
  expect(blocks.receive(pushed(2, "02"))).toBeUndefined();
  expect(blocks.receive(pushed(3, "03", true))).toEqual(fromHex("110203"));
  blocks.receive(pushed(1, "01"));
  blocks.drop();
  expect(blocks.takeDropped()).toEqual(fromHex("01"));
});

function octets(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => index);
}

function value(length: number): Data {
  return { type: "octet-string", value: octets(length) };
}

/** Both sides say an APDU; blocks get lost; whoever hears nothing repeats itself. */
function converse(
  sizes: { readonly question: number; readonly answer: number; readonly block: number; readonly window: number },
  lost: () => boolean,
): { readonly heard: Uint8Array | undefined; readonly answered: Uint8Array | undefined } {
  const options = { blockLength: sizes.block, window: sizes.window };
  const client = new GeneralBlockDialogue(options);
  const server = new GeneralBlockDialogue(options);
  let heard: Uint8Array | undefined;
  let answered: Uint8Array | undefined;
  client.send(octets(sizes.question));
  try {
    talk();
  } catch (error) {
    // A side that is asked for the same too often gives up.
    if (!(error instanceof DlmsError) || error.code !== "BLOCK_NUMBER_INVALID") throw error;
  }
  return { heard, answered };

  function talk(): void {
    for (let round = 0; round < 5000 && answered === undefined; round++) {
      let moved = false;
      for (let block = client.takeBlock(); block !== undefined; block = client.takeBlock()) {
        moved = true;
        if (lost()) continue;
        const whole = heard === undefined ? server.receive(block) : void server.receive(block);
        if (whole === undefined) continue;
        heard = whole;
        server.send(octets(sizes.answer));
      }
      for (let block = server.takeBlock(); block !== undefined; block = server.takeBlock()) {
        moved = true;
        if (!lost()) answered ??= client.receive(block);
      }
      if (!moved && !client.repeat()) break;
    }
  }
}

test("general blocks: APDUs of every length pass both ways in windows of every size", () => {
  for (const window of [1, 2, 3, 63]) {
    for (const length of [1, 9, 10, 11, 19, 20, 21, 100, 641]) {
      const { heard, answered } = converse({ question: length, answer: 2 * length, block: 10, window }, () => false);
      expect(heard?.length).toBe(length);
      expect(answered?.length).toBe(2 * length);
    }
  }
});

test("general blocks: what passes a wire that loses blocks is whole and in order", () => {
  let whole = 0;
  fc.assert(
    fc.property(
      fc.record({
        question: fc.integer({ min: 1, max: 200 }),
        answer: fc.integer({ min: 1, max: 400 }),
        block: fc.integer({ min: 8, max: 64 }),
        window: fc.integer({ min: 1, max: 8 }),
      }),
      fc.infiniteStream(fc.noBias(fc.nat(99))),
      (sizes, draws) => {
        const { heard, answered } = converse(sizes, () => (draws.next().value ?? 0) < 10);
        expect(heard ?? octets(sizes.question)).toEqual(octets(sizes.question));
        expect(answered ?? octets(sizes.answer)).toEqual(octets(sizes.answer));
        if (answered !== undefined) whole++;
      },
    ),
    { numRuns: 300 },
  );
  expect(whole).toBeGreaterThan(200);
});

/** The server machine behind a wire that may lose blocks; counts those that arrive. */
class LossyServer implements Machine<never, unknown> {
  readonly #server: AssociationServer;
  readonly #lost: () => boolean;
  inBlocks = 0;

  constructor(server: AssociationServer, lost: () => boolean = () => false) {
    this.#server = server;
    this.#lost = lost;
  }

  command(): void {}
  timeout(): void {}
  takeEvent(): undefined {
    while (this.#server.takeEvent() !== undefined);
  }
  deadlineMs(): undefined {}

  receive(bytes: Uint8Array, nowMs: number): void {
    if (bytes[0] === 0xe0) this.inBlocks++;
    if (bytes[0] !== 0xe0 || !this.#lost()) this.#server.receive(bytes, nowMs);
  }

  takeBytes(): Uint8Array | undefined {
    for (let bytes = this.#server.takeBytes(); bytes; bytes = this.#server.takeBytes()) {
      if (bytes[0] !== 0xe0 || !this.#lost()) return bytes;
    }
    return undefined;
  }
}

/** No block transfer but the general one. */
const GENERAL_ONLY = conformanceFromNumber(0x20021f);

function blockServer(maxReceivePduSize: number, onSet: () => void = () => undefined) {
  const objects = new FixtureObjects();
  objects.values.set(FixtureObjects.key(8, CLOCK, 2), value(700));
  const set = objects.set;
  objects.set = (...order) => {
    onSet();
    return set(...order);
  };
  const server = new AssociationServer({
    clientSap: 16,
    serverSap: 1,
    rule: () => ({ ...OPEN_RULE, conformance: GENERAL_ONLY, maxReceivePduSize }),
    objects,
    randomOctets: (length) => SERVER_CHALLENGE.subarray(0, length),
  });
  return { objects, server };
}

test.each(["always", "when-needed"] as const)(
  "general blocks, %s: long requests and answers pass in them, by the server machine",
  (generalBlocks) => {
    const { objects, server: machine } = blockServer(200);
    const server = new LossyServer(machine);
    const settings = { ...PLAIN_SETTINGS, conformance: GENERAL_ONLY, generalBlocks, maxReceivePduSize: 2000 };
    const pair = new ApduPair(settings, server);
    expect(pair.run({ type: "associate" }).at(-1)).toMatchObject({ type: "associated" });
    expect(pair.ask(GET_CLOCK)).toEqual({ type: "get", result: { type: "data", data: value(700) } });
    expect(server.inBlocks > 0).toBe(generalBlocks === "always");
    for (const length of [1, 150, 180, 190, 200, 700, 1990, 2000]) {
      expect(pair.ask({ type: "set", attribute: clock, value: value(length) })).toEqual({
        type: "set",
        result: "success",
      });
      expect(objects.values.get(FixtureObjects.key(8, CLOCK, 2))).toEqual(value(length));
      expect(pair.ask(GET_CLOCK)).toEqual({ type: "get", result: { type: "data", data: value(length) } });
    }
    expect(server.inBlocks).toBeGreaterThan(0);
  },
);

test("general blocks: over a wire that loses blocks, requests are carried out once and answers are whole", () => {
  let whole = 0;
  fc.assert(
    fc.property(
      fc.infiniteStream(fc.noBias(fc.nat(99))),
      fc.integer({ min: 1, max: 8 }),
      (draws, generalBlockWindow) => {
        let sets = 0;
        const { server } = blockServer(120, () => sets++);
        const lossy = new LossyServer(server, () => (draws.next().value ?? 0) < 8);
        const pair = new ApduPair(
          {
            ...PLAIN_SETTINGS,
            conformance: GENERAL_ONLY,
            generalBlocks: "always",
            generalBlockWindow,
            maxReceivePduSize: 100,
            responseTimeoutMs: 60_000,
            blockTimeoutMs: 1000,
          },
          lossy,
        );
        pair.run({ type: "associate" });
        const outcomes = [{ type: "set", attribute: clock, value: value(600) } as const, GET_CLOCK].map((order) =>
          pair.run(order).at(-1),
        );
        expect(sets).toBeLessThanOrEqual(1);
        const [set, get] = outcomes;
        if (set?.type !== "response" || get?.type !== "response") return;
        whole++;
        expect(get.response).toEqual({ type: "get", result: { type: "data", data: value(600) } });
      },
    ),
    { numRuns: 100 },
  );
  expect(whole).toBeGreaterThan(60);
});

test("general blocks: an APDU that is too long is refused where nothing can carry it", () => {
  const bench = ClientBench.associated({}, AARE_WITH_BLOCKS.replace("207E1F", "00021F"));
  const value: Data = { type: "octet-string", value: new Uint8Array(600) };
  expect(() => bench.order({ type: "set", attribute: clock, value })).toThrow("PDU_TOO_LONG");
  expect(bench.client.state).toBe("associated");
  expect(bench.sent()).toBe("");
});
