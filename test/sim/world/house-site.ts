/** A virtual meter of the street with its whole protocol, at the far end of the simulated network. */
import type { ByteChannel } from "../../../drivers/channel.ts";
import { Pump } from "../../../drivers/pump.ts";
import { fromHex } from "../../../protocol/bytes/hex.ts";
import { SecretKey } from "../../../protocol/security/secret-key.ts";
import { systemTitle, titleText } from "../../../protocol/security/system-title.ts";
import { type MeterTarget, meterTarget } from "../../../src/collect/session/meter-target.ts";
import { type MeterConfig, meterSchema } from "../../../src/config/schema.ts";
import { seededSecrets } from "../../../src/simulator/meter-identity.ts";
import { HOUSES, type House } from "../../../src/simulator/street-plan.ts";
import { SERVER_SAP, VirtualMeter } from "../../../src/simulator/virtual-meter.ts";
import { WiredMeter } from "../../../src/simulator/wired-meter.ts";
import type { Random } from "../../fuzz/random.ts";
import type { Site } from "./network.ts";
import type { LeaseCounters } from "./station.ts";
import type { VirtualScope } from "./virtual-time.ts";
import type { Weather } from "./weather.ts";

export interface HouseSiteOptions {
  readonly house: number;
  readonly number: number;
  readonly world: VirtualScope;
  readonly random: Random;
  readonly weather: Weather;
  readonly latencyMs: number;
  /** Connections that the meter takes at once. */
  readonly sockets: number;
}

const CLIENT_SYSTEM_TITLE = "444C4D5347570001";
/** After so long without octets a meter gives a connection up. */
const IDLE_MS = 180_000;
const FIRST_NUMBER = 10_001;
/** The descriptions of a house are the same in every run. */
const DESCRIPTIONS = new Map<string, ReturnType<House["describe"]>>();

/** Whether damage shows: to the frame check of HDLC, or to the tag of ciphering. */
export function showsDamage(house: number): boolean {
  const { link, protection } = HOUSES[house % HOUSES.length] ?? {};
  return link?.type === "hdlc" || protection?.includes("authenticated") === true;
}

export class HouseSite implements Site {
  readonly name: string;
  readonly weather: Weather;
  readonly latencyMs: number;
  readonly config: MeterConfig;
  readonly #options: HouseSiteOptions;
  readonly #meter: VirtualMeter;
  readonly #house: House;
  #connections = 0;

  constructor(options: HouseSiteOptions) {
    const { number, world, random, weather, latencyMs } = options;
    const house = HOUSES[options.house % HOUSES.length];
    if (house === undefined) throw new RangeError("the street has no houses");
    const identity = house.identity(FIRST_NUMBER + number);
    const key = `${options.house} ${number}`;
    const description = DESCRIPTIONS.get(key) ?? house.describe(identity);
    DESCRIPTIONS.set(key, description);
    this.#options = options;
    this.#house = house;
    this.name = `${house.kind}-${number}`;
    this.weather = weather;
    this.latencyMs = latencyMs;
    this.#meter = new VirtualMeter({
      description,
      identity,
      secrets: seededSecrets(number),
      seed: number,
      clock: () => world.now(),
      randomOctets: (length) => Uint8Array.from({ length }, () => random.below(256)),
      firstInvocationCounter: 1,
    });
    this.config = meterSchema.parse(this.#configuration(titleText(identity.systemTitle), description.timeZone));
  }

  accept(end: ByteChannel): boolean {
    const { world, sockets } = this.#options;
    if (this.#connections >= sockets) return false;
    this.#connections += 1;
    const machine = new WiredMeter({ meter: this.#meter, link: this.#house.link });
    let isOver = false;
    let idle = world.after(IDLE_MS, () => pump.close());
    const watched: ByteChannel = {
      name: end.name,
      start: (sink) =>
        end.start({
          bytes: (bytes) => {
            idle.close();
            idle = world.after(IDLE_MS, () => pump.close());
            sink.bytes(bytes);
          },
          closed: (cause) => sink.closed(cause),
        }),
      write: (bytes) => end.write(bytes),
      close: () => end.close(),
    };
    const closed = () => {
      if (isOver) return;
      isOver = true;
      idle.close();
      this.#connections -= 1;
      machine.command({ type: "channelEnded" }, world.elapsed());
    };
    const pump = new Pump(machine, watched, { event: () => undefined, closed }, { clock: world });
    pump.start();
    pump.command({ type: "open" });
    return true;
  }

  /** The meter as a process of the gateway knows it, its secrets fetched. */
  target(lease: LeaseCounters): MeterTarget {
    const secrets = seededSecrets(this.#options.number);
    const { mechanism } = this.#house;
    const text = mechanism === "lls" ? secrets.lowLevelSecret : secrets.highLevelSecret;
    const target = meterTarget(this.config, {
      leaseCounters: lease,
      openStoredKey: () => Promise.reject(new Error("nothing is stored")),
    });
    target.unlock = undefined;
    target.secrets = {
      secret: new SecretKey("hlsSecret", text),
      blockCipherKey: this.config.association.security && secrets.blockCipherKey,
      authenticationKey: this.config.association.security && secrets.authenticationKey,
    };
    if (this.config.association.security !== undefined) {
      let opened: ReturnType<LeaseCounters> | undefined;
      target.openCounters = () => {
        opened ??= lease(secrets.blockCipherKey, systemTitle(fromHex(CLIENT_SYSTEM_TITLE))).catch((error: unknown) => {
          opened = undefined;
          throw error;
        });
        return opened;
      };
    }
    return target;
  }

  #configuration(serverSystemTitle: string, timeZone: string) {
    const { kind, companion, type, link, clientSap, mechanism, protection, invocationCounter } = this.#house;
    return {
      name: this.name,
      number: `${kind}${this.#options.number}`,
      type,
      companion,
      timeZone,
      connection: {
        tcp: `${this.name}:4059`,
        link: link.type,
        ...(link.type === "hdlc" && link.physicalDevice !== undefined && { physicalAddress: link.physicalDevice }),
      },
      association: {
        clientSap,
        serverSap: SERVER_SAP,
        mechanism,
        ...(mechanism !== "none" && mechanism !== "hls-5" && { secret: "env:SIMULATED" }),
        ...(protection !== undefined && {
          security: {
            protection,
            clientSystemTitle: CLIENT_SYSTEM_TITLE,
            serverSystemTitle,
            blockCipherKey: "env:SIMULATED",
            authenticationKey: "env:SIMULATED",
            invocationCounter,
          },
        }),
      },
    };
  }
}
