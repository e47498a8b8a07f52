/** How often each event has happened since the start of the process. */
import type { EventSink, GatewayEventName } from "./events.ts";

export class EventCounts {
  readonly #counts = new Map<GatewayEventName, number>();

  readonly sink: EventSink = ({ event }) => {
    this.#counts.set(event, this.of(event) + 1);
  };

  of(event: GatewayEventName): number {
    return this.#counts.get(event) ?? 0;
  }
}
