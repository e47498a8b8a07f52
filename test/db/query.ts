import { Client } from "pg";

/** One statement on a connection of its own; its rows as arrays. */
export async function query(url: string, text: string, values: readonly unknown[] = []): Promise<unknown[][]> {
  const client = new Client({ connectionString: url, application_name: "test query" });
  client.on("error", () => undefined);
  await client.connect();
  try {
    return (await client.query<unknown[]>({ text, rowMode: "array", values: [...values] })).rows;
  } finally {
    await client.end();
  }
}
