/** Meters × days as coloured cells, drawn on a canvas; for those who do not see, what is pointed at is said. */
import { useEffect, useRef, useState } from "preact/hooks";

export interface HeatRow {
  readonly name: string;
  /** Share that is held for each column; undefined where nothing is expected. */
  readonly cells: readonly (number | undefined)[];
}

export interface HeatMapProps {
  readonly label: string;
  readonly columns: readonly string[];
  readonly rows: readonly HeatRow[];
  readonly onPick: (row: string) => void;
}

const ROW = 18;
const NAMES = 130;
const TOP = 22;

export function HeatMap({ label, columns, rows, onPick }: HeatMapProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [at, setAt] = useState<{ readonly row: number; readonly column: number } | undefined>(undefined);
  useEffect(() => {
    const element = canvas.current;
    if (element === null) return undefined;
    const draw = () => paint(element, { columns, rows }, at);
    draw();
    const size = new ResizeObserver(draw);
    size.observe(element);
    return () => size.disconnect();
  }, [columns, rows, at]);
  const cellUnder = (event: MouseEvent) => {
    const width = canvas.current?.clientWidth ?? 0;
    const column = Math.floor((event.offsetX - NAMES) / ((width - NAMES) / columns.length));
    const row = Math.floor((event.offsetY - TOP) / ROW);
    return rows[row] === undefined ? undefined : { row, column: Math.max(column, 0) };
  };
  const moved = (event: KeyboardEvent) => {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    const { row = 0, column = columns.length - 1 } = at ?? {};
    if (event.key === "Enter" && rows[row] !== undefined) onPick(rows[row].name);
    if (step === undefined) return;
    event.preventDefault();
    setAt({ row: within(row + (step[0] ?? 0), rows.length), column: within(column + (step[1] ?? 0), columns.length) });
  };
  return (
    <>
      <canvas
        ref={canvas}
        class="heat-map"
        style={{ height: `${TOP + rows.length * ROW}px` }}
        role="application"
        aria-label={`${label}: arrow keys move, Enter opens the meter`}
        tabIndex={0}
        onMouseMove={(event) => setAt(cellUnder(event))}
        onMouseLeave={() => setAt(undefined)}
        onKeyDown={moved}
        onClick={(event) => {
          const cell = cellUnder(event);
          const row = cell === undefined ? undefined : rows[cell.row];
          if (row !== undefined) onPick(row.name);
        }}
      />
      <p class="quiet" aria-live="polite">
        {at === undefined ? "point at a cell, or walk with the arrow keys" : says({ columns, rows }, at)}
      </p>
    </>
  );
}

type Grid = Pick<HeatMapProps, "columns" | "rows">;
type Cell = { readonly row: number; readonly column: number };

function within(value: number, most: number): number {
  return Math.min(Math.max(value, 0), most - 1);
}

function says({ columns, rows }: Grid, { row, column }: Cell): string {
  const share = rows[row]?.cells[column];
  const text = share === undefined ? "nothing expected" : `${(share * 100).toFixed(share === 1 ? 0 : 1)} % held`;
  return `${rows[row]?.name ?? ""}, ${columns[column] ?? ""}: ${text}`;
}

function paint(canvas: HTMLCanvasElement, { columns, rows }: Grid, at: Cell | undefined): void {
  const style = getComputedStyle(canvas);
  const scale = devicePixelRatio;
  const width = canvas.clientWidth;
  canvas.width = width * scale;
  canvas.height = canvas.clientHeight * scale;
  const context = canvas.getContext("2d");
  if (context === null || width === 0) return;
  context.scale(scale, scale);
  context.font = `12px ${style.fontFamily}`;
  context.textBaseline = "middle";
  const cell = (width - NAMES) / columns.length;
  const every = Math.ceil(48 / cell);
  context.textAlign = "right";
  context.fillStyle = style.getPropertyValue("--quiet");
  for (const [index, column] of columns.entries()) {
    // The last cell ends where the canvas does.
    if ((columns.length - 1 - index) % every === 0)
      context.fillText(column.slice(5), NAMES + (index + 1) * cell, TOP / 2);
  }
  context.textAlign = "left";
  for (const [index, { name, cells }] of rows.entries()) {
    const top = TOP + index * ROW;
    context.fillStyle = style.getPropertyValue("--text");
    context.fillText(name, 0, top + ROW / 2, NAMES - 8);
    for (const [place, share] of cells.entries()) {
      context.fillStyle = share === undefined ? style.getPropertyValue("--edge") : heat(share);
      context.fillRect(NAMES + place * cell, top + 1, Math.max(cell - 1, 1), ROW - 2);
    }
  }
  if (at === undefined) return;
  context.strokeStyle = style.getPropertyValue("--text");
  context.lineWidth = 2;
  context.strokeRect(NAMES + at.column * cell, TOP + at.row * ROW, cell, ROW);
}

/** All held is green, the first hole is seen at once, nothing is red; lightness tells it too. */
function heat(share: number): string {
  if (share >= 1) return "hsl(150 55% 38%)";
  return `hsl(${Math.round(share * 45)} 80% ${Math.round(42 + share * 16)}%)`;
}
