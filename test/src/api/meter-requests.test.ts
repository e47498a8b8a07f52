import { expect, test } from "vitest";
import { MeterRequests } from "../../../src/api/meter-requests.ts";

interface Order {
  readonly meter: string;
  readonly cells: number;
}

function requests() {
  return new MeterRequests<Order, number>(
    async ({ cells }) => cells,
    () => undefined,
    (cells) => cells,
  );
}

const ASKER = { id: "token 1", actor: "token reader" };

test("requests: answers are kept by what they take up, the newest however large it is", async () => {
  const kept = requests();
  const asked = async (cells: number) => {
    const { request } = kept.start({ meter: "m", cells }, ASKER);
    await request.ended;
    return request.id;
  };
  const small = await asked(10);
  const large = await asked(1_500_000);
  expect((await kept.follow(small, ASKER, 0)).answer).toBe(10);
  const larger = await asked(1_000_000);
  await expect(kept.follow(large, ASKER, 0)).rejects.toThrow(/nothing of that id/);
  expect((await kept.follow(larger, ASKER, 0)).answer).toBe(1_000_000);
  const whole = await asked(9_000_000);
  expect((await kept.follow(whole, ASKER, 0)).answer).toBe(9_000_000);
  await expect(kept.follow(larger, ASKER, 0)).rejects.toThrow(/nothing of that id/);
});

test("requests: nobody takes every place, and a place is free again when its request has ended", async () => {
  const { promise: wait, resolve: end } = Promise.withResolvers<number>();
  const kept = new MeterRequests<Order, number>(
    () => wait,
    () => undefined,
  );
  const ask = (id: string) => kept.start({ meter: "m", cells: 1 }, { id, actor: id }).request;
  const asked = Array.from({ length: 500 }, () => ask("token 1"));
  expect(() => ask("token 1")).toThrow(/500 of yours are under way/);
  const others = Array.from({ length: 500 }, () => ask("token 2"));
  expect(() => ask("token 3")).toThrow(/1000 are under way/);
  end(1);
  await Promise.all([...asked, ...others].map(({ ended }) => ended));
  expect(ask("token 1").owner).toBe("token 1");
});

test("requests: who has the name of another follows none of its requests, and has keys of its own", async () => {
  const kept = requests();
  const namesake = { id: "token 2", actor: ASKER.actor };
  const order = { meter: "m", cells: 1 };
  const { request } = kept.start(order, ASKER, "key");
  await expect(kept.follow(request.id, namesake, 0)).rejects.toThrow(/nothing of that id/);
  expect(kept.start(order, ASKER, "key")).toEqual({ request, isNew: false });
  expect(kept.start(order, namesake, "key").isNew).toBe(true);
});
