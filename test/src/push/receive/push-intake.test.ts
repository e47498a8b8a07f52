import { expect, test } from "vitest";
import { decodeApdu, encodeApdu } from "../../../../protocol/apdu/apdu.ts";
import { fromHex, toHex } from "../../../../protocol/bytes/hex.ts";
import { ApduProtection } from "../../../../protocol/security/apdu-protection.ts";
import type { GatewayEvent } from "../../../../src/observe/events.ts";
import type { ProfileBatch } from "../../../../src/profiles/batch.ts";
import { PUSH_MAPPING } from "../../../../src/profiles/push-mapping.ts";
import { PushIntake, type PushStore } from "../../../../src/push/receive/push-intake.ts";
import { PushReader } from "../../../../src/push/receive/push-reader.ts";
import type { PushMapping } from "../../../../src/push/receive/push-record.ts";
import type { PushSender, SenderDirectory } from "../../../../src/push/senders/sender-directory.ts";
import type { PushFate, ReceivedPush } from "../../../../src/store/push/received-push.ts";
import { AUTHENTICATION_KEY, BLOCK_CIPHER_KEY, directory, OWN_TITLE, sender } from "../senders.ts";

const MAPPING: PushMapping = PUSH_MAPPING;
const ORIGIN = { host: "192.0.2.7", port: 40_000, transport: "tcp" } as const;
const CONFIRMED = 0x4000_0007;

class TestStore implements PushStore {
  readonly pushes: ReceivedPush[] = [];
  readonly batches: ProfileBatch[] = [];
  /** Set to hold writing back. */
  gate: Promise<void> | undefined;
  refuse: (push: ReceivedPush) => boolean = () => false;
  fate: PushFate = "kept";

  async putPush(push: ReceivedPush): Promise<{ written: Promise<PushFate> }> {
    const written = (async () => {
      await this.gate;
      if (this.refuse(push)) throw new Error("refused");
      this.pushes.push(push);
      return this.fate;
    })();
    written.catch(() => undefined);
    return { written };
  }

  async putRows(batch: ProfileBatch): Promise<{ written: Promise<void> }> {
    const written = (async () => {
      await this.gate;
      this.batches.push(batch);
    })();
    return { written };
  }
}

function intakeFor(senders: SenderDirectory, mapping = MAPPING) {
  const store = new TestStore();
  const events: GatewayEvent[] = [];
  const intake = new PushIntake({ directory: senders, store, mapping, events: (event) => events.push(event) });
  const take = async (apdu: Uint8Array): Promise<(Uint8Array | undefined)[]> => {
    const reader = new PushReader(intake.openersAt(ORIGIN.host));
    const outcomes = reader.receive({ apdu, sourceSap: 1, destinationSap: 64 });
    return Promise.all(outcomes.map((outcome) => intake.keep(outcome, ORIGIN)));
  };
  return { store, events, intake, take };
}

/** A list with names, values and units, as Austrian meters send it: number, energy, power. */
function notification(longInvokeIdAndPriority: number, number: string): Uint8Array {
  const text = Buffer.from(number).toString("hex");
  const body = `0203${named("0000600100ff", `09${octetCount(text)}${text}`)}${named("0100010800ff", "0600003039", "1e")}`;
  const header = longInvokeIdAndPriority.toString(16).padStart(8, "0");
  return fromHex(`0f${header}0c07e60b0c0610360000ffc400${body}${named("0100010700ff", "0600000102", "1b")}`);
}

function named(name: string, value: string, unit?: string): string {
  return `02${unit === undefined ? "02" : "03"}0906${name}${value}${unit === undefined ? "" : `02020f0016${unit}`}`;
}

function octetCount(hex: string): string {
  return (hex.length / 2).toString(16).padStart(2, "0");
}

const PLAIN = notification(1, "A-0001");

test("push intake: a push of a known number is stored with its values, its time and its meter", async () => {
  const meter = sender(1);
  const { store, events, take } = intakeFor(directory([meter], { numbers: { "A-0001": meter } }));
  expect(await take(PLAIN)).toEqual([undefined]);
  expect(store.pushes).toMatchObject([
    {
      meterId: meter.meterId,
      peer: "192.0.2.7:40000",
      outcome: "stored",
      protection: "none",
      verified: false,
      marks: ["in-the-clear"],
      readAt: new Date("2022-11-12T15:54:00Z"),
      values: [
        { captureObject: "1:0.0.96.1.0.255:2", value: "A-0001", isNumber: false },
        { captureObject: "3:1.0.1.8.0.255:2", value: "12345", isNumber: true, unit: "W.h" },
        { captureObject: "3:1.0.1.7.0.255:2", value: "258", isNumber: true, unit: "W" },
      ],
    },
  ]);
  expect(store.batches).toMatchObject([{ meterKey: 1, profile: "instant", source: "push", rowCount: 1 }]);
  expect(events).toEqual([{ event: "pushReceived", peer: "192.0.2.7:40000", meter: "meter-1", values: 3 }]);
});

test("push intake: what nobody is known to have sent is kept with its values, for no meter", async () => {
  const { store, take } = intakeFor(directory([sender(1)], { hosts: { [ORIGIN.host]: [sender(1)] } }));
  await take(PLAIN);
  expect(store.pushes).toMatchObject([
    { meterId: undefined, outcome: "partial", reason: "the sender is not known", values: [{}, {}, {}] },
  ]);
  expect(store.batches).toEqual([]);
});

test("push intake: a push without any name is of the one meter that is reached at its address, and says so", async () => {
  const body = fromHex("0f00000001000202060000303906000000ff");
  const alone = intakeFor(directory([], { hosts: { [ORIGIN.host]: [sender(1)] } }));
  await alone.take(body);
  expect(alone.store.pushes).toMatchObject([
    { meterId: sender(1).meterId, marks: ["sender-by-address", "in-the-clear"] },
  ]);
  expect(alone.store.pushes[0]?.reason).toBe("2 of 2 values have no name");
  const shared = intakeFor(directory([], { hosts: { [ORIGIN.host]: [sender(1), sender(2)] } }));
  await shared.take(body);
  expect(shared.store.pushes).toMatchObject([{ meterId: undefined, outcome: "partial" }]);
});

function sealed(meter: PushSender, apdu: Uint8Array): Uint8Array {
  let counter = 100;
  const protection = new ApduProtection({
    suite: 0,
    ownSystemTitle: meter.systemTitle ?? OWN_TITLE,
    keys: { blockCipherKey: BLOCK_CIPHER_KEY, authenticationKey: AUTHENTICATION_KEY },
    nextInvocationCounter: () => counter++,
  });
  return protection.protect(apdu, { control: "authenticated-encrypted", form: "general", keySet: "global" });
}

test("push intake: the system title goes before the number in the payload, and a conflict is told", async () => {
  const [titled, numbered] = [sender(1), sender(2)];
  const { store, events, take } = intakeFor(directory([titled, numbered], { numbers: { "A-0001": numbered } }));
  await take(sealed(titled, PLAIN));
  expect(store.pushes).toMatchObject([
    {
      meterId: titled.meterId,
      protection: "authenticated-encrypted",
      verified: true,
      marks: ["sender-conflict", "sender-conflict: the payload names meter-2"],
    },
  ]);
  await take(sealed(titled, PLAIN));
  const told = events.filter(({ event }) => event === "senderConflict");
  expect(told).toEqual([{ event: "senderConflict", meter: "meter-1", other: "meter-2", clue: "identity" }]);
});

test("push intake: what must be confirmed is confirmed when it is durable and not before", async () => {
  const { store, take } = intakeFor(directory([]));
  const gate = Promise.withResolvers<void>();
  store.gate = gate.promise;
  let confirmed = false;
  const taken = take(notification(CONFIRMED, "A-0001")).then((answers) => {
    confirmed = true;
    return answers;
  });
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(confirmed).toBe(false);
  gate.resolve();
  const [answer] = await taken;
  expect(store.pushes).toHaveLength(1);
  expect(decodeApdu(answer ?? PLAIN)).toEqual({
    apdu: "data-notification-confirm",
    body: { longInvokeIdAndPriority: CONFIRMED },
  });
});

test("push intake: a ciphered push is confirmed ciphered, where there are counters for it", async () => {
  const meter = sender(1);
  const { security } = meter;
  if (security === undefined) throw new Error("no keys");
  const apdu = sealed(meter, notification(CONFIRMED, "A-0001"));
  expect(await intakeFor(directory([meter])).take(apdu)).toEqual([undefined]);
  const counting = { ...meter, security: { ...security, nextInvocationCounter: async () => 42 } };
  const [answer] = await intakeFor(directory([counting])).take(apdu);
  const opened = new ApduProtection({
    suite: 0,
    ownSystemTitle: meter.systemTitle ?? OWN_TITLE,
    keys: { blockCipherKey: BLOCK_CIPHER_KEY, authenticationKey: AUTHENTICATION_KEY },
    nextInvocationCounter: () => 0,
  }).unprotect(answer ?? PLAIN);
  expect(opened).toMatchObject({ invocationCounter: 42, systemTitle: OWN_TITLE, verified: true });
  const confirm = { apdu: "data-notification-confirm", body: { longInvokeIdAndPriority: CONFIRMED } } as const;
  expect(toHex(opened.apdu)).toBe(toHex(encodeApdu(confirm)));
});

test("push intake: values that the database refuses do not take the octets with them", async () => {
  const { store, take } = intakeFor(directory([]));
  store.refuse = (push) => push.values.length > 0;
  await take(notification(CONFIRMED, "A-0001"));
  expect(store.pushes).toMatchObject([{ outcome: "rejected", reason: "refused", values: [] }]);
  expect(store.pushes[0]?.octets).toEqual(notification(CONFIRMED, "A-0001"));
});

test("push intake: nor do events; what is kept so makes no rows, is told as rejected and not confirmed", async () => {
  const meter = sender(1);
  const mapping: PushMapping = {
    ...MAPPING,
    pushedEvents: () => ({
      events: [],
      words: [{ at: new Date(Date.UTC(12_034, 0, 1)), log: "", latched: true, bits: [] }],
    }),
  };
  const { store, events, take } = intakeFor(directory([meter], { numbers: { "A-0001": meter } }), mapping);
  store.refuse = ({ seen }) => seen.words.length > 0;
  expect(await take(notification(CONFIRMED, "A-0001"))).toEqual([undefined]);
  expect(store.pushes).toMatchObject([{ outcome: "rejected", reason: "refused", meterId: meter.meterId }]);
  expect(store.batches).toEqual([]);
  expect(events).toEqual([{ event: "pushRejected", peer: "192.0.2.7:40000", reason: "refused" }]);
});

test("push intake: what can't be written at all is told and not confirmed", async () => {
  const { store, events, take, intake } = intakeFor(directory([]));
  store.refuse = () => true;
  expect(await take(notification(CONFIRMED, "A-0001"))).toEqual([undefined]);
  expect(events).toMatchObject([{ event: "pushRejected", reason: "refused" }]);
  expect(intake.waiting).toBe(0);
});

test("push intake: a push that the mapping stumbles over is kept with the reason", async () => {
  const mapping = {
    ...MAPPING,
    mapPush: () => {
      throw new TypeError("stumbled");
    },
  };
  const { store, take } = intakeFor(directory([]), mapping);
  expect(await take(notification(CONFIRMED, "A-0001"))).toEqual([undefined]);
  expect(store.pushes).toMatchObject([{ outcome: "rejected", reason: "stumbled" }]);
});

test("push intake: of a meter that owes protection nothing in the clear is taken", async () => {
  const meter = sender(1);
  const { security } = meter;
  if (security === undefined) throw new Error("no keys");
  const strict: PushSender = { ...meter, security, least: "encrypted" };
  const { store, take } = intakeFor(directory([strict], { numbers: { "A-0001": strict } }));
  await take(PLAIN);
  await take(sealed(strict, PLAIN));
  expect(store.pushes).toMatchObject([{ outcome: "rejected", values: [] }, { outcome: "stored" }]);
  expect(store.pushes[0]?.reason).toMatch(/^SECURITY_WEAKER_THAN_REQUIRED/);
});

test("push intake: what comes from where a meter is reached may be a new model: more of it is kept", async () => {
  const { store, take } = intakeFor(directory([], { hosts: { [ORIGIN.host]: [sender(1)] } }));
  for (let index = 0; index < 1100; index++) await take(Uint8Array.of(0xff, index & 0xff));
  expect(store.pushes).toHaveLength(1100);
});

test("push intake: noise of one host is kept up to a limit, and costs other hosts nothing", async () => {
  const { store, events, take } = intakeFor(directory([]));
  for (let index = 0; index < 1100; index++) await take(Uint8Array.of(0xff, index & 0xff));
  expect(store.pushes.length).toBeGreaterThanOrEqual(1000);
  expect(store.pushes.length).toBeLessThan(1050);
  expect(events).toHaveLength(store.pushes.length);
  await take(PLAIN);
  expect(store.pushes.at(-1)).toMatchObject({ outcome: "partial" });
});
