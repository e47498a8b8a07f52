/** Cases of the layer `security` through the public API of the room. */
import { type Apdu, decodeApdu } from "../../protocol/apdu/apdu.ts";
import { fromHex, toHex } from "../../protocol/bytes/hex.ts";
import { initialisationVector, parseContent, seal } from "../../protocol/security/aead.ts";
import { ApduProtection } from "../../protocol/security/apdu-protection.ts";
import { privateKeyFromOctets, publicKeyFromOctets } from "../../protocol/security/elliptic-key.ts";
import { AUTHENTICATION_MECHANISMS, type AuthenticationMechanism, hlsReply } from "../../protocol/security/hls.ts";
import { deriveWithInfo, sharedSecret } from "../../protocol/security/key-agreement.ts";
import { unwrapKey, wrapKey } from "../../protocol/security/key-wrap.ts";
import { mbusUserKeyEcb, mbusUserKeyGcm } from "../../protocol/security/mbus-user-key.ts";
import { type KeyRole, SecretKey } from "../../protocol/security/secret-key.ts";
import { type SecurityControl, securityControlOf } from "../../protocol/security/security-control.ts";
import { requireSignature } from "../../protocol/security/signature.ts";
import { type SecuritySuite, TAG_LENGTH } from "../../protocol/security/suites.ts";
import { type SystemTitle, systemTitle } from "../../protocol/security/system-title.ts";
import { type CorpusCase, type Facts, isFacts } from "./case.ts";
import { hexInput, hexList, keyOf, textInput } from "./input.ts";
import { type LayerReader, type Leniency, NotSupported } from "./reading.ts";
import { statedFacts } from "./stated.ts";
import { openApdu, plainFacts, protectionFor, protectionKeys, quirksOf } from "./unprotect.ts";

const NOBODY = systemTitle(new Uint8Array(8));
/** In the order in which a sender's title is looked for. */
const TITLES = ["systemTitle", "clientSystemTitle", "serverSystemTitle"];

/** A case of the layer `security`: what is asked shows in which inputs there are. */
export const securityReader: LayerReader = (each, leniency) => {
  const inputs = new Set([...Object.keys(each.input), ...Object.keys(each.keys)]);
  const row = KINDS.find(({ wants }) => wants.every((name) => inputs.has(name)));
  if (row === undefined) throw new NotSupported(`no computation from ${[...inputs].join(", ")}`);
  return row.read(each, leniency);
};

/** APDUs of one association in order, all from the same sender, as its peer takes them. */
export const apduSequenceReader: LayerReader = (each, leniency) => {
  const apdus = hexList(each, "apdus");
  const [first] = apdus;
  if (first === undefined) throw new NotSupported("no APDUs");
  const protection = protectionFor(each, first, leniency);
  return { counters: apdus.map((apdu) => protection.unprotect(apdu).invocationCounter) };
};

interface Kind {
  readonly wants: readonly string[];
  readonly read: LayerReader;
}

const KINDS: readonly Kind[] = [
  { wants: ["hex"], read: apduFacts },
  { wants: ["message", "publicKey", "signature"], read: signatureFacts },
  { wants: ["privateKey", "peerPublicKey"], read: agreementFacts },
  { wants: ["Z", "otherInfo"], read: derivationFacts },
  { wants: ["mechanism", "secret"], read: hlsFacts },
  { wants: ["challenge", "invocationCounter", "guek"], read: gmacFacts },
  { wants: ["plaintext", "securityControl", "invocationCounter"], read: sealFacts },
  { wants: ["kek", "key"], read: (each) => ({ wrapped: toHex(wrapKey(masterOf(each), plainKeyOf(each, "key"))) }) },
  {
    wants: ["kek", "wrapped"],
    read: (each) => ({
      key: toHex(unwrapKey(masterOf(each), "transactionKey", fromHex(textInput(each, "wrapped"))).reveal()),
    }),
  },
  { wants: ["newKey", "masterKey", "mbus"], read: mbusGcmFacts },
  {
    wants: ["newKey", "masterKey"],
    read: (each) => ({
      encryptedKey: toHex(mbusUserKeyEcb(secret("masterKey", key(each, "masterKey")), plainKeyOf(each, "newKey"))),
    }),
  },
];

function apduFacts(each: CorpusCase, leniency: Leniency): Facts {
  const octets = hexInput(each);
  const decoded = decodeApdu(octets, quirksOf(leniency));
  const opened = openApdu(each, octets, leniency);
  const control = isFacts(opened.outer["securityControl"]) ? opened.outer["securityControl"] : {};
  const tag = "contents" in decoded.body ? parseContent(decoded.body.contents).tag : undefined;
  return {
    ...statedFacts(each.stated, opened.plain ?? opened.outer),
    apdu: opened.plain ?? opened.outer,
    header: opened.outer,
    ...titleFacts(opened.outer),
    suite: control["suite"],
    authenticated: control["authenticated"],
    encrypted: control["encrypted"],
    invocationCounter: opened.outer["invocationCounter"],
    ...plainFacts(opened),
    ...(opened.plain && { plainApdu: opened.plain["apdu"] }),
    ...(tag && { tag: toHex(tag) }),
    ...userInformationFacts(each, decoded, leniency),
  };
}

function titleFacts(outer: Facts): Facts {
  const title = outer["systemTitle"] ?? outer["callingApTitle"];
  return title === undefined ? {} : { systemTitle: title === "" ? null : title };
}

/** The ciphered initiate that opens or closes an association. */
function userInformationFacts(each: CorpusCase, decoded: Apdu, leniency: Leniency): Facts {
  const inside = "userInformation" in decoded.body ? decoded.body.userInformation : undefined;
  if (!(inside instanceof Uint8Array)) return {};
  const client = each.keys["serverSystemTitle"] === undefined ? each.keys["clientSystemTitle"] : undefined;
  // A case with the client's title alone protects both directions with it.
  const keys = client === undefined ? each.keys : { ...each.keys, serverSystemTitle: client };
  const { outer, plaintext, plain } = openApdu({ ...each, keys }, inside, leniency);
  const octets = plaintext === undefined ? {} : { plaintext: toHex(plaintext), initiatePlaintext: toHex(plaintext) };
  return { ciphered: plaintext !== undefined, userInformation: outer["apdu"], initiate: plain, ...octets };
}

function signatureFacts(each: CorpusCase): Facts {
  const publicKey = publicKeyFromOctets(curveOf(textInput(each, "publicKey"), 2), input(each, "publicKey"));
  requireSignature(publicKey, input(each, "message"), input(each, "signature"), "case");
  return { valid: true };
}

function agreementFacts(each: CorpusCase): Facts {
  const curve = curveOf(textInput(each, "privateKey"), 1);
  const own = privateKeyFromOctets(curve, input(each, "privateKey"));
  return { Z: toHex(sharedSecret(own, publicKeyFromOctets(curve, input(each, "peerPublicKey")))) };
}

function derivationFacts(each: CorpusCase): Facts {
  const z = input(each, "Z");
  const key = deriveWithInfo("transactionKey", z, z.length === 32 ? 1 : 2, input(each, "otherInfo"));
  return { key: toHex(key.reveal()) };
}

function hlsFacts(each: CorpusCase): Facts {
  const number = each.input["mechanism"];
  const mechanism = Object.entries(AUTHENTICATION_MECHANISMS).find(([, id]) => id === number)?.[0];
  if (mechanism === undefined) throw new NotSupported(`mechanism ${String(number)}`);
  const name = mechanism as AuthenticationMechanism;
  const own = { secret: secret("hlsSecret", textInput(each, "secret")) };
  if (each.input["challenge"] !== undefined) {
    const challenges = { ownChallenge: new Uint8Array(16), peerChallenge: input(each, "challenge") };
    return { value: toHex(hlsReply(name, { ...own, ...challenges })) };
  }
  const [client, server] = [titleInput(each, "clientSystemTitle"), titleInput(each, "serverSystemTitle")];
  const [stoc, ctos] = [input(each, "stoc"), input(each, "ctos")];
  const asClient = { ...own, ownChallenge: ctos, peerChallenge: stoc, ownSystemTitle: client, peerSystemTitle: server };
  const asServer = { ...own, ownChallenge: stoc, peerChallenge: ctos, ownSystemTitle: server, peerSystemTitle: client };
  return { fStoC: toHex(hlsReply(name, asClient)), fCtoS: toHex(hlsReply(name, asServer)) };
}

function gmacFacts(each: CorpusCase): Facts {
  const title = titleFor(each) ?? NOBODY;
  const invocationCounter = counterOf(each);
  const control = securityControlOf(
    each.input["securityControl"] === undefined ? 0x10 : (input(each, "securityControl")[0] ?? 0),
  );
  const challenge = input(each, "challenge");
  const protection = new ApduProtection({
    suite: suiteFor(each, control),
    ownSystemTitle: title,
    keys: protectionKeys(each),
    nextInvocationCounter: () => invocationCounter,
  });
  const reply = hlsReply("hls-gmac", { ownChallenge: new Uint8Array(16), peerChallenge: challenge, protection });
  return {
    value: toHex(reply),
    fStoC: toHex(reply),
    gmac: toHex(reply.subarray(-TAG_LENGTH)),
    iv: toHex(initialisationVector(title, invocationCounter)),
  };
}

function sealFacts(each: CorpusCase): Facts {
  const [octet] = input(each, "securityControl");
  const keys = protectionKeys(each);
  if (octet === undefined || keys.blockCipherKey === undefined) throw new NotSupported("no key or security control");
  const aead = {
    suite: suiteFor(each, securityControlOf(octet)),
    encryption: keys.blockCipherKey,
    authentication: keys.authenticationKey,
  };
  const head = { securityControl: octet, invocationCounter: counterOf(each) };
  const sealed = seal(aead, { sender: titleFor(each) ?? NOBODY }, head, input(each, "plaintext"));
  return { ciphertextAndTag: toHex(sealed.subarray(5)) };
}

function mbusGcmFacts(each: CorpusCase): Facts {
  const { mbus, keyId, kcc } = each.input;
  if (!isFacts(mbus) || typeof keyId !== "number" || typeof kcc !== "number") throw new NotSupported("mbus device");
  const device = {
    identification: String(mbus["identification"]),
    manufacturer: String(mbus["manufacturer"]),
    version: Number.parseInt(String(mbus["version"]), 16),
    medium: Number(mbus["medium"]),
  };
  const defaultKey = secret("masterKey", key(each, "masterKey"));
  const data = mbusUserKeyGcm(defaultKey, plainKeyOf(each, "newKey"), { keyId, keyChangeCounter: kcc, device });
  return { keyData: toHex(data) };
}

function titleFor(each: CorpusCase): SystemTitle | undefined {
  const octets = keyOf(each, ...TITLES);
  return octets === undefined ? undefined : systemTitle(octets);
}

/** The corpus names no suite: the octet's own where the key's length allows it. */
function suiteFor(each: CorpusCase, control: SecurityControl): SecuritySuite {
  if (keyOf(each, "guek")?.length === 32) return 2;
  return control.suite === 1 ? 1 : 0;
}

function secret<R extends KeyRole>(role: R, hex: string): SecretKey<R> {
  return new SecretKey(role, fromHex(hex));
}

/** Told apart by length: 32 or 48 octets a coordinate. */
function curveOf(hex: string, coordinates: 1 | 2): "P-256" | "P-384" {
  return hex.length / 2 / coordinates === 32 ? "P-256" : "P-384";
}

function input(each: CorpusCase, name: string): Uint8Array {
  return fromHex(textInput(each, name));
}

function counterOf(each: CorpusCase): number {
  const value = each.input["invocationCounter"];
  return typeof value === "number" ? value : Number.parseInt(textInput(each, "invocationCounter"), 16);
}

function titleInput(each: CorpusCase, name: string): SystemTitle {
  return systemTitle(input(each, name));
}

function key(each: CorpusCase, name: string): string {
  const value = each.keys[name] ?? each.input[name];
  if (typeof value !== "string") throw new NotSupported(`no ${name}`);
  return value;
}

function masterOf(each: CorpusCase): SecretKey<"masterKey"> {
  return secret("masterKey", key(each, "kek"));
}

function plainKeyOf(each: CorpusCase, name: string): SecretKey<"transactionKey"> {
  return secret("transactionKey", key(each, name));
}
