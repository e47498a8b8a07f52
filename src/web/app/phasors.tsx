import type { Reading, Readings } from "./answers.ts";
import type { Resource } from "./api.ts";
import { Card } from "./parts.tsx";

const SIZE = 240;
const PHASES = ["l1", "l2", "l3"] as const;
/** Where the meter does not say it: a third of a turn apart. */
const USUAL = [0, 120, 240] as const;

/** Voltages and currents as arrows, for meters with three phases. */
export function PhasorCard({ instant }: { instant: Resource<Readings> }) {
  const row = instant.answer?.items[0];
  if (row?.values["voltage_l2_v"] === undefined) return null;
  const arrows = arrowsOf(row);
  const label = arrows
    .map(({ name, value, unit, angle }) => `${name} ${value} ${unit} at ${Math.round(angle)}°`)
    .join("; ");
  return (
    <Card title="Phasors">
      <svg viewBox={`${-SIZE / 2} ${-SIZE / 2} ${SIZE} ${SIZE}`} class="phasors" role="img" aria-label={label}>
        <circle r={SIZE / 2 - 22} class="edge" />
        {arrows.map(({ name, angle, length, kind, at }) => {
          const turn = (angle * Math.PI) / 180;
          const [x, y] = [Math.cos(turn) * length, -Math.sin(turn) * length];
          return (
            <g key={name} class={`phase-${at} ${kind}`}>
              <line x2={x} y2={y} />
              <circle cx={x} cy={y} r={3} />
              <text x={x * 1.12} y={y * 1.12}>
                {name}
              </text>
            </g>
          );
        })}
      </svg>
      <p class="quiet">{label}</p>
    </Card>
  );
}

function arrowsOf({ values }: Reading) {
  const number = (name: string) => (values[name] === undefined ? undefined : Number(values[name]));
  const voltages = PHASES.map((phase) => number(`voltage_${phase}_v`) ?? 0);
  const currents = PHASES.map((phase) => number(`current_${phase}_a`) ?? 0);
  const turns = [0, number("angle_u1_u2_deg") ?? USUAL[1], number("angle_u1_u3_deg") ?? USUAL[2]];
  const longest = SIZE / 2 - 24;
  return PHASES.flatMap((phase, at) => {
    // Phases follow each other clockwise; a current lags its voltage by the angle between them.
    const turn = 90 - (turns[at] ?? 0);
    const lag = number(`angle_${phase}_deg`) ?? lagOf(number(`power_factor_${phase}`));
    const [voltage = 0, current = 0] = [voltages[at], currents[at]];
    return [
      {
        name: `U${at + 1}`,
        kind: "voltage",
        at,
        unit: "V",
        value: voltage,
        angle: turn,
        length: (voltage / Math.max(...voltages, 1)) * longest,
      },
      {
        name: `I${at + 1}`,
        kind: "current",
        at,
        unit: "A",
        value: current,
        angle: turn - lag,
        length: (current / Math.max(...currents, 0.001)) * longest * 0.7,
      },
    ];
  });
}

function lagOf(powerFactor: number | undefined): number {
  if (powerFactor === undefined || Math.abs(powerFactor) > 1) return 0;
  return (Math.sign(powerFactor) * Math.acos(Math.abs(powerFactor)) * 180) / Math.PI;
}
