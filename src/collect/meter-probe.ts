/**
 * Finds out how an unknown meter is to be read: the link, its addresses, who may associate, what the meter is, and what it
 * does otherwise than the standard. Each step is told as it is made; the first one that breaks ends the probe with its
 * cause and what to do next. No password or key is tried but those that were given: meters lock themselves.
 */
import { ChannelError } from "../../drivers/channel-error.ts";
import type { Agreement, ReleaseAnswer } from "../../protocol/association/client-events.ts";
import { DATE_TIME_LENGTH, type Data } from "../../protocol/axdr/data.ts";
import type { Companion } from "../../protocol/cosem/companion/companion.ts";
import type { ClockPolicy } from "../../protocol/cosem/date-time.ts";
import { logicalNameFromOctets } from "../../protocol/cosem/obis.ts";
import { type ObjectListElement, objectListFromData } from "../../protocol/cosem/object-list.ts";
import type { MeterQuirk } from "../../protocol/quirks.ts";
import { guessCompanion } from "./companion-guess.ts";
import { causeOf, type NamedFailure } from "./failure-cause.ts";
import { attributeOf, readLayout } from "./layout-reader.ts";
import { CLOCK_TIME } from "./meter-clock.ts";
import type { MeterConnection } from "./meter-connection.ts";
import { visitMeter } from "./meter-session.ts";
import type { MeterTarget } from "./meter-target.ts";
import { associationOffers, type Offer } from "./probe-associations.ts";
import {
  ASSOCIATION_QUIRKS,
  CLIENTS,
  type ClientCandidate,
  IDENTITY,
  LINK_QUIRKS,
  type LinkCandidate,
  SERIAL_LINKS,
  TCP_LINKS,
  TOLD_QUIRKS,
  TRIED_PROFILES,
} from "./probe-candidates.ts";
import { clockFindings, identifierText, listQuirks, rowQuirks } from "./probe-rows.ts";
import { SessionFailedError } from "./session-failure.ts";

/** What is tried: options over those that were given. */
export interface Attempt {
  readonly connection: LinkCandidate["connection"];
  readonly association?: { readonly clientSap: number; readonly mechanism: "none"; readonly referencing?: "ln" | "sn" };
  readonly quirks: readonly MeterQuirk[];
}

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
  readonly nowMs?: () => number;
}

export interface ProbeStep {
  readonly step: "link" | "association" | "identity" | "objects" | "clock" | "rows";
  readonly says: string;
}

/** What is known of a meter; `broken` is the first step that could not be made. */
export interface ProbeFindings {
  readonly attempt: Attempt | undefined;
  readonly identity: Readonly<Partial<Record<(typeof IDENTITY)[number]["key"], string>>>;
  readonly companion: Companion;
  readonly objects: readonly ObjectListElement[];
  /** Where the meter has the counter of the client, when that was asked for. */
  readonly counterObject: string | undefined;
  readonly offers: readonly Offer[];
  readonly quirks: readonly MeterQuirk[];
  /** What the meter does otherwise that is let pass without a quirk. */
  readonly leniencies: readonly string[];
  readonly steps: readonly ProbeStep[];
  readonly broken: (NamedFailure & { readonly step: ProbeStep["step"] }) | undefined;
}

/** Ends the probe: a step could not be made. */
class StepBroken extends Error {
  override readonly name = "StepBroken";
  readonly step: ProbeStep["step"];

  constructor(step: ProbeStep["step"], cause: unknown) {
    super(`step ${step} broke`, { cause });
    this.step = step;
  }
}

export async function probeMeter(options: ProbeOptions): Promise<ProbeFindings> {
  const probe = new Probe(options);
  try {
    await probe.findLink();
    await probe.findAssociation();
    await probe.explore();
  } catch (error) {
    if (!(error instanceof StepBroken)) throw error;
    return probe.findings({ ...causeOf(error.cause), step: error.step });
  }
  return probe.findings(undefined);
}

class Probe {
  readonly #options: ProbeOptions;
  readonly #steps: ProbeStep[] = [];
  readonly #quirks = new Set<MeterQuirk>();
  readonly #leniencies = new Set<string>();
  readonly #identity: Partial<Record<(typeof IDENTITY)[number]["key"], string>> = {};
  #attempt: Attempt | undefined;
  #agreement: Agreement | undefined;
  #objects: readonly ObjectListElement[] = [];
  #counterObject: string | undefined;
  #offers: Offer[] = [];

  constructor(options: ProbeOptions) {
    this.#options = options;
  }

  findings(broken: ProbeFindings["broken"]): ProbeFindings {
    const names = this.#objects.map(({ logicalName }) => logicalName);
    return {
      attempt: this.#attempt,
      identity: this.#identity,
      companion: guessCompanion(names, this.#identity.deviceName),
      objects: this.#objects,
      counterObject: this.#counterObject,
      offers: this.#offers,
      quirks: [...this.#quirks],
      leniencies: [...this.#leniencies],
      steps: this.#steps,
      broken,
    };
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
    if (error === undefined || answered(error)) {
      for (const quirk of attempt.quirks) this.#quirks.add(quirk);
      this.#attempt = attempt;
      this.#tell("link", candidate.says);
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
        this.#agreement = connection.agreement;
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
    await visitMeter(
      target,
      {
        budgetMs: this.#options.budgetMs,
        onTold: (told) => {
          if (told.type === "leniency") this.#noteLeniency(told.name);
        },
      },
      (connection) => work(connection, target),
    );
    const { counterObject } = target;
    if (counterObject !== undefined) this.#counterObject = logicalNameFromOctets(counterObject);
  }

  #noteLeniency(name: string): void {
    const quirk = TOLD_QUIRKS[name];
    if (quirk === undefined) this.#leniencies.add(name);
    else this.#quirks.add(quirk);
  }

  #noteRelease(answer: ReleaseAnswer): void {
    if (answer === "unanswered") this.#quirks.add("release-unanswered");
  }

  /** The association to explore with: the given one, or the first client that needs no authentication. */
  async findAssociation(): Promise<void> {
    const found = this.#attempt;
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
      this.#offers.push({ ...client, mechanism: undefined, ciphered: undefined, outcome: outcomeOf(error) });
      if (error === undefined) open ??= attempt;
      else refusal ??= error;
    }
    if (open === undefined) throw new StepBroken("association", refusal);
    this.#attempt = open;
    const { clientSap, referencing } = open.association ?? { clientSap: 0 };
    this.#tell(
      "association",
      `client ${clientSap} without authentication${referencing === "sn" ? ", short names" : ""}`,
    );
  }

  /** With one quirk of ciphering after the other, where the meter does not understand what we cipher. */
  async #associateAsGiven(found: Attempt): Promise<void> {
    const first = await this.#visit(found);
    const others = first !== undefined && notDeciphered(first) ? ASSOCIATION_QUIRKS : [];
    for (const quirks of others) {
      const attempt = { ...found, quirks: [...found.quirks, ...quirks] };
      if ((await this.#visit(attempt)) !== undefined) continue;
      for (const quirk of quirks) this.#quirks.add(quirk);
      this.#attempt = attempt;
      this.#tell("association", `as given, ${quirks.join(", ")}`);
      return;
    }
    if (first !== undefined) throw new StepBroken("association", first);
    this.#tell("association", "as given");
  }

  /** What the meter is and does; with one link quirk after the other where the link does not hold. */
  async explore(): Promise<void> {
    const found = this.#attempt;
    if (found === undefined) return;
    const { connection } = this.#options.target(found);
    let broken: StepBroken | undefined;
    for (const quirks of connection.link === "hdlc" ? LINK_QUIRKS : [[]]) {
      try {
        await this.#explore(quirks);
        if (quirks.length > 0) this.#quirks.delete("release-unanswered");
        for (const quirk of quirks) this.#quirks.add(quirk);
        return;
      } catch (error) {
        if (!(error instanceof StepBroken)) throw error;
        broken ??= error;
        if (!linkFailed(error.cause)) break;
      }
    }
    if (broken !== undefined) throw broken;
  }

  async #explore(linkQuirks: readonly MeterQuirk[]): Promise<void> {
    const found = this.#attempt;
    if (found === undefined) return;
    const negotiated = this.#agreement?.conformance.has("selective-access") === true;
    const assumed: readonly MeterQuirk[] = negotiated ? [] : ["selective-access-unnegotiated"];
    const attempt = { ...found, quirks: [...found.quirks, ...linkQuirks, ...assumed] };
    await this.#work(attempt, async (connection, target) => {
      await this.#step("identity", () => this.#readIdentity(connection));
      await this.#step("objects", () => this.#readObjects(connection));
      const clock = await this.#step("clock", () => this.#readClock(connection, target));
      await this.#step("rows", () => this.#tryRows(connection, { target, clock, negotiated }));
    }).catch((error: unknown) => {
      throw error instanceof StepBroken ? error : new StepBroken("association", error);
    });
  }

  async #step<T>(step: ProbeStep["step"], make: () => Promise<T>): Promise<T> {
    try {
      return await make();
    } catch (error) {
      throw new StepBroken(step, error);
    }
  }

  #tell(step: ProbeStep["step"], says: string): void {
    this.#steps.push({ step, says });
    this.#options.onStep?.({ step, says });
  }

  async #readIdentity(connection: MeterConnection): Promise<void> {
    for (const { key, classId, logicalName } of IDENTITY) {
      const result = await connection.get(attributeOf({ classId, logicalName, attributeId: 2 }));
      const text = result.type === "data" ? identifierText(result.data) : undefined;
      if (text !== undefined) this.#identity[key] = text;
    }
    const said = Object.entries(this.#identity).map(([key, text]) => `${key} ${text}`);
    this.#tell("identity", said.length === 0 ? "does not say who it is" : said.join(", "));
  }

  async #readObjects(connection: MeterConnection): Promise<void> {
    const result = await connection.readObjectList();
    if (result.type !== "data") {
      this.#tell("objects", `does not show its object list to this client (${result.dataAccessResult})`);
      return;
    }
    this.#objects = objectListFromData(result.data);
    const classes = new Set(this.#objects.map(({ classId }) => classId));
    this.#tell("objects", `${this.#objects.length} objects of ${classes.size} classes`);
    const offers = await associationOffers(connection, this.#objects);
    const asked = new Map(this.#offers.map((offer) => [`${offer.clientSap} ${offer.referencing ?? "ln"}`, offer]));
    for (const offer of offers) {
      const known = asked.get(`${offer.clientSap} ln`);
      asked.set(`${offer.clientSap} ln`, { ...offer, ...(known && { says: known.says, outcome: known.outcome }) });
    }
    this.#offers = [...asked.values()];
  }

  async #readClock(connection: MeterConnection, { zone }: MeterTarget): Promise<ClockPolicy> {
    const standard: ClockPolicy = { deviation: "standard", zone };
    const result = await connection.get(attributeOf(CLOCK_TIME));
    const stamp = result.type === "data" ? stampOf(result.data) : undefined;
    if (stamp === undefined) {
      this.#tell("clock", "does not show its clock to this client");
      return standard;
    }
    const found = clockFindings(stamp, (this.#options.nowMs ?? Date.now)(), zone);
    if (found === undefined) {
      this.#tell("clock", `is wrong, or not in the zone ${zone.name}: say --time-zone, and read the clock`);
      return standard;
    }
    for (const quirk of found.quirks) this.#quirks.add(quirk);
    this.#tell("clock", found.quirks.length === 0 ? `right, in the zone ${zone.name}` : found.quirks.join(", "));
    return found.policy;
  }

  async #tryRows(
    connection: MeterConnection,
    { target, clock, negotiated }: { target: MeterTarget; clock: ClockPolicy; negotiated: boolean },
  ): Promise<void> {
    const lists = this.#agreement?.conformance.has("multiple-references") === true;
    const found: MeterQuirk[] = lists ? [...(await listQuirks(connection, () => connection.listLimit))] : [];
    const names = new Set(
      this.#objects.filter(({ classId }) => classId === PROFILE_CLASS).map((each) => each.logicalName),
    );
    const logicalName = TRIED_PROFILES.find((name) => names.has(name));
    if (logicalName === undefined) {
      this.#tell("rows", "no profile that grows with time is shown to this client");
    } else {
      const layout = await readLayout(connection, { type: "profile", logicalName }, target.quirks);
      found.push(...(await rowQuirks(connection, { logicalName, layout, clock, negotiated })));
      this.#tell("rows", found.length === 0 ? `${logicalName} is read by range and entry` : found.join(", "));
    }
    for (const quirk of found) this.#quirks.add(quirk);
  }
}

const PROFILE_CLASS = 7;

/** The link did not hold, as it does not when frames are numbered or cut otherwise than the standard wants. */
function linkFailed(error: unknown): boolean {
  if (!(error instanceof SessionFailedError) || error.cause instanceof ChannelError) return false;
  return error.stage === "link" || error.failure.evidence.type === "silence";
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

function stampOf(data: Data): Uint8Array | undefined {
  const value = "value" in data ? data.value : undefined;
  return value instanceof Uint8Array && value.length === DATE_TIME_LENGTH ? value : undefined;
}
