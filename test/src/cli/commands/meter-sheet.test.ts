import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { meterOfFields } from "../../../../src/cli/commands/meter-fields.ts";
import { readMeterSheet } from "../../../../src/cli/commands/meter-sheet.ts";
import { meterSchema } from "../../../../src/config/schema.ts";
import { workbook } from "../workbook.ts";

let directory = "";
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "dlms-gateway-sheet-"));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const WANTED = {
  name: "feeder-9",
  number: "0010009000000000001234",
  connection: { tcp: "10.0.0.9:4059", link: "hdlc", physicalAddress: 17 },
  association: { clientSap: 32, security: { suite: 1, dedicatedKey: true } },
};

test("meter fields: text becomes what the schema of the configuration wants, numbers of meters stay text", () => {
  const meter = meterOfFields([
    ["name", "feeder-9"],
    ["number", "0010009000000000001234"],
    ["connection.tcp", "10.0.0.9:4059"],
    ["connection.link", "hdlc"],
    ["connection.physicalAddress", "17"],
    ["association.clientSap", "32"],
    ["association.security.suite", "1"],
    ["association.security.dedicatedKey", "yes"],
    ["companion", ""],
  ]);
  expect(meter).toEqual(WANTED);
});

test("meter fields: a list is what is between commas", () => {
  const meter = meterOfFields([
    ["name", "a"],
    ["number", "1"],
    ["connection.tcp", "h:1"],
    ["quirks", "wrapper-length-short,other"],
  ]);
  expect(meter["quirks"]).toEqual(["wrapper-length-short", "other"]);
});

test("meter sheet: CSV with commas or semicolons, and lines as an editor counts them", async () => {
  const comma = join(directory, "comma.csv");
  await writeFile(comma, '\uFEFFname,number,connection.tcp\r\n\r\n"feeder-9",17,10.0.0.9:4059\r\n');
  const semicolon = join(directory, "semicolon.csv");
  await writeFile(semicolon, "name;number;connection.tcp\n\nfeeder-9;17;10.0.0.9:4059\n");
  const meter = { name: "feeder-9", number: "17", connection: { tcp: "10.0.0.9:4059" } };
  expect(await readMeterSheet(comma)).toEqual([{ line: 3, meter }]);
  expect(await readMeterSheet(semicolon)).toEqual([{ line: 3, meter }]);
});

test("meter sheet: the first sheet of a workbook, long numbers digit by digit", async () => {
  const file = join(directory, "street.xlsx");
  await writeFile(
    file,
    workbook([
      ["name", "number", "connection.tcp", "association.clientSap"],
      ["feeder-9", { number: "123456789012345678" }, "10.0.0.9:4059", { number: "32" }],
    ]),
  );
  const [row] = await readMeterSheet(file);
  expect(row).toMatchObject({ line: 2, meter: { number: "123456789012345678", association: { clientSap: 32 } } });
  expect(meterSchema.parse(row?.meter).association.clientSap).toBe(32);
});

test("meter sheet: a file without the names of fields is refused", async () => {
  const file = join(directory, "bare.csv");
  await writeFile(file, "feeder-9,17,10.0.0.9:4059\n");
  await expect(readMeterSheet(file)).rejects.toThrow("the first line has to name the fields");
});
