import type { Apdu } from "../../apdu/apdu.ts";
import type { ApduName } from "../../apdu/registry.ts";
import { REFERENCING, type Referencing } from "../referencing.ts";
import type { AnswerWatch } from "./answer-watch.ts";
import { type Awaiting, awaitedNames, awaitingIn, isMeantAs } from "./client-answers.ts";
import type { ClientRequests } from "./client-requests.ts";
import type { ClientState } from "./client-states.ts";

/** Tells the answer to what a client has asked from everything else that may come in its state. */
export class AwaitedAnswer {
  readonly #referencing: Referencing;
  readonly #requests: ClientRequests;
  readonly #watch: AnswerWatch;

  constructor(referencing: Referencing, requests: ClientRequests, watch: AnswerWatch) {
    this.#referencing = referencing;
    this.#requests = requests;
    this.#watch = watch;
  }

  /** What is awaited in the state; undefined where nothing is. */
  in(state: ClientState): Awaiting | undefined {
    return awaitingIn(state, !REFERENCING[this.#referencing].invokeIds || this.#watch.isAmbiguous);
  }

  /** Whether the APDU is what is awaited. An answer with another invoke-id is, unless it may be a late one. */
  judge(state: ClientState, apdu: Apdu): "answer" | "notEchoed" | "late" | "other" {
    if (!this.#names(state).includes(apdu.apdu)) return "other";
    const echoed = this.#requests.isEchoed(apdu);
    return echoed === undefined ? "answer" : this.#watch.judge(echoed);
  }

  /** Whether octets that can't be read were meant as the answer. */
  isMeantBy(state: ClientState, octets: Uint8Array): boolean {
    return this.#names(state).some((name) => isMeantAs(name, octets));
  }

  #names(state: ClientState): readonly ApduName[] {
    const { awaited } = this.#requests;
    return awaited === undefined ? awaitedNames(state, this.#referencing) : [awaited];
  }
}
