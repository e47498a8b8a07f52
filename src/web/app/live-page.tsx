import { useEffect, useState } from "preact/hooks";
import { SIGNED_OUT } from "./api.ts";
import { Badge, Notice, Table, Time } from "./parts.tsx";
import { Link, meterPlace } from "./route.tsx";

const MOST_SHOWN = 200;
const HEARD = [
  "meterPolled",
  "meterFailed",
  "meterQuarantined",
  "meterReturned",
  "pushReceived",
  "pushRejected",
  "rowsStored",
  "storeFailed",
  "spoolBegun",
  "spoolDrained",
];

interface Heard {
  readonly event: string;
  readonly at: string;
  readonly meter?: string;
  readonly cause?: string;
  readonly [field: string]: unknown;
}

/** What happens, while it happens. */
export function LivePage() {
  const [heard, setHeard] = useState<readonly Heard[]>([]);
  const [open, setOpen] = useState(false);
  const [refused, setRefused] = useState(false);
  const [held, setHeld] = useState(false);
  useEffect(() => {
    if (held) return undefined;
    const source = new EventSource("/v1/live");
    const hear = ({ data }: MessageEvent<string>) => {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it comes from our own API
      const event = JSON.parse(data) as Heard;
      setHeard((before) => [event, ...before].slice(0, MOST_SHOWN));
    };
    for (const name of HEARD) source.addEventListener(name, hear);
    source.addEventListener("open", () => setOpen(true));
    source.addEventListener("error", () => {
      setOpen(false);
      // It does not try again, nor say why; whose token is gone is asked for another.
      setRefused(source.readyState === EventSource.CLOSED);
      if (source.readyState === EventSource.CLOSED) dispatchEvent(new Event(SIGNED_OUT));
    });
    return () => {
      source.close();
      setOpen(false);
      setRefused(false);
    };
  }, [held]);
  return (
    <>
      <h1>Live</h1>
      <p>
        <Badge kind={open ? "good" : "quiet"}>
          {held ? "held" : open ? "listening" : refused ? "refused" : "connecting"}
        </Badge>{" "}
        <button type="button" onClick={() => setHeld(!held)}>
          {held ? "go on" : "hold"}
        </button>
      </p>
      {refused && (
        <Notice kind="bad">The gateway lets nobody else listen now: too many do. Hold and go on to try again.</Notice>
      )}
      <Table
        label="what happens"
        none="nothing has happened since this page is open"
        rows={heard}
        columns={[
          { title: "when", cell: ({ at }) => <Time at={at} /> },
          { title: "what", cell: ({ event }) => event },
          { title: "meter", cell: ({ meter }) => meter && <Link to={meterPlace(meter)}>{meter}</Link> },
          {
            title: "details",
            cell: (each) => <code class="words">{detailsOf(each)}</code>,
          },
        ]}
      />
    </>
  );
}

function detailsOf(heard: Heard): string {
  const rest = Object.entries(heard).filter(([name]) => !["event", "at", "meter"].includes(name));
  return rest.map(([name, value]) => `${name} ${typeof value === "string" ? value : JSON.stringify(value)}`).join(", ");
}
