import { fromHex, toHex } from "../../protocol/bytes/hex.ts";
import { DlmsError } from "../../protocol/errors.ts";
import { ApduProtection } from "../../protocol/security/apdu-protection.ts";
import { systemTitle } from "../../protocol/security/system-title.ts";
import { type CorpusCase, type Facts, isFacts } from "./case.ts";
import { keyOf } from "./input.ts";
import { framesOf, singleFrame } from "./read-hdlc.ts";
import { type LayerReader, NotSupported } from "./reading.ts";
import { protectionKeys } from "./unprotect.ts";

/** Octets of SC, counter and tag: f(challenge) of HLS-GMAC. */
const GMAC_REPLY_LENGTH = 17;

/** Both directions of a session, frame by frame; the proofs of HLS-GMAC are verified against the session's challenges. */
export const hdlcSessionReader: LayerReader = (each, leniency) => {
  const { steps } = each.input;
  if (!Array.isArray(steps)) throw new NotSupported("a session without steps");
  const proofs = new Proofs(each);
  const read = steps.filter(isFacts).map((step) => {
    const [unit] = framesOf([fromHex(String(step["hex"]))], "refused");
    if (unit === undefined) throw new DlmsError("FRAME_INCOMPLETE", "peer");
    const facts = singleFrame(each, unit, leniency);
    return Object.assign({ dir: step["dir"] }, facts, proofs.take(facts));
  });
  return { steps: read, ...(proofs.verified === 0 ? {} : { gmacVerified: true }) };
};

/** Follows the challenges of a session and verifies what answers them. */
class Proofs {
  readonly #case: CorpusCase;
  #clientChallenge: Uint8Array | undefined;
  #serverChallenge: Uint8Array | undefined;
  verified = 0;

  constructor(each: CorpusCase) {
    this.#case = each;
  }

  take(frame: Facts): Facts {
    const apdu = inside(frame["plain"], "apdu") ?? inside(frame, "apdu");
    const challenge = text(inside(apdu?.["authenticationValue"], undefined)?.["hex"]);
    if (apdu?.["apdu"] === "aarq") this.#clientChallenge = challenge;
    if (apdu?.["apdu"] === "aare") this.#serverChallenge = challenge;
    if (apdu?.["apdu"] === "action-request") return this.#verify("fStoC", apdu["parameters"], this.#serverChallenge);
    if (apdu?.["apdu"] !== "action-response") return {};
    const parameters = inside(inside(apdu, "response"), "returnParameters")?.["data"];
    return this.#verify("fCtoS", parameters, this.#clientChallenge);
  }

  #verify(name: "fStoC" | "fCtoS", parameters: unknown, challenge: Uint8Array | undefined): Facts {
    const value = text(inside(parameters, undefined)?.["v"]);
    const [client, server] = [keyOf(this.#case, "clientSystemTitle"), keyOf(this.#case, "serverSystemTitle")];
    if (value?.length !== GMAC_REPLY_LENGTH || challenge === undefined || !client || !server) return {};
    const [own, peer] = name === "fStoC" ? [server, client] : [client, server];
    const protection = new ApduProtection({
      suite: 0,
      ownSystemTitle: systemTitle(own),
      peerSystemTitle: systemTitle(peer),
      keys: protectionKeys(this.#case),
      nextInvocationCounter: () => 0,
    });
    protection.verifyChallenge(challenge, value);
    this.verified++;
    const invocationCounter = Number.parseInt(toHex(value.subarray(1, 5)), 16);
    return { [name]: { value: toHex(value), invocationCounter, verified: true } };
  }
}

function inside(value: unknown, name: string | undefined): Facts | undefined {
  const found = name === undefined ? value : isFacts(value) ? value[name] : undefined;
  return isFacts(found) ? found : undefined;
}

function text(value: unknown): Uint8Array | undefined {
  return typeof value === "string" && /^(?:[0-9a-f]{2})*$/.test(value) ? fromHex(value) : undefined;
}
