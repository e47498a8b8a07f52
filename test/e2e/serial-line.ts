/** Virtual meters on one serial line: a pseudo-terminal whose other end is a two-wire bus with all of them on it. */
import { mkdtempSync, rmSync, symlinkSync, unlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ByteChannel, ChannelSink } from "../../drivers/channel.ts";
import { Pump } from "../../drivers/pump.ts";
import { withEvenParity, withoutEvenParity } from "../../protocol/link/iec62056-21/parity.ts";
import type { VirtualMeter } from "../../src/simulator/virtual-meter.ts";
import { WiredMeter } from "../../src/simulator/wired-meter.ts";
import { Pty } from "../drivers/serial/pty.ts";

export interface Station {
  readonly meter: VirtualMeter;
  readonly physicalDevice: number;
  /** Signs on at 300 baud first. Left out, the meter speaks HDLC at once. */
  readonly modeE?: {
    readonly deviceAddress: string;
    /** Whether the meter waits for a new sign-on after each link, as most do. */
    readonly returns: boolean;
  };
}

export interface SerialLineOptions {
  readonly stations: readonly Station[];
  /** Of those that speak HDLC at once. */
  readonly baud?: number;
  readonly echo?: boolean;
  /** Octets that mean nothing, in front of every answer. */
  readonly noise?: boolean;
  /** One octet of every so many messages, of both sides, is damaged by a collision. */
  readonly collisionEvery?: number;
}

const NOISE = Uint8Array.of(0x00, 0xff, 0x7e, 0x13, 0xa0);
const IDENTIFICATION = "/LGZ5\\2SIM\r\n";
const ACKNOWLEDGEMENT = "\x06252\r\n";
const SIGN_ON_BAUD = 300;
const MODE_E_BAUD = 9600;

export class SimulatedLine implements Disposable {
  readonly #directory = mkdtempSync(join(tmpdir(), "serial-line-"));
  /** Leads to whichever adapter is plugged in, as the paths in /dev/serial/by-id do. */
  readonly path = join(this.#directory, "usb-adapter");
  readonly #options: SerialLineOptions;
  readonly #stations: StationPort[];
  #pty: Pty;
  #answersLeft = Number.POSITIVE_INFINITY;
  /** Octets that the gateway said with a wrong parity bit while signing on. */
  parityFaults = 0;
  collisions = 0;
  #messages = 0;

  constructor(options: SerialLineOptions) {
    this.#options = options;
    this.#stations = options.stations.map((station) => new StationPort(station, this));
    this.#pty = this.plug();
  }

  get baud(): number | undefined {
    return this.#pty.baud;
  }

  get hdlcBaud(): number {
    return this.#options.baud ?? MODE_E_BAUD;
  }

  plug(): Pty {
    this.#pty = new Pty((octets) => this.#hear(octets));
    symlinkSync(this.#pty.path, this.path);
    return this.#pty;
  }

  unplug(): void {
    unlinkSync(this.path);
    this.#pty.unplug();
  }

  /** Pulls the adapter out when the meters have said so many things more. */
  unplugAfter(answers: number): void {
    this.#answersLeft = answers;
  }

  /** What one station says is heard by the gateway and by all other stations. */
  say(said: Uint8Array, by: StationPort): void {
    const octets = this.#collided(said);
    if (this.#answersLeft-- === 0) this.unplug();
    if (this.#options.noise === true) this.#pty.say(NOISE);
    this.#pty.say(octets);
    for (const station of this.#stations) if (station !== by) station.hear(octets);
  }

  #collided(octets: Uint8Array): Uint8Array {
    const { collisionEvery } = this.#options;
    this.#messages++;
    if (collisionEvery === undefined || this.#messages % collisionEvery !== 0) return octets;
    this.collisions++;
    return octets.map((octet, index) => (index === octets.length >> 1 ? octet ^ 0x55 : octet));
  }

  [Symbol.dispose](): void {
    this.#pty.unplug();
    for (const station of this.#stations) station.end();
    rmSync(this.#directory, { recursive: true });
  }

  #hear(heard: Uint8Array): void {
    const octets = this.#collided(heard);
    if (this.#options.echo === true) this.#pty.say(octets);
    for (const station of this.#stations) station.hear(octets);
  }
}

/** Where a meter is joined to the line. */
class StationPort implements ByteChannel {
  readonly name = "station";
  readonly #station: Station;
  readonly #line: SimulatedLine;
  readonly #pump: { close(): void };
  #sink: ChannelSink | undefined;
  #signedOn: boolean;
  /** It was this station that was asked for. */
  #identified = false;
  #text = "";

  constructor(station: Station, line: SimulatedLine) {
    this.#station = station;
    this.#line = line;
    this.#signedOn = station.modeE === undefined;
    const { meter, physicalDevice } = station;
    const machine = new WiredMeter({ meter, link: { type: "hdlc", physicalDevice }, latencyMs: 5 });
    const pump = new Pump(machine, this, {
      event: (event) => {
        if (event.type === "closed" && station.modeE?.returns === true) this.#signedOn = false;
      },
      closed: () => {},
    });
    pump.start();
    pump.command({ type: "open" });
    this.#pump = pump;
  }

  start(sink: ChannelSink): void {
    this.#sink = sink;
  }

  write(bytes: Uint8Array): void {
    this.#line.say(bytes, this);
  }

  close(): void {
    this.#sink?.closed();
  }

  end(): void {
    this.#pump.close();
  }

  /** Octets at another speed than the station's are nothing that it understands. */
  hear(octets: Uint8Array): void {
    if (!this.#signedOn) this.#hearSignOn(octets);
    else if (this.#line.baud === this.#line.hdlcBaud) this.#sink?.bytes(octets);
  }

  #hearSignOn(octets: Uint8Array): void {
    if (this.#line.baud !== SIGN_ON_BAUD) return;
    const { octets: characters, parityRight } = withoutEvenParity(octets);
    if (!parityRight) this.#line.parityFaults++;
    this.#text += String.fromCharCode(...characters);
    const { deviceAddress } = this.#station.modeE ?? { deviceAddress: "" };
    if (this.#text.endsWith("/?!\r\n") || this.#text.endsWith(`/?${deviceAddress}!\r\n`)) {
      this.#text = "";
      this.#identified = true;
      this.write(seven(IDENTIFICATION));
    } else if (this.#identified && this.#text.endsWith(ACKNOWLEDGEMENT)) {
      this.#text = "";
      this.#identified = false;
      this.write(seven(ACKNOWLEDGEMENT));
      this.#signedOn = true;
    }
  }
}

function seven(text: string): Uint8Array {
  return withEvenParity(Uint8Array.from(text, (character) => character.charCodeAt(0)));
}
