/**
 * Finds out how an unknown meter is to be read: the link, its addresses, who may associate, what the meter is, and what it
 * does otherwise than the standard. Each step is told as it is made; the first one that breaks ends the probe with its
 * cause and what to do next. No password or key is tried but those that were given: meters lock themselves.
 */
import type { ByteChannel } from "../../../drivers/channel.ts";
import { ChannelError } from "../../../drivers/channel-error.ts";
import type { Agreement, ReleaseAnswer } from "../../../protocol/association/client/client-events.ts";
import { logicalNameFromOctets } from "../../../protocol/cosem/obis.ts";
import type { MeterQuirk } from "../../../protocol/quirks.ts";
import { causeOf } from "../causes/failure-cause.ts";
import { SessionFailedError } from "../causes/session-failure.ts";
import type { MeterConnection } from "../session/meter-connection.ts";
import { visitMeter } from "../session/meter-session.ts";
import type { MeterTarget } from "../session/meter-target.ts";
import type { VisitEnvironment } from "../session/visit-environment.ts";
import {
  ASSOCIATION_QUIRKS,
  CLIENTS,
  type ClientCandidate,
  DEDICATED_QUIRKS,
  LATE_QUIRKS,
  LINK_QUIRKS,
  type LinkCandidate,
  SERIAL_LINKS,
  TCP_LINKS,
  TOLD_QUIRKS,
} from "./probe-candidates.ts";
import { exploreMeter } from "./probe-exploration.ts";
import { type Attempt, type ProbeFindings, ProbeNotes, type ProbeStep, StepBroken } from "./probe-findings.ts";

export interface ProbeOptions {
  /** The meter as it would be read with an attempt's options. */
  readonly target: (attempt: Attempt) => MeterTarget;
  readonly serial: boolean;
  /** Link and addresses are given: no others are tried. */
  readonly linkGiven: boolean;
  /** An association is given, perhaps with secrets: it is used, and only it is. */
  readonly associationGiven: boolean;
  readonly budgetMs: number;
  readonly onStep?: (step: ProbeStep) => void;
  /** Looks on at what passes on each visit. */
  readonly wrap?: (channel: ByteChannel, target: MeterTarget) => ByteChannel;
  readonly nowMs?: () => number;
  readonly environment?: VisitEnvironment;
  /** How the meter is visited, where it has a way of its own. */
  readonly visit?: (work: (connection: MeterConnection) => Promise<void>) => Promise<void>;
}

export async function probeMeter(options: ProbeOptions): Promise<ProbeFindings> {
  const probe = new Probe(options);
  try {
    await probe.findLink();
    await probe.findAssociation();
    await probe.explore();
  } catch (error) {
    if (!(error instanceof StepBroken)) throw error;
    return probe.notes.findings({ ...causeOf(error.cause), step: error.step });
  }
  return probe.notes.findings(undefined);
}

class Probe {
  readonly #options: ProbeOptions;
  readonly notes: ProbeNotes;
  #conformance: Agreement["conformance"] | undefined;

  constructor(options: ProbeOptions) {
    this.#options = options;
    this.notes = new ProbeNotes(options.onStep);
  }

  /** The first link over which the meter says anything that makes sense. */
  async findLink(): Promise<void> {
    const { serial, linkGiven } = this.#options;
    const given: readonly LinkCandidate[] = [{ says: "link as given", connection: {} }];
    const candidates = linkGiven ? given : serial ? SERIAL_LINKS : TCP_LINKS;
    let worst: unknown;
    for (const candidate of candidates) {
      const outcome = await this.#tryLink(candidate);
      if (outcome === "found") return;
      worst ??= outcome.silentBy;
    }
    throw new StepBroken("link", worst);
  }

  async #tryLink(candidate: LinkCandidate): Promise<"found" | { silentBy: unknown }> {
    const attempt = this.#attemptOf(candidate);
    const error = await this.#visit(attempt);
    // Whoever told its counter is there, even if the next client finds it silent.
    if (error === undefined || answered(error) || this.notes.counterObject !== undefined) {
      this.notes.addQuirks(attempt.quirks);
      this.notes.attempt = attempt;
      this.notes.tell("link", candidate.says);
      return "found";
    }
    // Nobody else would answer either where there is no way to the meter at all.
    if (!(error instanceof SessionFailedError) || error.cause instanceof ChannelError)
      throw new StepBroken("link", error);
    return { silentBy: error };
  }

  #attemptOf(candidate: LinkCandidate): Attempt {
    const [publicClient] = CLIENTS;
    return {
      connection: candidate.connection,
      ...(!this.#options.associationGiven && publicClient && { association: openAssociation(publicClient) }),
      quirks: candidate.quirks ?? [],
    };
  }

  /** Associates and takes leave; what went wrong, or undefined. */
  async #visit(attempt: Attempt): Promise<unknown> {
    try {
      await this.#work(attempt, async (connection) => {
        this.#conformance = connection.agreement?.conformance;
        this.#noteRelease(await connection.release().catch((): ReleaseAnswer => "unanswered"));
      });
      return undefined;
    } catch (error) {
      return error ?? new Error("failed without a reason");
    }
  }

  async #work(
    attempt: Attempt,
    work: (connection: MeterConnection, target: MeterTarget) => Promise<void>,
  ): Promise<void> {
    const target = this.#options.target({ ...attempt, quirks: [...attempt.quirks, ...Object.values(TOLD_QUIRKS)] });
    const visit = this.#options.visit ?? ((job) => this.#visitTarget(target, job));
    await visit((connection) => work(connection, target)).finally(() => {
      const { counterObject } = target;
      if (counterObject !== undefined) this.notes.counterObject = logicalNameFromOctets(counterObject);
    });
  }

  #visitTarget(target: MeterTarget, work: (connection: MeterConnection) => Promise<void>): Promise<void> {
    const { wrap, environment, budgetMs } = this.#options;
    return visitMeter(
      target,
      {
        budgetMs,
        ...(environment && { environment }),
        ...(wrap && { wrap: (channel) => wrap(channel, target) }),
        onNotice: (notice) => {
          if (notice.type === "leniency") this.notes.noteLeniency(notice.name);
        },
      },
      work,
    );
  }

  #noteRelease(answer: ReleaseAnswer): void {
    if (answer === "unanswered") this.notes.quirks.add("release-unanswered");
  }

  /** The association to explore with: the given one, or the first client that needs no authentication. */
  async findAssociation(): Promise<void> {
    const found = this.notes.attempt;
    if (found === undefined) return;
    if (this.#options.associationGiven) {
      await this.#associateAsGiven(found);
      return;
    }
    let refusal: unknown;
    let open: Attempt | undefined;
    for (const client of CLIENTS) {
      const attempt = { ...found, association: openAssociation(client) };
      const error = await this.#visit(attempt);
      this.notes.offers.push({ ...client, mechanism: undefined, ciphered: undefined, outcome: outcomeOf(error) });
      if (error === undefined) open ??= attempt;
      else refusal ??= error;
    }
    if (open === undefined) throw new StepBroken("association", refusal);
    this.notes.attempt = open;
    const { clientSap, referencing } = open.association ?? { clientSap: 0 };
    this.notes.tell(
      "association",
      `client ${clientSap} without authentication${referencing === "sn" ? ", short names" : ""}`,
    );
  }

  /** With one quirk after the other, where the meter does not understand what we cipher, or only the public client. */
  async #associateAsGiven(found: Attempt): Promise<void> {
    const first = await this.#visit(found);
    const isLate = this.notes.counterObject !== undefined && isSilent(first);
    const others = notDeciphered(first) ? ASSOCIATION_QUIRKS : isLate ? LATE_QUIRKS : [];
    for (const quirks of others) {
      const attempt = { ...found, quirks: [...found.quirks, ...quirks] };
      if ((await this.#visit(attempt)) !== undefined) continue;
      this.notes.addQuirks(quirks);
      this.notes.attempt = attempt;
      this.notes.tell("association", `as given, ${quirks.join(", ")}`);
      return;
    }
    if (first !== undefined) throw new StepBroken("association", first);
    this.notes.tell("association", "as given");
  }

  /** What the meter is and does; with one link quirk after the other where the link does not hold. */
  async explore(): Promise<void> {
    const found = this.notes.attempt;
    if (found === undefined) return;
    const { connection, association } = this.#options.target(found);
    const ofLink = connection.link === "hdlc" ? LINK_QUIRKS : [[]];
    let broken: StepBroken | undefined;
    for (const quirks of association.security?.dedicatedKey ? [...ofLink, ...DEDICATED_QUIRKS] : ofLink) {
      try {
        await this.#explore(quirks);
        if (quirks.length > 0) this.notes.quirks.delete("release-unanswered");
        this.notes.addQuirks(quirks);
        return;
      } catch (error) {
        if (!(error instanceof StepBroken)) throw error;
        broken ??= error;
        if (!linkFailed(error.cause) && !notDeciphered(error.cause)) break;
      }
    }
    if (broken !== undefined) throw broken;
  }

  async #explore(linkQuirks: readonly MeterQuirk[]): Promise<void> {
    const found = this.notes.attempt;
    if (found === undefined) return;
    const negotiated = this.#conformance?.has("selective-access") === true;
    const assumed: readonly MeterQuirk[] = negotiated ? [] : ["selective-access-unnegotiated"];
    const attempt = { ...found, quirks: [...found.quirks, ...linkQuirks, ...assumed] };
    const nowMs = this.#options.nowMs ?? Date.now;
    await this.#work(attempt, (connection, target) =>
      exploreMeter({ connection, target, conformance: this.#conformance, nowMs }, this.notes),
    ).catch((error: unknown) => {
      throw error instanceof StepBroken ? error : new StepBroken("association", error);
    });
  }
}

/** The link did not hold, as it does not when frames are numbered or cut otherwise than the standard wants. */
function linkFailed(error: unknown): boolean {
  if (!(error instanceof SessionFailedError) || error.cause instanceof ChannelError) return false;
  return error.stage === "link" || error.failure.evidence.type === "silence";
}

function isSilent(error: unknown): boolean {
  return error instanceof SessionFailedError && error.failure.evidence.type === "silence";
}

/** The meter says that it could not decipher, or check, what we sent. */
function notDeciphered(error: unknown): boolean {
  if (!(error instanceof SessionFailedError)) return false;
  const { evidence } = error.failure;
  return evidence.type === "exception" && evidence.exception.serviceError === "deciphering-error";
}

function openAssociation({ clientSap, referencing }: ClientCandidate) {
  return { clientSap, mechanism: "none" as const, referencing: referencing ?? ("ln" as const) };
}

/** Whether the meter has said anything that makes sense over a link. */
function answered(error: unknown): boolean {
  if (!(error instanceof SessionFailedError)) return false;
  const { evidence, error: fault } = error.failure;
  if (error.stage === "link") return fault.code === "LINK_REFUSED";
  return evidence.type !== "silence" && evidence.type !== "linkEnded";
}

function outcomeOf(error: unknown): string {
  if (error === undefined) return "associates without authentication";
  if (!(error instanceof SessionFailedError)) return causeOf(error).says;
  const { evidence } = error.failure;
  if (evidence.type === "refused") return `refuses: ${evidence.diagnostic.diagnostic}`;
  return answered(error) ? `refuses: ${causeOf(error).says}` : "does not answer";
}
