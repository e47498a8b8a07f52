import { expect, test } from "vitest";
import { ListenerSet } from "../../../../src/push/receive/listener-set.ts";

interface Place {
  readonly port: number;
  readonly speed?: number;
}

/** Ports that one listener at a time can have. */
function ports(...taken: number[]) {
  const held = new Set(taken);
  const told: string[] = [];
  const set = new ListenerSet<Place, Place>({
    open: async (place) => {
      if (held.has(place.port)) throw new Error(`port ${place.port} is taken`);
      held.add(place.port);
      told.push(`+${place.port}`);
      return place;
    },
    close: async ({ port }) => {
      held.delete(port);
      told.push(`-${port}`);
    },
  });
  return { set, told };
}

test("listener set: what stays is not touched, what goes is closed, what comes is opened", async () => {
  const { set, told } = ports();
  await set.take([{ port: 1 }, { port: 2 }]);
  await set.take([{ port: 3 }, { port: 2 }]);
  expect(told).toEqual(["+1", "+2", "-1", "+3"]);
  expect(set.all).toEqual([{ port: 3 }, { port: 2 }]);
});

test("listener set: a place that is to be another way is given free before it is taken", async () => {
  const { set, told } = ports();
  await set.take([{ port: 1, speed: 300 }]);
  await set.take([{ port: 1, speed: 2400 }]);
  expect(told).toEqual(["+1", "-1", "+1"]);
  expect(set.all).toEqual([{ port: 1, speed: 2400 }]);
});

test("listener set: where a place can't be had, it is as it was", async () => {
  const { set } = ports(9);
  await set.take([{ port: 1 }, { port: 2 }]);
  await expect(set.take([{ port: 2 }, { port: 3 }, { port: 9 }])).rejects.toThrow("port 9 is taken");
  expect(set.all).toEqual([{ port: 1 }, { port: 2 }]);
});

test("listener set: two of one place are two listeners", async () => {
  const { set } = ports();
  await set.take([{ port: 0 }]);
  await expect(set.take([{ port: 0 }, { port: 0 }])).rejects.toThrow("port 0 is taken");
});
