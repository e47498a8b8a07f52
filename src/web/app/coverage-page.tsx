import { useMemo } from "preact/hooks";
import type { CoverageDay, Page } from "./answers.ts";
import { useResource } from "./api.ts";
import { HeatMap } from "./heat-map.tsx";
import { Pager, usePageQuery } from "./pager.tsx";
import { Loaded } from "./parts.tsx";
import { go, meterPlace } from "./route.tsx";

const DAY_MS = 86_400_000;
const DAYS = 30;

type Coverage = Page<{ meter: string; days: readonly CoverageDay[] }>;

/** Meters × days: holes are seen at a glance. */
export function CoveragePage() {
  const days = useMemo(lastDays, []);
  const query = usePageQuery([], { from: days[0] ?? "", to: days.at(-1) ?? "", limit: "100" });
  const coverage = useResource<Coverage>(`/v1/coverage?${query}`);
  return (
    <>
      <h1>Coverage</h1>
      <p class="quiet">Share of the slots of block load that are held, by meter and day.</p>
      <Loaded from={coverage}>
        {(answer) => (
          <>
            <Map answer={answer} days={days} />
            <Pager next={answer.next} />
          </>
        )}
      </Loaded>
    </>
  );
}

function Map({ answer, days }: { answer: Coverage; days: readonly string[] }) {
  const rows = useMemo(
    () =>
      answer.items.map(({ meter, days: held }) => ({
        name: meter,
        cells: days.map((day) => shareOf(held.find((each) => each.day === day))),
      })),
    [answer, days],
  );
  if (rows.length === 0) return <p class="quiet">there are no meters yet</p>;
  return (
    <HeatMap
      label="share of slots that are held, by meter and day"
      columns={days}
      rows={rows}
      onPick={(name) => go(meterPlace(name))}
    />
  );
}

/** Of the slots that are over. */
function shareOf(day: CoverageDay | undefined): number | undefined {
  if (day === undefined || day.slots === 0) return undefined;
  const over = (Date.now() - Date.parse(day.day)) / DAY_MS;
  const due = over >= 1 ? day.slots : Math.max(1, Math.floor(day.slots * over));
  return Math.min(1, day.held / due);
}

function lastDays(): string[] {
  const today = Date.now();
  return Array.from({ length: DAYS }, (_, back) =>
    new Date(today - (DAYS - 1 - back) * DAY_MS).toISOString().slice(0, 10),
  );
}
