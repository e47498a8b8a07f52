/**
 * A meter of ours that peers' clients talk to, the same whether the client speaks or a recording of it does: a clock, a
 * register and a text behind one association, and what the client has made it do.
 */
import type { ByteChannel } from "../../../drivers/channel.ts";
import { Pump } from "../../../drivers/pump.ts";
import type { AssociationRule, AssociationSecurity } from "../../../protocol/association/server/association-rule.ts";
import { GatewayLink } from "../../../protocol/association/gateway-link.ts";
import type { ObjectServer } from "../../../protocol/association/server/object-server.ts";
import { AssociationServer } from "../../../protocol/association/server/server.ts";
import { ServerSession, type ServerSessionEvent } from "../../../protocol/association/server/server-session.ts";
import type { Data } from "../../../protocol/axdr/data.ts";
import { conformanceFromNumber } from "../../../protocol/ber/conformance.ts";
import { fromHex, toHex } from "../../../protocol/bytes/hex.ts";
import { logicalNameToOctets } from "../../../protocol/cosem/obis.ts";
import { WrapperLink } from "../../../protocol/link/wrapper-link.ts";
import { ApduProtection, type Unprotected } from "../../../protocol/security/apdu-protection.ts";
import { readCertificate } from "../../../protocol/security/certificate.ts";
import {
  type EllipticPublicKey,
  privateKeyFromPem,
} from "../../../protocol/security/elliptic-key.ts";
import { GeneralProtection, type GeneralUnprotected } from "../../../protocol/security/general-protection.ts";
import { SecretKey } from "../../../protocol/security/secret-key.ts";
import { protectionName } from "../../../protocol/security/security-control.ts";
import { SECURITY_SUITES, type SecuritySuite } from "../../../protocol/security/suites.ts";
import { systemTitle } from "../../../protocol/security/system-title.ts";

export const SERVED_MECHANISMS = ["none", "hls-gmac", "hls-ecdsa"] as const;

/** What a recording's header keeps in `settings`. Keys are of example programs, or made for the recording. */
export interface ServedSettings {
  readonly clientSap: number;
  readonly mechanism: (typeof SERVED_MECHANISMS)[number];
  readonly ciphered: boolean;
  readonly suite: SecuritySuite;
  /** Network id and device address, as `3:MET10007`. */
  readonly gateway?: string | undefined;
  /** PEM: our keys. Hexadecimal: the client's certificates, our own, and that of the authority. */
  readonly signingKey?: string | undefined;
  readonly agreementKey?: string | undefined;
  readonly clientCertificate?: string | undefined;
  readonly clientAgreementCertificate?: string | undefined;
  readonly certificate?: string | undefined;
  readonly authority?: string | undefined;
}

const OWN_TITLE = systemTitle(fromHex("4752580000000001"));
const FIRST_COUNTER = 1;
/** Within the life of the certificates that were made for the recordings. */
const NOW_MS = Date.UTC(2026, 11, 1);
/** Everything but general block transfer. */
const CONFORMANCE = conformanceFromNumber(0x40_7e_1f);
const TEXT = { classId: 1, logicalName: "0.0.96.1.1.255" };
const CLOCK = { classId: 8, logicalName: "0.0.1.0.0.255" };

/** What was served, in order: associations, requests, and how each ciphered APDU was protected. */
export async function serveClient(channel: ByteChannel, settings: ServedSettings): Promise<readonly string[]> {
  const told: string[] = [];
  const tell = (text: string) => void told.push(text);
  const rule = ruleOf(settings, tell);
  const session = new ServerSession({
    link: linkOf(settings),
    serverSap: 1,
    associationServer: (clientSap) =>
      new AssociationServer({
        clientSap,
        serverSap: 1,
        rule: () => (clientSap === settings.clientSap ? rule : undefined),
        objects: objects(tell),
        randomOctets: counted,
      }),
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  const pump = new Pump(session, channel, { event: (event) => tell(eventText(event)), closed: () => resolve() });
  session.command({ type: "open" }, 0);
  pump.start();
  await promise;
  return told;
}

/** Nothing is drawn: a replay has to send the same octets. */
function counted(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (index + 1) & 0xff);
}

function linkOf({ gateway }: ServedSettings): WrapperLink | GatewayLink {
  const link = new WrapperLink({ role: "server" });
  if (gateway === undefined) return link;
  const [networkId, deviceAddress] = gateway.split(":");
  const physicalDeviceAddress = new TextEncoder().encode(deviceAddress);
  return new GatewayLink(link, "server", { networkId: Number(networkId), physicalDeviceAddress });
}

function eventText(event: ServerSessionEvent): string {
  switch (event.type) {
    case "refused":
      return `refused ${event.cause?.code ?? event.diagnostic}`;
    case "fault":
    case "noise":
    case "authenticationFailed":
      return `${event.type} ${event.error.code}`;
    case "ended":
      return `ended ${event.reason}`;
    default:
      return event.type;
  }
}

function objects(tell: (text: string) => void): ObjectServer {
  const name = ({ classId, logicalName }: typeof TEXT) => `${classId}:${toHex(logicalNameToOctets(logicalName))}:2`;
  const values = new Map<string, Data>([
    [name(TEXT), { type: "octet-string", value: new Uint8Array(0) }],
    [name(CLOCK), { type: "octet-string", value: fromHex("07ea0b160700000000000000") }],
  ]);
  return {
    get({ attribute }) {
      const key = `${attribute.classId}:${toHex(attribute.logicalName)}:${attribute.attributeId}`;
      tell(`get ${key}`);
      const data = values.get(key);
      return data === undefined
        ? { type: "data-access-result", dataAccessResult: "object-undefined" }
        : { type: "data", data };
    },
    set({ attribute }, value) {
      const key = `${attribute.classId}:${toHex(attribute.logicalName)}:${attribute.attributeId}`;
      tell(`set ${key} ${value.type === "octet-string" ? toHex(value.value) : value.type}`);
      values.set(key, structuredClone(value));
      return "success";
    },
    action: () => ({ result: "success" }),
  };
}

function ruleOf(settings: ServedSettings, tell: (text: string) => void): AssociationRule {
  const { mechanism, ciphered, suite, certificate, authority } = settings;
  const keyed = ciphered || mechanism !== "none";
  return {
    name: "recorded",
    clientSap: settings.clientSap,
    logicalName: logicalNameToOctets("0.0.40.0.0.255"),
    applicationContexts: [ciphered ? "logical-name-with-ciphering" : "logical-name"],
    mechanism,
    conformance: CONFORMANCE,
    maxReceivePduSize: 1024,
    ...(keyed && { security: securityOf(settings, tell) }),
    ...signing(settings),
    ...(certificate !== undefined && { certificate: fromHex(certificate) }),
    ...(authority !== undefined && {
      clientTrust: { authorities: [readCertificate(fromHex(authority))], nowMs: () => NOW_MS },
    }),
    ...(mechanism === "hls-ecdsa" && { challengeLength: SECURITY_SUITES[suite].keyLength * 2 }),
  };
}

function signing({ mechanism, signingKey, clientCertificate }: ServedSettings): Partial<AssociationRule> {
  if (mechanism !== "hls-ecdsa" || signingKey === undefined) return {};
  const clientSigningKey = publicKeyOf(clientCertificate);
  return {
    signingKey: privateKeyFromPem(signingKey),
    ...(clientSigningKey && { clientSigningKey }),
  };
}

function publicKeyOf(certificate: string | undefined): EllipticPublicKey | undefined {
  return certificate === undefined ? undefined : readCertificate(fromHex(certificate)).publicKey;
}

function securityOf(settings: ServedSettings, tell: (text: string) => void): AssociationSecurity {
  const { suite, agreementKey, signingKey } = settings;
  const { keyLength } = SECURITY_SUITES[suite];
  const key = (first: number) => Uint8Array.from({ length: keyLength }, (_, index) => (first + index) & 0xff);
  const keys = {
    blockCipherKey: new SecretKey("blockCipherKey", key(0)),
    authenticationKey: new SecretKey("authenticationKey", key(0xd0)),
    broadcastKey: new SecretKey("broadcastKey", key(0xb0)),
  };
  let counter = FIRST_COUNTER;
  const nextInvocationCounter = () => counter++;
  const protection = new ToldProtection({ suite, ownSystemTitle: OWN_TITLE, keys, nextInvocationCounter }, tell);
  if (agreementKey === undefined || signingKey === undefined) return { protection };
  const peerSigningKey = publicKeyOf(settings.clientCertificate);
  const peerAgreementKey = publicKeyOf(settings.clientAgreementCertificate);
  const general = new ToldGeneralProtection(
    {
      protection,
      keys: {
        ...keys,
        ownSigningKey: privateKeyFromPem(signingKey),
        ownAgreementKey: privateKeyFromPem(agreementKey),
        ...(peerSigningKey && { peerSigningKey }),
        ...(peerAgreementKey && { peerAgreementKey }),
      },
      nextInvocationCounter,
      randomOctets: counted,
      // As the library has it that these clients are built on.
      aad: "without-header",
      ephemeralSignature: "scheme-and-key",
    },
    tell,
  );
  return { protection, general };
}

class ToldProtection extends ApduProtection {
  readonly #tell: (text: string) => void;

  constructor(options: ConstructorParameters<typeof ApduProtection>[0], tell: (text: string) => void) {
    super(options);
    this.#tell = tell;
  }

  override unprotect(apdu: Uint8Array): Unprotected {
    const opened = super.unprotect(apdu);
    for (const { form, keySet, securityControl } of opened.layers) {
      this.#tell(`${form}, ${keySet} key, ${protectionName(securityControl)}`);
    }
    return opened;
  }
}

class ToldGeneralProtection extends GeneralProtection {
  readonly #tell: (text: string) => void;

  constructor(options: ConstructorParameters<typeof GeneralProtection>[0], tell: (text: string) => void) {
    super(options);
    this.#tell = tell;
  }

  override unprotect(apdu: Uint8Array): GeneralUnprotected {
    const opened = super.unprotect(apdu);
    for (const layer of opened.layers) {
      if (layer.form !== "general-ciphering") this.#tell(layer.form);
      else this.#tell(`general-ciphering, ${layer.scheme} key, ${protectionName(layer.securityControl)}, ${layer.aad}`);
    }
    return opened;
  }
}
