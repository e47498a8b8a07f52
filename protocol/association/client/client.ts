/**
 * The client's side of an association with logical names (IEC 62056-5-3), as a machine over whole APDUs: it knows no
 * link. One request is under way at a time. Whatever the server sends ends in an event or is waited out by a deadline.
 */
import type { Apdu } from "../../apdu/apdu.ts";
import type { DataNotification } from "../../apdu/data-notification.ts";
import { APDUS } from "../../apdu/registry.ts";
import type { Conformance } from "../../ber/conformance.ts";
import { DlmsError, dlmsErrorOf, type Fault } from "../../errors.ts";
import type { Machine } from "../../machine.ts";
import { Queue } from "../../queue.ts";
import type { ProtectionWarning } from "../../security/apdu-protection.ts";
import { unexpected } from "../exchanges/service-exchange.ts";
import { confirmationOf, notificationOf } from "../notifications.ts";
import { AnswerWatch } from "./answer-watch.ts";
import { AwaitedAnswer } from "./awaited-answer.ts";
import { faultEvidence, type Refusal, refusalIn, refusesService } from "./client-answers.ts";
import { ClientEnvelope, type OpenedApdu } from "./client-envelope.ts";
import type {
  Agreement,
  ClientCommand,
  ClientEvent,
  FailureEvidence,
  ServiceOrder,
  UnconfirmedOrder,
} from "./client-events.ts";
import { ClientOpening, presumedAgreement, releaseRequest } from "./client-opening.ts";
import { ClientRequests } from "./client-requests.ts";
import { type ClientLeniency, type ClientSettings, clientTimeouts } from "./client-settings.ts";
import {
  type ClientState,
  type ClientTransition,
  LEAVING,
  type LeavingTransition,
  nextClientState,
} from "./client-states.ts";

const NO_SERVICES: Conformance = new Set();

export class ClientAssociation implements Machine<ClientCommand, ClientEvent> {
  readonly #settings: ClientSettings;
  readonly #events = new Queue<ClientEvent>();
  readonly #envelope: ClientEnvelope;
  #state: ClientState = "idle";
  #agreement: Agreement | undefined;
  #opening: ClientOpening | undefined;
  readonly #requests: ClientRequests;
  readonly #watch = new AnswerWatch();
  readonly #awaited: AwaitedAnswer;
  readonly #timeouts: ReturnType<typeof clientTimeouts>;

  constructor(settings: ClientSettings) {
    this.#settings = settings;
    this.#timeouts = clientTimeouts(settings);
    this.#envelope = new ClientEnvelope(settings, (event) => this.#events.push(event));
    this.#requests = new ClientRequests(settings.highPriority ?? true, (leniency) => this.#note(leniency));
    this.#awaited = new AwaitedAnswer(settings.referencing ?? "logical-name", this.#requests, this.#watch);
  }

  get state(): ClientState {
    return this.#state;
  }

  /** What the present association was made on. */
  get agreement(): Agreement | undefined {
    return this.#agreement;
  }

  command(command: ClientCommand, nowMs: number): void {
    switch (command.type) {
      case "associate":
        this.#associate(nowMs);
        return;
      case "release":
        this.#release(nowMs);
        return;
      case "waitOn":
        if (this.#watch.deadlineMs !== undefined) this.#watch.extend(nowMs, this.#timeouts.answerMs);
        return;
      case "abort":
        this.#abort(command.error);
        return;
      case "sendUnconfirmed":
        this.#sendUnconfirmed(command.order);
        return;
      case "confirmNotification":
        this.#confirm(command.notification);
        return;
      default:
        this.#request(command, nowMs);
    }
  }

  receive(bytes: Uint8Array, nowMs: number): void {
    let opened: OpenedApdu | undefined;
    const progress = this.#envelope.blockProgress;
    try {
      opened = this.#envelope.open(bytes, this.#awaited.in(this.#state) !== undefined, this.#opening?.tolerated);
    } catch (error) {
      this.#faultOfPeer(dlmsErrorOf(error), bytes);
      return;
    }
    if (opened === undefined) {
      if (this.#envelope.blockProgress > progress) this.#watch.extend(nowMs, this.#timeouts.blockMs);
      return;
    }
    try {
      this.#take(opened, nowMs);
    } catch (error) {
      const { apdu } = opened;
      this.#fail(dlmsErrorOf(error), faultEvidence(apdu.apdu === "aare" ? apdu.body.userInformation : undefined));
    }
  }

  timeout(nowMs: number): void {
    const { deadlineMs } = this.#watch;
    if (deadlineMs === undefined || nowMs < deadlineMs) return;
    if (this.#state === "releasing") {
      this.#leave("unanswered", "peer");
    } else if (this.#envelope.inBlocks && this.#envelope.repeat()) {
      this.#watch.extend(nowMs, this.#timeouts.blockMs);
    } else {
      this.#repeatOrGiveUp(nowMs);
    }
  }

  takeBytes(): Uint8Array | undefined {
    return this.#envelope.takeBytes();
  }

  takeEvent(): ClientEvent | undefined {
    return this.#events.take();
  }

  deadlineMs(): number | undefined {
    return this.#watch.deadlineMs;
  }

  #associate(nowMs: number): void {
    if (this.#settings.preEstablished === true) {
      this.#step("preEstablished", "caller");
      this.#envelope.reset();
      this.#associated(presumedAgreement(this.#settings));
      return;
    }
    this.#open("aarqSent");
    this.#watch.begin();
    this.#watch.start(nowMs, this.#timeouts.answerMs);
  }

  #open(transition: "aarqSent" | "openedAgain"): void {
    const next = nextClientState(this.#state, transition, "caller");
    const opening = new ClientOpening(this.#settings, (leniency) => this.#note(leniency));
    const aarq = opening.aarq();
    this.#envelope.reset();
    this.#envelope.sendPlain(aarq);
    this.#envelope.useDedicatedKey(undefined);
    this.#opening = opening;
    this.#state = next;
  }

  #request(order: ServiceOrder, nowMs: number): void {
    const next = nextClientState(this.#state, "requestSent", "caller");
    const ownBlocks = this.#envelope.prefersGeneralBlocks ? Number.POSITIVE_INFINITY : this.#envelope.maxPlainLength;
    const request = this.#requests.prepare(order, this.#agreement?.conformance ?? NO_SERVICES, ownBlocks);
    this.#ask(request.apdu, nowMs);
    request.sent();
    this.#state = next;
  }

  #ask(apdu: Apdu, nowMs: number): void {
    this.#envelope.send(apdu);
    this.#watch.start(nowMs, this.#timeouts.answerMs);
  }

  /** No answer has come. What can't be said again, as without an invocation counter, fails for that reason. */
  #repeatOrGiveUp(nowMs: number): void {
    const waitedMs = this.#watch.waitedMs(nowMs);
    let error = new DlmsError("SERVICE_UNANSWERED", "peer", { state: this.#state, waitedMs });
    let evidence: FailureEvidence = { type: "silence", waitedMs, discarded: this.#watch.discarded };
    try {
      if (this.#repeat(nowMs)) return;
    } catch (thrown) {
      error = dlmsErrorOf(thrown);
      evidence = { type: "fault" };
    }
    this.#watch.giveUp();
    this.#fail(error, evidence);
  }

  /** Makes anew what changes nothing, if it may be: a read, or the association from its beginning. */
  #repeat(nowMs: number): boolean {
    const { repeatReads = 0 } = this.#settings;
    const request = this.#watch.isAmbiguous ? undefined : this.#requests.again(repeatReads);
    if (request !== undefined) this.#envelope.send(request);
    else if (this.#opening !== undefined && this.#watch.mayOpenAgain(repeatReads)) this.#open("openedAgain");
    else return false;
    this.#watch.repeat();
    this.#watch.extend(nowMs, this.#timeouts.answerMs);
    return true;
  }

  #sendUnconfirmed(order: UnconfirmedOrder): void {
    const next = nextClientState(this.#state, "unconfirmedSent", "caller");
    const request = this.#requests.prepareUnconfirmed(order, this.#agreement?.conformance ?? NO_SERVICES);
    this.#envelope.sendAside(request.apdu);
    request.sent();
    this.#state = next;
    this.#events.push({ type: "sent" });
  }

  #confirm(notification: DataNotification): void {
    const confirmation = confirmationOf(notification);
    if (confirmation === undefined) return;
    const next = nextClientState(this.#state, "confirmationSent", "caller");
    this.#envelope.sendAside(confirmation);
    this.#state = next;
  }

  #release(nowMs: number): void {
    const rlrq = releaseRequest(this.#settings);
    if (rlrq === undefined) {
      this.#leave("leftSilently", "caller");
      return;
    }
    const next = nextClientState(this.#state, "rlrqSent", "caller");
    this.#envelope.sendPlain(rlrq);
    this.#state = next;
    this.#watch.start(nowMs, this.#timeouts.releaseMs);
  }

  #abort(error: DlmsError): void {
    const stage = this.#awaited.in(this.#state)?.stage;
    const partial = this.#requests.partial();
    this.#step("aborted", "caller");
    this.#forget();
    if (stage === undefined) return;
    if (stage === "release") this.#events.push({ type: "released", answer: "unanswered" });
    else {
      const failure = { stage: "link", error, evidence: { type: "linkEnded", during: stage } } as const;
      this.#events.push({ type: "failed", failure: { ...failure, ...(partial && { partial }) } });
    }
  }

  #take(opened: OpenedApdu, nowMs: number): void {
    const { apdu, layers, octets } = opened;
    const notification = notificationOf(apdu);
    const refusal = refusalIn(apdu);
    if (notification !== undefined) this.#events.push({ type: "notification", notification, layers, octets });
    else if (this.#awaited.in(this.#state) === undefined) this.#discard(unexpected(apdu.apdu));
    else if (refusal !== undefined) this.#refuse(refusal, nowMs);
    else {
      const verdict = this.#awaited.judge(this.#state, apdu);
      if (verdict === "notEchoed") this.#note("invoke-id-not-echoed");
      if (verdict === "late" || verdict === "other") this.#discard(unexpected(apdu.apdu));
      else {
        this.#envelope.admitAnswer(opened);
        this.#takeAnswer(apdu, nowMs);
      }
    }
  }

  #takeAnswer(apdu: Apdu, nowMs: number): void {
    switch (this.#state) {
      case "requesting":
        this.#continue(apdu, nowMs);
        return;
      case "releasing":
        this.#leave("rlreReceived", "peer");
        return;
      default:
        this.#takeOpening(apdu, nowMs);
    }
  }

  #takeOpening(apdu: Apdu, nowMs: number): void {
    const opening = this.#opening;
    if (opening === undefined) throw unexpected(apdu.apdu);
    const verdict = opening.judge(apdu);
    if (verdict.type === "refused") {
      this.#fail(verdict.error, verdict.evidence);
      return;
    }
    this.#step(verdict.transition, "peer");
    if (verdict.type === "accepted") {
      this.#envelope.useDedicatedKey(opening.dedicatedKey);
      this.#associated(verdict.agreement);
      return;
    }
    this.#agreement = verdict.agreement;
    this.#envelope.agree(verdict.agreement);
    this.#ask(opening.reply(this.#requests.firstOctet()), nowMs);
  }

  #continue(apdu: Apdu, nowMs: number): void {
    const step = this.#requests.take(apdu);
    if (step.type === "ignored") this.#discard(step.error);
    else if (step.type === "send") {
      this.#ask(step.apdu, nowMs);
      this.#step("blockSent", "peer");
      if (step.joined > 0) this.#events.push({ type: "progress", octets: step.joined });
    } else {
      this.#step("answered", "peer");
      this.#requests.end();
      this.#watch.stop();
      this.#watch.settle();
      this.#events.push({ type: "response", response: step.response });
    }
  }

  #associated(agreement: Agreement): void {
    this.#agreement = agreement;
    this.#opening = undefined;
    this.#watch.stop();
    this.#envelope.agree(agreement);
    this.#events.push({ type: "associated", agreement });
  }

  #leave(transition: LeavingTransition, fault: Fault): void {
    this.#step(transition, fault);
    this.#forget();
    this.#events.push({ type: "released", answer: LEAVING[transition] });
  }

  #refuse(refusal: Refusal, nowMs: number): void {
    if (this.#state === "releasing") {
      this.#leave("refused", "peer");
      return;
    }
    const otherwise = this.#state === "authenticating" && refusesService(refusal) && this.#replyAgain(nowMs);
    if (!otherwise) this.#fail(refusal.error, refusal.evidence);
  }

  /** Says the reply to the challenge in another way, if there is one. */
  #replyAgain(nowMs: number): boolean {
    const reply = this.#opening?.otherReply();
    if (reply === undefined) return false;
    this.#ask(reply, nowMs);
    this.#step("replySent", "peer");
    this.#note("hls-reply-by-write");
    return true;
  }

  /** Ends what is under way. A failed request leaves the association as it is. */
  #fail(error: DlmsError, evidence: FailureEvidence): void {
    const failing = this.#awaited.in(this.#state);
    if (failing === undefined) {
      this.#discard(error);
      return;
    }
    const { stage } = failing;
    const partial = this.#requests.partial();
    this.#step(evidence.type === "silence" ? failing.unanswered : failing.refused, "peer");
    this.#watch.stop();
    this.#requests.end();
    if (this.#state === "idle") this.#forget();
    this.#events.push({ type: "failed", failure: { stage, error, evidence, ...(partial && { partial }) } });
  }

  /** What could not be read: a failure if it was meant as the answer, noise otherwise. */
  #faultOfPeer(error: DlmsError, octets: Uint8Array): void {
    if (this.#state === "releasing" && octets[0] === APDUS.rlre[0]) {
      // A meter that gets the lengths of its farewell wrong has taken ours all the same.
      this.#note("rlre-malformed");
      this.#leave("rlreReceived", "peer");
      return;
    }
    // A network may deliver an answer twice: the one that is awaited is still to come.
    const mayAnswer = this.#state !== "releasing" && !this.#envelope.repeatsLast(octets);
    if (mayAnswer && this.#awaited.isMeantBy(this.#state, octets)) this.#fail(error, faultEvidence(octets));
    else this.#discard(error, octets);
  }

  #discard(error: DlmsError, octets?: Uint8Array): void {
    this.#events.push({ type: "discarded", error, ...(octets && { octets }) });
    if (!this.#watch.discard() && this.#awaited.in(this.#state) !== undefined) this.#fail(error, { type: "fault" });
  }

  #note(name: ClientLeniency | ProtectionWarning): void {
    this.#events.push({ type: "leniency", name });
  }

  #step(transition: ClientTransition, fault: Fault): void {
    this.#state = nextClientState(this.#state, transition, fault);
  }

  #forget(): void {
    this.#agreement = undefined;
    this.#opening = undefined;
    this.#requests.end();
    this.#watch.stop();
    this.#envelope.reset();
  }
}
