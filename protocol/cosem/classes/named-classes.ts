/** Classes of which number, version and name are known and no more: their attributes are read as they come. */
import { type InterfaceClass, interfaceClass } from "../interface-class.ts";
import { logicalName } from "../value-type.ts";

const ROWS: readonly (readonly [classId: number, versions: readonly number[], name: string])[] = [
  [95, [0], "Wi-SUN setup"],
  [96, [0], "Wi-SUN diagnostic"],
  [97, [0], "RPL diagnostic"],
  [98, [0], "MPL diagnostic"],
  [126, [0], "SCHC-LPWAN setup"],
  [127, [0], "SCHC-LPWAN diagnostic"],
  [128, [0], "LoRaWAN setup"],
  [129, [0], "LoRaWAN diagnostic"],
  [130, [0], "ISO/IEC 14908 identification"],
  [131, [0], "ISO/IEC 14908 protocol setup"],
  [132, [0], "ISO/IEC 14908 protocol status"],
  [133, [0], "ISO/IEC 14908 diagnostic"],
  [140, [0], "HS-PLC ISO/IEC 12139-1 MAC setup"],
  [141, [0], "HS-PLC ISO/IEC 12139-1 CPAS setup"],
  [142, [0], "HS-PLC ISO/IEC 12139-1 IP SSAS setup"],
  [143, [0], "HS-PLC ISO/IEC 12139-1 HDLC SSAS setup"],
  [160, [0], "G3-PLC Hybrid RF MAC layer counters"],
  [161, [0, 1], "G3-PLC Hybrid RF MAC setup"],
  [162, [0, 1], "G3-PLC Hybrid 6LoWPAN adaptation layer setup"],
  [8192, [0], "UNI/TS tariff plan"],
];

export const NAMED_CLASSES: readonly InterfaceClass[] = ROWS.flatMap(([classId, versions, name]) =>
  versions.map((version) =>
    interfaceClass({
      classId,
      version,
      name,
      attributes: { logicalName: { id: 1, type: logicalName, static: true } },
      methods: {},
    }),
  ),
);
