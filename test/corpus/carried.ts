import { fromHex, toHex } from "../../protocol/bytes/hex.ts";
import { DlmsError } from "../../protocol/errors.ts";
import { ABOVE, type CorpusCase, type Facts } from "./case.ts";
import { pushedFacts } from "./pushed.ts";
import type { Leniency } from "./reading.ts";
import { openApdu } from "./unprotect.ts";

/**
 * What a link carried, in all the forms that cases have for it: `apdu` is the one that was carried where a case also
 * tells `plain`, and the plain one where it also tells `header`. An APDU that is refused is no fault of the link: the
 * error goes along, for the case may be about the link alone.
 */
export function carriedApdu(each: CorpusCase, apdu: Uint8Array, leniency: Leniency): Facts {
  const apduHex = toHex(apdu);
  try {
    const { outer, plaintext, plain, innermost, facts } = openApdu(each, apdu, leniency);
    const quirk = "quirk" in outer ? { quirk: outer["quirk"] } : {};
    const inside = { ...userInformationFacts(each, outer, leniency), ...quirk, ...pushedFacts(each, innermost) };
    if (plaintext === undefined) return { apduHex, apdu: outer, header: outer, ...inside };
    const opened = { plaintext: toHex(plaintext), header: outer, ...facts, ...inside };
    const both = { hex: toHex(plaintext), apdu: plain };
    const counter = { invocationCounterValue: outer["invocationCounter"] };
    return { apduHex, ...opened, ...counter, plain: both, apdu: tellsHeader(each) ? plain : outer };
  } catch (error) {
    if (!(error instanceof DlmsError)) throw error;
    return { apduHex, [ABOVE]: error };
  }
}

/** The ciphered initiate in an AARQ, AARE, RLRQ or RLRE. */
function userInformationFacts(each: CorpusCase, outer: Facts, leniency: Leniency): Facts {
  const hex = outer["userInformationHex"];
  if (typeof hex !== "string") return {};
  const { outer: header, plaintext, plain } = openApdu(each, fromHex(hex), leniency);
  if (plaintext === undefined) return {};
  return {
    userInformationPlain: { hex: toHex(plaintext), apdu: plain },
    invocationCounterValue: header["invocationCounter"],
  };
}

function tellsHeader({ derived }: CorpusCase): boolean {
  const units = [derived, ...(Array.isArray(derived["apdus"]) ? derived["apdus"] : [])];
  return units.some((unit) => typeof unit === "object" && unit !== null && "header" in unit);
}
