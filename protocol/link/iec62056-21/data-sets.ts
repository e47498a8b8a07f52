/**
 * Data lines of readouts and P1 telegrams: an address and one or more values in parentheses, several of them on one line
 * or, where a line begins with a parenthesis, the rest of the one before (DSMR 2 and 3). Numbers stay exact.
 */

export interface DataSet {
  /** `1.8.0`, `1-0:1.8.0*255`, `C.1.0`: as the meter writes it. */
  readonly address: string;
  /** The octets between each pair of parentheses, unit included. */
  readonly values: readonly string[];
}

export interface DataSets {
  readonly dataSets: readonly DataSet[];
  /** Lines that are not of this form, as they came: a damaged line or a manufacturer's invention. */
  readonly unreadable: readonly string[];
}

/** A decimal as it was written: mantissa × 10^-decimals, with its unit. */
export interface DecimalValue {
  readonly mantissa: bigint;
  readonly decimals: number;
  readonly unit: string | undefined;
}

const VALUE = String.raw`\(([^)]*)\)`;
const DATA_SET = new RegExp(String.raw`([^()\s]+)((?:${VALUE})+)`, "y");
const CONTINUATION = new RegExp(String.raw`^(?:${VALUE})+$`);
const EACH_VALUE = new RegExp(VALUE, "g");
const DECIMAL = /^(-?)([0-9]+)(?:\.([0-9]+))?(?:\*(.*))?$/;

/** Reads the lines between the identification and the end mark. */
export function parseDataSets(text: string): DataSets {
  const dataSets: { address: string; values: string[] }[] = [];
  const unreadable: string[] = [];
  for (const line of text.split(/\r\n|\n|\r/)) {
    const last = dataSets.at(-1);
    const found = readLine(line);
    if (line === "") continue;
    for (const dataSet of found) dataSets.push(dataSet);
    if (found.length > 0) continue;
    if (last && CONTINUATION.test(line)) for (const value of readValues(line)) last.values.push(value);
    else unreadable.push(line);
  }
  return { dataSets, unreadable };
}

/** The number in a value, or undefined when it is none. */
export function parseDecimal(value: string): DecimalValue | undefined {
  const [, sign, whole, fraction = "", unit] = DECIMAL.exec(value) ?? [];
  if (whole === undefined) return undefined;
  const magnitude = BigInt(whole + fraction);
  return { mantissa: sign === "-" ? -magnitude : magnitude, decimals: fraction.length, unit };
}

/** The data sets of one line; none when anything on it is not one. */
function readLine(line: string): { address: string; values: string[] }[] {
  const found: { address: string; values: string[] }[] = [];
  DATA_SET.lastIndex = 0;
  for (let match = DATA_SET.exec(line); match; match = DATA_SET.exec(line)) {
    const [all, address = "", values = ""] = match;
    found.push({ address, values: readValues(values) });
    if (match.index + all.length === line.length) return found;
  }
  return [];
}

function readValues(text: string): string[] {
  return Array.from(text.matchAll(EACH_VALUE), ([, value = ""]) => value);
}
