import { captureObjectsToData } from "../../../protocol/cosem/capture-object.ts";
import type { ObjectDescription } from "../description.ts";
import { array, numeric, structure, textOctets } from "../typed-values.ts";

const TCP = 0;
const A_XDR = 0;

/** A push setup whose elements are columns as profiles have them: `1.0.1.8.0.255` or `1.0.1.6.0.255/5`. */
export function pushSetup(
  logicalName: string,
  elements: readonly string[],
  objects: readonly ObjectDescription[],
): ObjectDescription {
  const classes = new Map(objects.map((each) => [each.logicalName, each.classId]));
  classes.set(logicalName, 40);
  const list = elements.map((element) => {
    const [name = "", attribute = "2"] = element.split("/");
    const classId = classes.get(name);
    if (classId === undefined) throw new RangeError(`push setup ${logicalName}: no object ${name}`);
    return { classId, logicalName: name, attributeId: Number(attribute), dataIndex: 0 };
  });
  return {
    classId: 40,
    version: 0,
    logicalName,
    attributes: {
      2: captureObjectsToData(list),
      3: structure(numeric("enum", TCP), textOctets("127.0.0.1:4059"), numeric("enum", A_XDR)),
      4: array(),
      5: numeric("long-unsigned", 0),
      6: numeric("unsigned", 3),
      7: numeric("long-unsigned", 30),
    },
  };
}
