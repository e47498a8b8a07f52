import { DlmsError } from "../../errors.ts";

const LAST_TWO = 100;
const LAST_THREE = 1000;
const LAST_FOUR = 10_000;
/** The highest device address on the bus of Mercury meters. */
const MERCURY_LIMIT = 239;

/** How makers derive the physical device address from the digits of the serial number. */
const FORMULAS = {
  "last-2-digits": (serial: number) => serial % LAST_TWO,
  "last-2-digits+16": (serial: number) => (serial % LAST_TWO) + 16,
  "last-3-digits": (serial: number) => serial % LAST_THREE,
  "last-4-digits": (serial: number) => serial % LAST_FOUR,
  "last-4-digits+16": (serial: number) => (serial % LAST_FOUR) + 16,
  "last-4-digits+1000": (serial: number) => (serial % LAST_FOUR) + 1000,
  /** Three digits where they are an address on the bus, otherwise two; there is no address 0. */
  mercury: (serial: number) => {
    const three = serial % LAST_THREE;
    return (three <= MERCURY_LIMIT ? three : serial % LAST_TWO) || 1;
  },
} as const satisfies Record<string, (serial: number) => number>;

export type PhysicalDeviceFormula = keyof typeof FORMULAS;

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Object.keys forgets the keys' literal types.
export const PHYSICAL_DEVICE_FORMULAS = Object.keys(FORMULAS) as [PhysicalDeviceFormula, ...PhysicalDeviceFormula[]];

/** The address of the meter with this serial number; letters in it don't count. Throws DATA_OUT_OF_RANGE without digits. */
export function physicalDeviceOf(serialNumber: string, formula: PhysicalDeviceFormula): number {
  const digits = serialNumber.replaceAll(/[^0-9]/g, "").slice(-4);
  if (digits === "") throw new DlmsError("DATA_OUT_OF_RANGE", "caller", { serialNumber, formula });
  return FORMULAS[formula](Number(digits));
}
