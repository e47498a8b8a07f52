import { expect, test } from "vitest";
import { SenderOpeners } from "../../../../src/push/senders/sender-openers.ts";
import { directory, sender, title } from "../senders.ts";

const HOST = "192.0.2.1";

test("sender openers: an address tells whose keys to try, unless very many meters are reached there", () => {
  const { systemTitle: _none, ...untitled } = sender(1);
  const reached = (count: number) => {
    const hosts = { [HOST]: Array.from({ length: count }, () => ({ ...untitled, systemTitle: undefined })) };
    return new SenderOpeners(directory([], { hosts })).at(HOST).candidates(title("OTHER001"));
  };
  expect(reached(1000)).toHaveLength(1000);
  expect(reached(1001)).toEqual([]);
});
