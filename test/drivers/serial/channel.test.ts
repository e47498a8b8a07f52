import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { ChannelError } from "../../../drivers/channel-error.ts";
import { SerialChannel } from "../../../drivers/serial/channel.ts";
import { Pty } from "./pty.ts";

interface Heard {
  readonly octets: number[];
  readonly ends: (Error | undefined)[];
}

function listenTo(channel: SerialChannel): Heard {
  const heard: Heard = { octets: [], ends: [] };
  channel.start({ bytes: (bytes) => heard.octets.push(...bytes), closed: (cause) => heard.ends.push(cause) });
  return heard;
}

const ALL_OCTETS = Uint8Array.from({ length: 256 }, (_, index) => index);

test("serial channel: every octet passes both ways, unchanged", async () => {
  const atMeter: number[] = [];
  using pty = new Pty((octets) => atMeter.push(...octets));
  const channel = await SerialChannel.open({ path: pty.path, baud: 9600 });
  const heard = listenTo(channel);
  channel.write(ALL_OCTETS);
  await expect.poll(() => atMeter).toEqual([...ALL_OCTETS]);
  pty.say(ALL_OCTETS);
  await expect.poll(() => heard.octets).toEqual([...ALL_OCTETS]);
  channel.close();
  await expect.poll(() => heard.ends).toEqual([undefined]);
});

test("serial channel: the speed changes between what was written before and after", async () => {
  const speeds: [number, number | undefined][] = [];
  using pty = new Pty((octets) => {
    for (const octet of octets) speeds.push([octet, pty.baud]);
  });
  const channel = await SerialChannel.open({ path: pty.path, baud: 300 });
  expect(pty.baud).toBe(300);
  const heard = listenTo(channel);
  channel.write(Uint8Array.of(1));
  await channel.drain();
  await expect.poll(() => speeds).toEqual([[1, 300]]);
  channel.setBaud(9600);
  channel.write(Uint8Array.of(2));
  expect(channel.baud).toBe(9600);
  await expect
    .poll(() => speeds)
    .toEqual([
      [1, 300],
      [2, 9600],
    ]);
  channel.close();
  await expect.poll(() => heard.ends).toHaveLength(1);
});

test("serial channel: the speed stays until an adapter that holds octets back has sent them", async () => {
  const speeds: [number, number | undefined][] = [];
  using pty = new Pty((octets) => {
    for (const octet of octets) speeds.push([octet, pty.baud]);
  });
  const channel = await SerialChannel.open({ path: pty.path, baud: 300 });
  const heard = listenTo(channel);
  pty.hold();
  // Takes the line 2 s at this speed.
  const said = Array.from({ length: 60 }, (_, index) => index);
  channel.write(Uint8Array.from(said));
  channel.setBaud(9600);
  await sleep(100);
  pty.release();
  await expect.poll(() => speeds).toEqual(said.map((octet) => [octet, 300]));
  await expect.poll(() => pty.baud).toBe(9600);
  channel.close();
  await expect.poll(() => heard.ends).toEqual([undefined]);
});

test("serial channel: a port that is taken, missing or forbidden is named", async () => {
  using pty = new Pty(() => {});
  const channel = await SerialChannel.open({ path: pty.path, baud: 9600 });
  await expect(SerialChannel.open({ path: pty.path, baud: 9600 })).rejects.toMatchObject({
    code: "CHANNEL_PORT_LOCKED",
    at: { path: pty.path },
  });
  await expect(SerialChannel.open({ path: "/dev/serial/by-id/none", baud: 9600 })).rejects.toMatchObject({
    code: "CHANNEL_PORT_MISSING",
  });
  await expect(SerialChannel.open({ path: import.meta.filename, baud: 9600 })).rejects.toBeInstanceOf(ChannelError);
  const heard = listenTo(channel);
  channel.close();
  await expect.poll(() => heard.ends).toHaveLength(1);
  const again = await SerialChannel.open({ path: pty.path, baud: 9600 });
  again.close();
});

test("serial channel: an adapter that is pulled out ends the channel with its cause, though nobody writes", async () => {
  using pty = new Pty(() => {});
  const channel = await SerialChannel.open({ path: pty.path, baud: 9600 });
  const heard = listenTo(channel);
  await sleep(20);
  pty.unplug();
  await expect.poll(() => heard.ends).toEqual([expect.objectContaining({ code: "CHANNEL_UNPLUGGED" })]);
  channel.write(Uint8Array.of(1));
  channel.close();
  await channel.drain();
  expect(heard.ends).toHaveLength(1);
});

test("serial channel: an end before anybody listens is told when somebody does", async () => {
  using pty = new Pty(() => {});
  const channel = await SerialChannel.open({ path: pty.path, baud: 9600 });
  pty.say(Uint8Array.of(7));
  await sleep(50);
  pty.unplug();
  await expect.poll(() => channel.open).toBe(false);
  const heard = listenTo(channel);
  await expect.poll(() => heard.ends).toHaveLength(1);
  expect(heard.octets).toEqual([7]);
});

test("serial channel: an adapter that is pulled out while it is being read is noticed each time", async () => {
  for (let round = 0; round < 30; round++) {
    using pty = new Pty(() => {});
    const heard = listenTo(await SerialChannel.open({ path: pty.path, baud: 9600 }));
    if (round % 2 === 1) pty.say(ALL_OCTETS);
    pty.unplug();
    await expect.poll(() => heard.ends).toHaveLength(1);
    expect(heard.ends).toEqual([expect.objectContaining({ code: "CHANNEL_UNPLUGGED" })]);
  }
}, 60_000);
