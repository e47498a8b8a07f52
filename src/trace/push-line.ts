/** A push that came, as the API tells it to whoever looks on: deciphered where the keys of its sender are known. */
import { toHex } from "../../protocol/bytes/hex.ts";
import { systemTitle } from "../../protocol/security/system-title.ts";
import { treeJson } from "../../protocol/translate/render.ts";
import { translate } from "../../protocol/translate/translate.ts";
import type { PushLine } from "../api/answers/traces.ts";
import type { PushSender } from "../push/senders/sender-directory.ts";
import type { ReceivedPush } from "../store/push/received-push.ts";
import { Deciphering } from "./deciphering.ts";
import { apduText } from "./dialogue.ts";

/** What is no APDU begins with `/` (telegrams of P1 ports) or has a reason to be refused. */
const TELEGRAM = 0x2f;

export function pushLineOf(push: ReceivedPush, sender: PushSender | undefined): PushLine {
  const { receivedAt, peer, transport, outcome, reason, pushSetup, octets } = push;
  const nodes = octets[0] === TELEGRAM ? [] : treesOf(push, sender);
  const [first] = nodes;
  return {
    type: "push",
    meter: sender?.name ?? null,
    at: receivedAt.toISOString(),
    peer,
    transport,
    pushSetup: pushSetup ?? null,
    outcome,
    reason: reason ?? null,
    says: first === undefined ? `${octets.length} octets` : apduText(first),
    octets: toHex(octets),
    nodes: nodes.map(treeJson),
  };
}

function treesOf({ octets, systemTitle: title }: ReceivedPush, sender: PushSender | undefined) {
  const { blockCipherKey, authenticationKey } = sender?.security ?? {};
  const titles = [title && systemTitle(title), sender?.systemTitle].filter((each) => each !== undefined);
  const deciphering = new Deciphering({ blockCipherKey, authenticationKey, systemTitles: titles });
  return translate(octets, {
    layer: "apdu",
    decipher: (apdu) => deciphering.decipher(apdu),
    seen: (field, value) => deciphering.see(field, value),
  }).nodes;
}
