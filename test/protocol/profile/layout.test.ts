import { expect, test } from "vitest";
import { type LayoutSource, profileLayout } from "../../../protocol/profile/layout.ts";

const ENERGY = { classId: 3, logicalName: "1.0.1.8.0.255", attributeId: 2, dataIndex: 0 };
const SCALER = { classId: 3, logicalName: "1.0.1.8.0.255", scalerUnit: { scaler: -1, unit: 30 } };
const source = (): LayoutSource => ({ captureObjects: [{ ...ENERGY }], scalers: [{ ...SCALER }], capturePeriodS: 900 });

test("layout: an equal source gives the same layout, and any difference another one", () => {
  const layout = profileLayout(source());
  expect(profileLayout(source())).toBe(layout);
  const others: readonly LayoutSource[] = [
    { ...source(), captureObjects: [{ ...ENERGY, classId: 4 }] },
    { ...source(), captureObjects: [{ ...ENERGY, logicalName: "1.0.2.8.0.255" }] },
    { ...source(), captureObjects: [{ ...ENERGY, attributeId: 3 }] },
    { ...source(), captureObjects: [{ ...ENERGY, dataIndex: 1 }] },
    { ...source(), captureObjects: [ENERGY, ENERGY] },
    { ...source(), scalers: [] },
    { ...source(), scalers: [{ ...SCALER, scalerUnit: { scaler: -2, unit: 30 } }] },
    { ...source(), scalers: [{ ...SCALER, scalerUnit: { scaler: -1, unit: 31 } }] },
    { ...source(), capturePeriodS: 1800 },
    { ...source(), capturePeriodMonths: 1 },
    { ...source(), sortMethod: 1 },
    { ...source(), profileEntries: 100 },
  ];
  expect(new Set([layout, ...others.map(profileLayout)]).size).toBe(others.length + 1);
});
