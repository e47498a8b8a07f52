/** Receives pushes into a database until it is killed; tells its parent where. Started by push-kill.test.ts. */
import { openDatabase } from "../../../src/store/database/database.ts";
import { startPushStation } from "./push-station.ts";

const [url = ""] = process.argv.slice(2);
const database = await openDatabase({ url, connections: 4 });
const station = await startPushStation({ database, meters: [{ number: "KILL1", companion: "idis" }] });
// A parent that is gone leaves nobody to be told, and nobody to kill this process.
process.once("disconnect", () => process.exit());
process.send?.(station.tcp);
