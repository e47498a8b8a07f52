/** What a layer makes of a case, and the verdict on it. */
import { DlmsError } from "../../protocol/errors.ts";
import { ABOVE, type CorpusCase, type Facts } from "./case.ts";
import { differences } from "./compare.ts";

/**
 * Reads one case through the public API of its layer and says what it found, in the corpus' JSON form. A refusal of the
 * octets is a DlmsError; NotSupported says that the layer has no reader for this kind of input yet.
 */
export type LayerReader = (each: CorpusCase, leniency: Leniency) => Facts;

/**
 * How much deviation is let pass: `standard` none, `field` what the decoders tolerate by default, `lenient` every quirk
 * that has a name. Cases of outcome accept-lenient must be refused by the first and read by the last.
 */
export type Leniency = "standard" | "field" | "lenient";

/** Facts that only the layer above can give. */
const FACTS_ABOVE: ReadonlySet<string> = new Set(["apdu", "apdus", "plain", "plainApdu", "plaintext"]);

export class NotSupported extends Error {
  override readonly name = "NotSupported";
}

/** Tags of what the corpus leaves open: a strict decoder may read such a case or refuse it. */
const LEFT_OPEN: ReadonlySet<string> = new Set(["ambiguous-aad", "duplicate-block"]);

export type Verdict = "passed" | "failed" | "unsupported";

export interface CaseResult {
  readonly case: CorpusCase;
  readonly verdict: Verdict;
  /** Why it failed or is not supported; empty when it passed. */
  readonly reasons: readonly string[];
  /** Facts that the case holds, and how many of them were compared. */
  readonly factCount: number;
  readonly comparedCount: number;
  /** Names of the facts that no reader gives. */
  readonly uncompared: readonly string[];
}

type Outcome =
  | { readonly type: "read"; readonly facts: Facts }
  | { readonly type: "refused"; readonly error: DlmsError }
  | { readonly type: "unsupported"; readonly reason: string }
  | { readonly type: "crashed"; readonly error: unknown };

function attempt(read: LayerReader, each: CorpusCase, leniency: Leniency): Outcome {
  try {
    return { type: "read", facts: read(each, leniency) };
  } catch (error) {
    if (error instanceof NotSupported) return { type: "unsupported", reason: error.message };
    // What our own caller did wrong says nothing about the octets.
    if (error instanceof DlmsError && error.fault === "peer") return { type: "refused", error };
    return { type: "crashed", error };
  }
}

export function judge(readers: Readonly<Record<string, LayerReader>>, each: CorpusCase): CaseResult {
  const read = readers[each.layer];
  if (read === undefined) return unsupported(each, `no reader for the layer ${each.layer}`);
  const first = attempt(read, each, each.outcome === "accept-lenient" ? "standard" : "field");
  if (first.type === "crashed") return failed(each, [`crashed: ${describe(first.error)}`]);
  if (first.type === "unsupported") return unsupported(each, first.reason);
  if (each.outcome === "reject") return judgeReject(each, first);
  if (each.outcome === "accept") return judgeAccept(each, first);
  const leftOpen = each.tags.some((tag) => LEFT_OPEN.has(tag));
  if (first.type === "read" && first.facts[ABOVE] === undefined && !leftOpen)
    return failed(each, ["must be refused without a quirk, was accepted"]);
  const lenient = attempt(read, each, "lenient");
  if (lenient.type === "crashed") return failed(each, [`crashed: ${describe(lenient.error)}`]);
  if (lenient.type === "unsupported") return unsupported(each, lenient.reason);
  return judgeAccept(each, lenient);
}

type Settled = Extract<Outcome, { type: "read" | "refused" }>;

function judgeReject(each: CorpusCase, outcome: Settled): CaseResult {
  if (outcome.type === "read" && outcome.facts[ABOVE] === undefined)
    return failed(each, [`must be refused (${each.reason ?? "no reason"}), was accepted`]);
  return { case: each, verdict: "passed", reasons: [], factCount: 0, comparedCount: 0, uncompared: [] };
}

function judgeAccept(each: CorpusCase, outcome: Settled): CaseResult {
  if (outcome.type === "refused") return failed(each, [`refused: ${outcome.error.message}`]);
  const facts = [...Object.entries(each.stated), ...Object.entries(each.derived)];
  // A reference decoder that could not join the APDU says null; it is no fact about the octets.
  const expected = facts.filter(([name, value]) => name !== "apduHex" || value !== null);
  const above = outcome.facts[ABOVE];
  const lost = expected.filter(([name]) => FACTS_ABOVE.has(name) && !(name in outcome.facts));
  if (above !== undefined && lost.length > 0) return failed(each, [`refused above the link: ${above.message}`]);
  const compared = expected.filter(([name]) => name in outcome.facts);
  const reasons = compared.flatMap(([name, value]) => differences(value, outcome.facts[name], name));
  return {
    case: each,
    verdict: reasons.length === 0 ? "passed" : "failed",
    reasons,
    factCount: expected.length,
    comparedCount: compared.length,
    uncompared: expected.filter(([name]) => !(name in outcome.facts)).map(([name]) => name),
  };
}

function failed(each: CorpusCase, reasons: readonly string[]): CaseResult {
  return { case: each, verdict: "failed", reasons, factCount: 0, comparedCount: 0, uncompared: [] };
}

function unsupported(each: CorpusCase, reason: string): CaseResult {
  return { case: each, verdict: "unsupported", reasons: [reason], factCount: 0, comparedCount: 0, uncompared: [] };
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const place =
    error.stack
      ?.split("\n")
      .find((line) => /protocol|drivers|src\//.test(line))
      ?.trim() ?? "";
  return `${error.name}: ${error.message} ${place}`;
}
