import { blockLoad, makeMeters, START_MS } from "./profile-batches.ts";
import { Gathering, keepAllQuantities, Person } from "./series-tables.ts";
import { useTestDatabase } from "./test-database.ts";

type People = Readonly<Record<string, Person>>;

/** Reads the value that nobody is let see. */
export const SECRET = "select value::int from dlms_api.read_series(array['secret.plan'], strict => false)";
export const NOT_FOR_YOU = { code: "42704" };

/** A database with a meter whose series all readers see, and a dataset that is open to nobody. */
export function useSecretDataset() {
  const current = useTestDatabase(async (database) => {
    await keepAllQuantities(database);
    const [key = 0] = await makeMeters(database, ["OPEN"]);
    await new Gathering(database).write(blockLoad(key, [0, 1]));
    await database.query("select dlms_api.make_dataset('secret')");
    await database.query(
      "select dlms_api.store_values('secret', array['secret.plan'], array[$1::timestamptz], array[7777])",
      [new Date(START_MS)],
    );
  });
  /** Logins of people who are in the roles named; gone afterwards. */
  const withPeople = async <Result>(
    roles: Readonly<Record<string, readonly string[]>>,
    work: (people: People) => Promise<Result>,
  ): Promise<void> => {
    const { url, database } = current();
    const people: Record<string, Person> = {};
    try {
      for (const [name, of] of Object.entries(roles)) people[name] = await Person.enter(url, database, name, of);
      await work(people);
    } finally {
      for (const person of Object.values(people)) await person.leave(database);
    }
  };
  return { current, withPeople };
}

export function of(people: People, name: string): Person {
  const person = people[name];
  if (person === undefined) throw new Error(`nobody is called ${name}`);
  return person;
}
