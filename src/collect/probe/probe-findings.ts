/** What a probe has found out of a meter so far, and what it hands back. */
import type { Companion } from "../../../protocol/cosem/companion/companion.ts";
import type { ObjectListElement } from "../../../protocol/cosem/object-list.ts";
import type { MeterQuirk } from "../../../protocol/quirks.ts";
import type { NamedFailure } from "../causes/failure-cause.ts";
import { guessCompanion } from "./companion-guess.ts";
import type { Offer } from "./probe-associations.ts";
import { type IDENTITY, type LinkCandidate, TOLD_QUIRKS } from "./probe-candidates.ts";

/** What is tried: options over those that were given. */
export interface Attempt {
  readonly connection: LinkCandidate["connection"];
  readonly association?: { readonly clientSap: number; readonly mechanism: "none"; readonly referencing?: "ln" | "sn" };
  readonly quirks: readonly MeterQuirk[];
}

export interface ProbeStep {
  readonly step: "link" | "association" | "identity" | "objects" | "clock" | "rows";
  readonly says: string;
}

/** What is known of a meter; `broken` is the first step that could not be made. */
export interface ProbeFindings {
  readonly attempt: Attempt | undefined;
  readonly identity: Readonly<Identity>;
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
export class StepBroken extends Error {
  override readonly name = "StepBroken";
  readonly step: ProbeStep["step"];

  constructor(step: ProbeStep["step"], cause: unknown) {
    super(`step ${step} broke`, { cause });
    this.step = step;
  }
}

type Identity = Partial<Record<(typeof IDENTITY)[number]["key"], string>>;

/** Grows while the probe goes on; every step is told as it is made. */
export class ProbeNotes {
  readonly #onStep: ((step: ProbeStep) => void) | undefined;
  readonly #steps: ProbeStep[] = [];
  readonly #leniencies = new Set<string>();
  readonly quirks = new Set<MeterQuirk>();
  readonly identity: Identity = {};
  attempt: Attempt | undefined;
  objects: readonly ObjectListElement[] = [];
  counterObject: string | undefined;
  offers: Offer[] = [];

  constructor(onStep: ((step: ProbeStep) => void) | undefined) {
    this.#onStep = onStep;
  }

  tell(step: ProbeStep["step"], says: string): void {
    this.#steps.push({ step, says });
    this.#onStep?.({ step, says });
  }

  /** What was let pass: a quirk that the meter needs, or a leniency that everybody is granted. */
  noteLeniency(name: string): void {
    const quirk = TOLD_QUIRKS[name];
    if (quirk === undefined) this.#leniencies.add(name);
    else this.quirks.add(quirk);
  }

  addQuirks(quirks: Iterable<MeterQuirk>): void {
    for (const quirk of quirks) this.quirks.add(quirk);
  }

  findings(broken: ProbeFindings["broken"]): ProbeFindings {
    const names = this.objects.map(({ logicalName }) => logicalName);
    return {
      attempt: this.attempt,
      identity: this.identity,
      companion: guessCompanion(names, this.identity.deviceName),
      objects: this.objects,
      counterObject: this.counterObject,
      offers: this.offers,
      quirks: [...this.quirks],
      leniencies: [...this.#leniencies],
      steps: this.#steps,
      broken,
    };
  }
}
