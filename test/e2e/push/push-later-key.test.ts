/** A meter of the configuration whose key is another one by now: what it pushed meanwhile is read without a restart. */
import { readFile, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { tcpAddress } from "../../../drivers/tcp/address.ts";
import { PUSHES } from "../../../src/simulator/models/is15959.ts";
import { query } from "../../db/query.ts";
import { gatewayOverStreet } from "../street.ts";
import { pushCommand } from "./push-orders.ts";

test("later key: push replay fetches the keys of the meters that held pushes may be from, and of no others", async () => {
  const keyFiles: string[] = [];
  await using over = await gatewayOverStreet(
    { count: 2 },
    {
      configure: (config) => {
        for (const { association } of config.meters ?? []) {
          keyFiles.push((association?.security?.blockCipherKey ?? "").replace(/^file:/, ""));
        }
        config.push = { listen: [{ address: "127.0.0.1:0" }] };
        config.plans = [];
      },
    },
  );
  const [pushing = "", other = ""] = keyFiles;
  const key = await readFile(pushing, "utf8");
  const [meter] = over.street.meters;
  const listening = over.events.find((each) => each.event === "pushListening");
  // The gateway was started with the key that the meter has; now it is made to hold another one, and the meter pushes.
  await writeFile(pushing, "00".repeat(16));
  await writeFile(other, "not a key any more");
  const push = () =>
    over.street.push(meter!.name, PUSHES.block, { ...tcpAddress(listening?.address ?? ""), transport: "tcp" });
  const outcomes = () =>
    query(over.gateway.databaseUrl, "select outcome, marks from dlms.push_history order by push_key");
  const until = async (count: number) => {
    while ((await outcomes()).length < count) await sleep(20);
  };
  await push();
  await until(1);
  expect(await outcomes()).toMatchObject([["partial", []]]);
  await pushCommand(over.config.socket, "replay");
  await push();
  await until(2);
  expect(await outcomes()).toMatchObject([
    ["partial", []],
    ["rejected", []],
  ]);
  await writeFile(pushing, key);
  expect((await pushCommand(over.config.socket, "replay")).code).toBe(0);
  expect((await outcomes()).map(([outcome]) => outcome)).toEqual(["partial", "partial"]);
});
