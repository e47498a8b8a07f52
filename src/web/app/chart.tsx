/** Values over time as lines; where a value is missing, the line is. */
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
// oxlint-disable-next-line import/no-unassigned-import -- a style sheet has no name
import "uplot/dist/uPlot.min.css";

export interface Line {
  readonly label: string;
  /** One for each moment; null where there is none. */
  readonly values: readonly (number | null)[];
}

export interface ChartProps {
  readonly label: string;
  /** Seconds since 1970, ascending. */
  readonly times: readonly number[];
  readonly lines: readonly Line[];
  readonly unit: string;
  /** Moments to be marked, as events. */
  readonly marks?: readonly { readonly at: number; readonly text: string }[];
}

const HEIGHT = 260;
const COLORS = ["--line-1", "--line-2", "--line-3", "--line-4", "--line-5", "--line-6"];

export function Chart({ label, times, lines, unit, marks = [] }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = place.current;
    if (element === null) return undefined;
    const draw = () =>
      new uPlot(
        optionsOf({ lines, unit, marks }, element.clientWidth),
        [[...times], ...lines.map(({ values }) => [...values])],
        element,
      );
    let plot = draw();
    const again = () => {
      plot.destroy();
      plot = draw();
    };
    const size = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: HEIGHT }));
    size.observe(element);
    const dark = matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", again);
    return () => {
      size.disconnect();
      dark.removeEventListener("change", again);
      plot.destroy();
    };
  }, [times, lines, unit, marks]);
  return (
    <figure>
      <div ref={place} class="chart" role="img" aria-label={label} />
    </figure>
  );
}

function optionsOf(
  { lines, unit, marks }: Required<Pick<ChartProps, "lines" | "unit" | "marks">>,
  width: number,
): uPlot.Options {
  const [quiet, grid] = [color("--quiet"), color("--edge")];
  const axis = { stroke: quiet, grid: { stroke: grid, width: 1 }, ticks: { stroke: grid, width: 1 } };
  return {
    width: Math.max(width, 200),
    height: HEIGHT,
    series: [
      {},
      ...lines.map(({ label, values }, at) => ({
        label: unit === "" ? label : `${label} (${unit})`,
        stroke: color(COLORS[at % COLORS.length] ?? "--line-1"),
        width: 1.5,
        points: { show: values.length === 1 },
      })),
    ],
    axes: [axis, { ...axis, size: 80, label: unit, labelSize: 18 }],
    hooks: { draw: [(plot) => drawMarks(plot, marks)] },
  };
}

function drawMarks(plot: uPlot, marks: NonNullable<ChartProps["marks"]>): void {
  const { left, top, width, height } = plot.bbox;
  plot.ctx.fillStyle = color("--warn");
  for (const { at } of marks) {
    const x = plot.valToPos(at, "x", true);
    if (x >= left && x <= left + width) plot.ctx.fillRect(x - 1, top, 2, height);
  }
}

function color(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
