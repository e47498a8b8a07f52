/** What meters call themselves in pushes, and a database that keeps it late. */
import { Client } from "pg";
import { expect, test } from "vitest";
import { encodeApdu } from "../../../protocol/apdu/apdu.ts";
import { encodeWrapper } from "../../../protocol/link/wrapper.ts";
import { query } from "../../db/query.ts";
import { useTestDatabase } from "../../db/test-database.ts";
import { sendTcp, startPushStation } from "./push-station.ts";
import { name, register, structure } from "./pushed-values.ts";

const current = useTestDatabase();
const FROM = "127.0.3.21";
const NUMBERS = Array.from({ length: 40 }, (_, at) => String(9_000_001 + at));

function push(ownName: string): Uint8Array {
  const body = structure(
    structure(name("0.0.96.1.0.255"), { type: "octet-string", value: Buffer.from(ownName) }),
    register("1.8.0", 7, { unit: 30 }),
  );
  const apdu = encodeApdu({ apdu: "data-notification", body: { longInvokeIdAndPriority: 1, body } });
  return encodeWrapper({ sourceWPort: 1, destinationWPort: 64, apdu });
}

async function count(sql: string): Promise<number> {
  const [row] = await query(current().url, `select count(*)::int from ${sql}`);
  return Number(row?.[0]);
}

test("push names: one statement waits for a database that does not take them, and then keeps those of all meters", async () => {
  const { database, url } = current();
  await using station = await startPushStation({ database, meters: NUMBERS.map((number) => ({ number })) });
  const holder = new Client({ connectionString: url });
  await holder.connect();
  try {
    await holder.query("begin");
    await holder.query("lock table dlms.meter_names in share mode");
    const pushes = NUMBERS.map((number) => push(`VMT${number}`));
    await sendTcp(station.tcp, pushes, { from: FROM });
    await station.settled();
    expect(await count(`dlms.push_history where peer like '${FROM}:%' and attributed_by = 'identity'`)).toBe(40);
    const waiting = "pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    await expect.poll(() => count(waiting)).toBe(1);
    await holder.query("commit");
  } finally {
    await holder.end();
  }
  await expect.poll(() => count("dlms.meter_names where name like 'VMT9%'")).toBe(40);
});
