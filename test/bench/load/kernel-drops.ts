import { readFile } from "node:fs/promises";

/** Datagrams that the kernel threw away, since it was bound, for want of room in the UDP socket on a port. */
export async function kernelDrops(port: number): Promise<number> {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const tables = await Promise.all(["/proc/net/udp", "/proc/net/udp6"].map((each) => readFile(each, "utf8")));
  const rows = tables.flatMap((table) => table.trim().split("\n")).map((line) => line.trim().split(/\s+/));
  return rows.filter((row) => row[1]?.endsWith(wanted)).reduce((sum, row) => sum + Number(row.at(-1)), 0);
}
