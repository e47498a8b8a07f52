/** What of the gateway has to do with meters that call in: wires listeners, who has called, and the way to the meters. */
import { systemClock } from "../../drivers/clock.ts";
import { CallListeners } from "../calls/call-listeners.ts";
import { type CallerClues, cluesOf } from "../calls/caller-clues.ts";
import { Calls } from "../calls/calls.ts";
import type { HeldCall } from "../calls/held-call.ts";
import { visitMeter } from "../collect/session/meter-session.ts";
import { meterTarget } from "../collect/session/meter-target.ts";
import { SessionPushes } from "../collect/session/session-pushes.ts";
import { type Config, type ConnectionConfig, meterSchema } from "../config/schema.ts";
import { KeyError } from "../keys/key-error.ts";
import type { EventSink } from "../observe/events.ts";
import type { PushReception } from "../push/receive/push-reception.ts";
import type { SenderDirectory } from "../push/senders/sender-directory.ts";
import type { ReceivedPush } from "../store/push/received-push.ts";
import type { SharedMeters } from "./shared-meters.ts";
import type { StartedFleet } from "./start-fleet.ts";

export interface GatewayCallsParts {
  readonly reception: PushReception;
  readonly directory: SenderDirectory;
  readonly shared: Pick<SharedMeters, "noteReachable">;
}

/** Most time to find out who has called. */
const ASK_MS = 30_000;
/** No key of a meter. */
const NOBODY = -1;

export class GatewayCalls {
  readonly calls: Calls;
  readonly #config: Config;
  readonly #events: EventSink;
  #listeners: CallListeners | undefined;

  constructor({ config, known, events }: { config: Config; known: StartedFleet; events: EventSink }) {
    this.calls = new Calls(known.meters.values());
    this.#config = config;
    this.#events = events;
  }

  /** A push came: it may say whose call it is. */
  heard(push: ReceivedPush): void {
    this.#listeners?.heard(push);
  }

  /** Somebody has said which meter a caller is. */
  lookAgain(): void {
    this.#listeners?.lookAgain();
  }

  /** Takes the listeners of the configuration as it is now. Rejects when an address can't be had. */
  async configure(): Promise<void> {
    await this.#listeners?.take(this.#config.calls.listen);
  }

  /** Listens from now on; ends with the stack. */
  async start({ reception, directory, shared }: GatewayCallsParts, stack: AsyncDisposableStack): Promise<void> {
    this.calls.watch((meter, isReachable) => shared.noteReachable(meter, isReachable));
    this.#listeners = stack.use(
      await CallListeners.start(this.#config.calls.listen, {
        calls: this.calls,
        directory,
        intake: reception.listeners.intake,
        ask: (call, link) => ask(call, link, reception),
        noteUnknown: (clues, { peer }) => reception.noteCaller(clues, { ...peer, transport: "tcp" }),
        events: this.#events,
      }),
    );
  }
}

/** As the public client; its unsolicited messages meanwhile are kept. */
async function ask(call: HeldCall, link: ConnectionConfig["link"], reception: PushReception): Promise<CallerClues> {
  const target = { ...strangerTarget(link), calledFrom: call.peer };
  const pushes = new SessionPushes(
    (message) => reception.keepUnsolicited({ meterKey: NOBODY, target }, message),
    systemClock,
  );
  const options = { budgetMs: ASK_MS, calls: { take: () => call.visit() }, onNotice: pushes.onNotice };
  return await visitMeter(target, options, (connection) => pushes.during(connection, cluesOf));
}

const noKeys = () => Promise.reject(new KeyError("KEY_STORE_CLOSED"));

function strangerTarget(link: ConnectionConfig["link"]) {
  const config = meterSchema.parse({ name: "caller", number: "caller", connection: { callsIn: true, link } });
  return meterTarget(config, { leaseCounters: noKeys, openStoredKey: noKeys });
}
