import { expect, test } from "vitest";
import { PROFILE_SOURCES } from "../../../src/collect/read/profile-objects.ts";
import type { ProfileKind } from "../../../src/profiles/batch.ts";
import { rulesFor } from "../../../src/profiles/column-rules.ts";
import { DESCRIPTIONS, MODELS, type Model } from "../../simulator/meter-fixture.ts";

const KINDS: readonly ProfileKind[] = ["instant", "block_load", "daily_load", "billing"];
/** The stamp of the row itself, and a count of the tampers in one billing period, which is kept under its name. */
const WITHOUT_COLUMN: ReadonlySet<string> = new Set(["0.0.1.0.0.255", "0.0.0.1.2.255", "0.0.96.15.128.255"]);

function companionOf(model: Model): "is15959" | "idis" | "dsmr" {
  return model === "idis" || model === "dsmr" ? model : "is15959";
}

test.for(MODELS)("column-rules: every column of the profiles of the model %s has a place", (model) => {
  const { objects, profiles } = DESCRIPTIONS[model];
  const classes = new Map(objects.map(({ logicalName, classId }) => [logicalName, classId]));
  const companion = companionOf(model);
  const homeless: string[] = [];
  let placed = 0;
  for (const kind of KINDS) {
    const source = PROFILE_SOURCES[companion][kind];
    const columns =
      source.type === "profile" ? profiles.find((each) => each.logicalName === source.logicalName)?.columns : undefined;
    const rule = rulesFor(companion, kind);
    for (const column of columns ?? []) {
      const [logicalName = "", attribute = "2"] = column.split("/");
      const object = {
        classId: classes.get(logicalName) ?? 1,
        logicalName,
        attributeId: Number(attribute),
        dataIndex: 0,
      };
      if (rule(object) !== undefined) placed++;
      else if (!WITHOUT_COLUMN.has(logicalName)) homeless.push(`${kind} ${object.classId}:${column}`);
    }
  }
  expect(homeless).toEqual([]);
  expect(placed).toBeGreaterThan(8);
});
