import { useMemo, useState } from "preact/hooks";
import type { MeterEvent, Reading, Readings } from "./answers.ts";
import { useResource } from "./api.ts";
import { Chart, type Line } from "./chart.tsx";
import { Card, count, Loaded } from "./parts.tsx";

const MOST_LINES = 6;
/** Three months of quarters of an hour. */
const MOST_ROWS = 10_000;

/** Block load over time; a slot that is not there is a gap in the line, and events stand on the axis. */
export function LoadChart({
  path,
  range,
  events,
}: {
  path: string;
  range: URLSearchParams;
  events: readonly MeterEvent[];
}) {
  const readings = useResource<Readings>(`${path}/profiles/block-load?limit=${MOST_ROWS}&${range}`);
  const marks = useMemo(
    () =>
      events.map(({ occurredAt, name, code }) => ({ at: Date.parse(occurredAt) / 1000, text: name ?? `code ${code}` })),
    [events],
  );
  return (
    <Card title="Block load" aside={<a href={`${path}/profiles/block-load?${range}&format=csv`}>CSV</a>}>
      <Loaded from={readings}>
        {(answer) =>
          answer.items.length === 0 ? (
            <p class="quiet">nothing is held of this time</p>
          ) : (
            <Lines answer={answer} marks={marks} />
          )
        }
      </Loaded>
    </Card>
  );
}

function Lines({ answer, marks }: { answer: Readings; marks: readonly { at: number; text: string }[] }) {
  const units = [...new Set(answer.columns.filter(({ unit }) => unit !== "").map(({ unit }) => unit))];
  const [unit, setUnit] = useState(units.includes("Wh") ? "Wh" : (units[0] ?? ""));
  const { times, lines } = useMemo(() => linesOf(answer, unit), [answer, unit]);
  return (
    <>
      <fieldset class="choice">
        <legend class="hidden">Unit</legend>
        {units.map((each) => (
          <label key={each}>
            <input type="radio" name="unit" checked={each === unit} onChange={() => setUnit(each)} />
            {each}
          </label>
        ))}
      </fieldset>
      <Chart
        label={`block load in ${unit}: ${lines.map(({ label }) => label).join(", ")}`}
        unit={unit}
        times={times}
        lines={lines}
        marks={marks}
      />
      {answer.next !== null && <p class="quiet">the first {count(MOST_ROWS)} intervals of this time</p>}
    </>
  );
}

/** Where the step to the next row is longer than the interval, a moment without values stands between. */
function linesOf({ items, columns }: Readings, unit: string): { times: number[]; lines: Line[] } {
  const shown = columns.filter((column) => column.unit === unit).slice(0, MOST_LINES);
  const times: number[] = [];
  const rows: (Reading | undefined)[] = [];
  for (const item of items) {
    const at = Date.parse(item.at) / 1000;
    const step = Number(item.about["interval_s"] ?? 0);
    const last = times.at(-1);
    if (last !== undefined && step > 0 && at - last > step) {
      times.push(last + step);
      rows.push(undefined);
    }
    times.push(at);
    rows.push(item);
  }
  return { times, lines: shown.map((column) => lineOf(column, rows)) };
}

/** A register only grows: what is to be seen is by how much, from row to row. */
function lineOf({ name, meaning }: Readings["columns"][number], rows: readonly (Reading | undefined)[]): Line {
  const held = rows.map((row) => (row?.values[name] === undefined ? null : Number(row.values[name])));
  const label = meaning.replace(/^Energy (?:of the interval|register): /, "").replace(/\.$/, "");
  if (!name.includes("_total")) return { label, values: held };
  const values = held.map((value, at) => {
    const before = held[at - 1];
    return value === null || before === undefined || before === null ? null : value - before;
  });
  return { label: `${label}, from row to row`, values };
}
