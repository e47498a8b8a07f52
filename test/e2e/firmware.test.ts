/** Firmware over sockets, with what meters make of blocks, verification and activation. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Clock, systemClock } from "../../drivers/clock.ts";
import type { TcpListener } from "../../drivers/tcp/listener.ts";
import type { ActionOutcome } from "../../protocol/apdu/action.ts";
import type { AttributeReference, DataResult, MethodDescriptor } from "../../protocol/apdu/descriptors.ts";
import type { DataAccessResult } from "../../protocol/apdu/result-codes.ts";
import type { Data } from "../../protocol/axdr/data.ts";
import { integerOf } from "../../protocol/cosem/integers.ts";
import { WrapperLink } from "../../protocol/link/wrapper-link.ts";
import { firmwareCommand } from "../../src/cli/commands/firmware-command.ts";
import { visitMeter } from "../../src/collect/session/meter-session.ts";
import { meterTarget } from "../../src/collect/session/meter-target.ts";
import { meterSchema } from "../../src/config/schema.ts";
import { updateFirmware } from "../../src/control/firmware-update.ts";
import type { Image } from "../../src/control/image-object.ts";
import { CLIENT, listenDeviant } from "./deviant-meter.ts";

interface Habits {
  readonly wantsPaddedBlock?: true;
  readonly verifiesForMs?: number;
  readonly failsVerification?: true;
  /** The connection is lost after so many blocks, once. */
  readonly cutAfterBlocks?: number;
  readonly silentAtActivation?: true;
  readonly keepsOldFirmware?: true;
  /** Loses a block that it has taken, once. */
  readonly forgetsBlock?: number;
}

const BLOCK = 64;
const SUCCESS: ActionOutcome = { result: "success" };

/** A meter with an image transfer object and a version. */
class UpdatedMeter {
  readonly habits: Habits;
  readonly received = new Map<number, Uint8Array>();
  readonly heard: string[] = [];
  firmware = "1.0";
  status = 0;
  /** Whether nothing gets through any more on this connection. */
  isCut = false;
  #size = 0;
  #hasForgotten = false;
  #wasCut = false;

  constructor(habits: Habits = {}) {
    this.habits = habits;
  }

  get = ({ attribute: { classId, attributeId } }: AttributeReference): DataResult | undefined => {
    if (classId === 1) return { type: "data", data: { type: "octet-string", value: Buffer.from(this.firmware) } };
    if (classId !== 18) return undefined;
    const values: Readonly<Record<number, Data>> = {
      // Not known before a transfer has begun.
      2: { type: "double-long-unsigned", value: this.status === 0 ? 0 : BLOCK },
      4: { type: "double-long-unsigned", value: this.#firstMissing() },
      5: { type: "boolean", value: true },
      6: { type: "enum", value: this.status },
    };
    const data = values[attributeId];
    return data === undefined
      ? { type: "data-access-result", dataAccessResult: "hardware-fault" }
      : { type: "data", data };
  };

  set = (): DataAccessResult => "read-write-denied";

  action = ({ classId, methodId }: MethodDescriptor, parameters: Data | undefined): ActionOutcome | undefined => {
    if (classId !== 18) return undefined;
    const [first, second] = parameters?.type === "structure" ? parameters.value : [];
    const methods: Readonly<Record<number, () => ActionOutcome>> = {
      1: () => this.#initiate((second && integerOf(second)) ?? 0),
      2: () => this.#take((first && integerOf(first)) ?? -1, second),
      3: () => this.#verify(),
      4: () => this.#activate(),
    };
    return methods[methodId]?.();
  };

  #initiate(size: number): ActionOutcome {
    this.heard.push(`initiate ${size}`);
    this.received.clear();
    this.#size = size;
    this.status = 1;
    return SUCCESS;
  }

  #firstMissing(): number {
    const count = Math.ceil(this.#size / BLOCK);
    return Array.from({ length: count }, (_, number) => number).find((each) => !this.received.has(each)) ?? count;
  }

  #take(number: number, block: Data | undefined): ActionOutcome {
    if (block?.type !== "octet-string") return { result: "type-unmatched" };
    const isLast = number === Math.ceil(this.#size / BLOCK) - 1;
    const isShort = block.value.length < BLOCK;
    if (isShort !== (isLast && this.habits.wantsPaddedBlock === undefined)) return { result: "other-reason" };
    this.heard.push(`block ${number}`);
    if (number === this.habits.forgetsBlock && !this.#hasForgotten) this.#hasForgotten = true;
    else this.received.set(number, block.value.slice());
    if (this.received.size === this.habits.cutAfterBlocks && !this.#wasCut) {
      this.#wasCut = true;
      this.isCut = true;
    }
    return SUCCESS;
  }

  #verify(): ActionOutcome {
    const { verifiesForMs = 0, failsVerification } = this.habits;
    const end = () => {
      this.status = failsVerification ? 4 : 3;
    };
    this.status = 2;
    if (verifiesForMs === 0) {
      end();
      return SUCCESS;
    }
    setTimeout(end, verifiesForMs);
    return { result: "temporary-failure" };
  }

  #activate(): ActionOutcome {
    if (this.status !== 3) return { result: "other-reason" };
    this.isCut = this.habits.silentAtActivation === true;
    this.status = this.habits.keepsOldFirmware ? 7 : 0;
    if (!this.habits.keepsOldFirmware) this.firmware = "2.0";
    return SUCCESS;
  }
}

const IMAGE: Image = {
  identifier: new TextEncoder().encode("FW-2.0"),
  octets: Uint8Array.from({ length: 5 * BLOCK + 10 }, (_, index) => index % 251),
};

/** Half a minute in a tenth of a second. */
const HASTY: Clock = {
  now: () => systemClock.now(),
  elapsed: () => systemClock.elapsed() * 50,
  after: (delayMs, call) => systemClock.after(delayMs / 50, call),
};

/** Each connection is whole at first. */
function listening(meter: UpdatedMeter): Promise<TcpListener> {
  return listenDeviant(
    {
      link: () => {
        meter.isCut = false;
        return new WrapperLink({ role: "server" });
      },
      objects: { own: meter },
      answer: (apdu) => (meter.isCut ? undefined : apdu),
    },
    [],
  );
}

async function updated(meter: UpdatedMeter, resume = false) {
  await using listener = await listening(meter);
  const config = meterSchema.parse({
    name: "m",
    number: "1",
    timeZone: "UTC",
    connection: { tcp: `127.0.0.1:${listener.address.port}`, responseTimeout: "3s" },
    association: { clientSap: CLIENT },
  });
  const target = meterTarget(config, {
    leaseCounters: () => Promise.reject(new Error("no counters are needed")),
    openStoredKey: () => Promise.reject(new Error("no key is stored")),
  });
  const visit = <T>(work: Parameters<typeof visitMeter<T>>[2]) => visitMeter(target, { budgetMs: 60_000 }, work);
  return await updateFirmware(IMAGE, { visit, clock: HASTY, resume });
}

function octetsIn({ received }: UpdatedMeter): Uint8Array {
  return new Uint8Array(Buffer.concat([...received].sort(([a], [b]) => a - b).map(([, block]) => block)));
}

const BLOCKS = Array.from({ length: 6 }, (_, number) => `block ${number}`);

test("firmware: the image arrives whole, is verified for a while, and runs", async () => {
  const meter = new UpdatedMeter({ verifiesForMs: 100 });
  expect(await updated(meter)).toMatchObject({ state: "done", evidence: null });
  expect(meter.heard).toEqual(["initiate 330", ...BLOCKS]);
  expect(octetsIn(meter)).toEqual(IMAGE.octets);
  expect(meter.firmware).toBe("2.0");
});

test("firmware: a last block that is wanted full, and one that got lost in the meter", async () => {
  const meter = new UpdatedMeter({ wantsPaddedBlock: true, forgetsBlock: 2 });
  expect(await updated(meter)).toMatchObject({ state: "done" });
  expect(meter.heard.filter((each) => each === "block 2")).toHaveLength(2);
  expect(octetsIn(meter).subarray(0, IMAGE.octets.length)).toEqual(IMAGE.octets);
});

test("firmware: after a cut the transfer goes on at the first block that lacks, and is not begun anew", async () => {
  const meter = new UpdatedMeter({ cutAfterBlocks: 3 });
  expect(await updated(meter)).toMatchObject({ state: "done" });
  expect(meter.heard).toEqual(["initiate 330", ...BLOCKS]);
});

test("firmware: a meter that goes away when it activates is asked for its version", async () => {
  const gone = await updated(new UpdatedMeter({ silentAtActivation: true }));
  expect(gone).toMatchObject({ state: "done", evidence: expect.stringContaining("lost at the activation") });
  const old = await updated(new UpdatedMeter({ silentAtActivation: true, keepsOldFirmware: true }));
  expect(old).toMatchObject({ state: "differs", evidence: "the version is the same, and the transfer has status 7" });
});

test("firmware: an image that is not verified is not activated", async () => {
  const meter = new UpdatedMeter({ failsVerification: true });
  expect(await updated(meter)).toMatchObject({ state: "refused", evidence: expect.stringContaining("status 4") });
  expect(meter.firmware).toBe("1.0");
});

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "dlms-gateway-firmware-"));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

test("firmware: by command, from a file", async () => {
  const meter = new UpdatedMeter();
  await using listener = await listening(meter);
  const file = join(directory, "image.bin");
  await writeFile(file, IMAGE.octets);
  const lines: string[] = [];
  const take = (text: string) => void lines.push(text);
  const reason = await firmwareCommand(
    file,
    {
      identifier: "FW-2.0",
      tcp: `127.0.0.1:${listener.address.port}`,
      clientSap: String(CLIENT),
      counters: join(directory, "counters"),
    },
    { out: take, err: take, width: undefined },
  );
  expect(reason).toBe("success");
  expect(lines).toContain("6 of 6 blocks");
  expect(lines.join("\n")).toContain(": done: ");
});
