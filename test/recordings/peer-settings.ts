/** How an independent meter server is spoken to: what a recording's header keeps, as link and association take it. */
import type { ClientAuthentication, ClientSettings } from "../../protocol/association/client/client-settings.ts";
import { GatewayLink } from "../../protocol/association/gateway-link.ts";
import type { Referencing } from "../../protocol/association/referencing.ts";
import { conformanceFromNumber } from "../../protocol/ber/conformance.ts";
import { fromHex } from "../../protocol/bytes/hex.ts";
import { type HdlcAddressSize, hdlcAddress } from "../../protocol/link/hdlc/address.ts";
import { HdlcClient } from "../../protocol/link/hdlc/client.ts";
import type { Link } from "../../protocol/link/link.ts";
import { WrapperLink } from "../../protocol/link/wrapper-link.ts";
import { ApduProtection } from "../../protocol/security/apdu-protection.ts";
import { curveOfSuite, privateKeyFromOctets, publicKeyFromOctets } from "../../protocol/security/elliptic-key.ts";
import { SecretKey } from "../../protocol/security/secret-key.ts";
import { SECURITY_SUITES, type SecuritySuite } from "../../protocol/security/suites.ts";
import { systemTitle } from "../../protocol/security/system-title.ts";

/** Keys, title and password that the peers' example programs publish, counted on for longer keys; they protect nothing. */
const EXAMPLE = {
  blockCipherKey: (length: number) => counted(0x00, length),
  authenticationKey: (length: number) => counted(0xd0, length),
  /** Draws nothing: a dedicated key has to be the same in the replay. */
  dedicatedKey: (length: number) => counted(0x40, length),
  password: new TextEncoder().encode("Gurux"),
} as const;
const CLIENT_SYSTEM_TITLE = systemTitle(fromHex("4447570000000001"));
/** Get, set, action, selective access, lists, blocks in all directions, general protection, attribute 0. */
const CONFORMANCE = conformanceFromNumber(0x40_3e_1d);
/** Read, write, blocks both ways, lists, parameterised access. */
const SHORT_NAME_CONFORMANCE = conformanceFromNumber(0x18_1a_20);

export const MECHANISMS = ["none", "lls", "hls", "hls-md5", "hls-sha1", "hls-sha256", "hls-gmac", "hls-ecdsa"] as const;
export const FORMS = ["service-specific", "general"] as const;

/** What a recording's header keeps in `settings`, so that its replay sends the same octets. */
export interface PeerSettings {
  readonly link: "wrapper" | "hdlc";
  /** By logical names when absent. */
  readonly referencing?: Referencing | undefined;
  readonly clientSap: number;
  readonly serverSap: number;
  /** The physical device, and the octets of the server's HDLC address. */
  readonly physicalDevice: number | undefined;
  readonly addressSize: HdlcAddressSize | undefined;
  readonly sequenceNumbers: "checked" | "ignored";
  readonly mechanism: (typeof MECHANISMS)[number];
  readonly ciphered: boolean;
  /** Hexadecimal. */
  readonly challenge: string;
  readonly firstInvocationCounter: number;
  /** General block transfer is offered, with this many blocks that we take without acknowledging. */
  readonly generalBlockWindow?: number | undefined;
  /** In octets; no limit when absent. */
  readonly maxReceivePduSize?: number | undefined;
  /** Of the keys; 0 when absent. */
  readonly suite?: SecuritySuite | undefined;
  readonly form?: (typeof FORMS)[number] | undefined;
  /** A dedicated key is offered. */
  readonly dedicated?: boolean | undefined;
  /** The counter of the global key goes on under the dedicated one. */
  readonly dedicatedCounterGoesOn?: boolean | undefined;
  /** Every service is tried behind the reading, ACCESS among them. */
  readonly services?: boolean | undefined;
  /** Logical name of a push setup that is written and put back behind the reading. */
  readonly pushSetup?: string | undefined;
  /** Its version, where it is asked for; 0 and not asked for when absent. */
  readonly pushSetupVersion?: number | undefined;
  /** The port object that it is to refer to. */
  readonly portReference?: string | undefined;
  /** The gateway before the peer: network id and device address, as `3:MET10007`. */
  readonly gateway?: string | undefined;
  /** HLS 7: our private key and the peer's public key, hexadecimal. */
  readonly signingKey?: string | undefined;
  readonly serverSigningKey?: string | undefined;
}

/** The suite that a command line or a recording's header names. */
export function suiteOf(named: unknown): SecuritySuite {
  const suite = Number(named ?? 0);
  return suite === 1 || suite === 2 ? suite : 0;
}

export function linkOf(settings: PeerSettings): Link {
  const link = plainLinkOf(settings);
  if (settings.gateway === undefined) return link;
  const [networkId, deviceAddress] = settings.gateway.split(":");
  const physicalDeviceAddress = new TextEncoder().encode(deviceAddress);
  return new GatewayLink(link, "client", { networkId: Number(networkId), physicalDeviceAddress });
}

function plainLinkOf(settings: PeerSettings): Link {
  const { clientSap, serverSap, physicalDevice, addressSize, sequenceNumbers } = settings;
  if (settings.link === "wrapper") return new WrapperLink({ role: "client", clientSap, serverSap });
  return new HdlcClient({ clientSap, server: hdlcAddress(serverSap, physicalDevice, addressSize), sequenceNumbers });
}

function counted(first: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (first + index) & 0xff);
}

export function clientSettings(settings: PeerSettings): ClientSettings {
  const { referencing, mechanism, ciphered, challenge, form, dedicated } = settings;
  const keyed = ciphered || mechanism === "hls-gmac" || mechanism === "hls-ecdsa";
  const keyLength = SECURITY_SUITES[settings.suite ?? 0].keyLength;
  const dedicatedKey = () => new SecretKey("dedicatedKey", EXAMPLE.dedicatedKey(keyLength));
  return {
    authentication: authenticationOf(settings),
    challenge: () => fromHex(challenge),
    ...(referencing && { referencing }),
    ...negotiated(settings),
    responseTimeoutMs: 5000,
    ...(keyed ? { protection: protectionOf(settings, keyLength) } : { systemTitle: CLIENT_SYSTEM_TITLE }),
    ...(ciphered && {
      ciphering: { request: "authenticated-encrypted", ...(form && { form }), ...(dedicated && { dedicatedKey }) },
    }),
  };
}

function negotiated(settings: PeerSettings): Partial<ClientSettings> {
  const { referencing, services, generalBlockWindow, maxReceivePduSize } = settings;
  const conformance = new Set(referencing === "short-name" ? SHORT_NAME_CONFORMANCE : CONFORMANCE);
  if (services) conformance.add("access");
  if (generalBlockWindow !== undefined) conformance.add("general-block-transfer");
  return {
    conformance,
    ...(generalBlockWindow !== undefined && { generalBlocks: "when-needed", generalBlockWindow }),
    ...(maxReceivePduSize !== undefined && { maxReceivePduSize }),
  };
}

function authenticationOf({ mechanism, suite = 0, signingKey, serverSigningKey }: PeerSettings): ClientAuthentication {
  const secret = new SecretKey("hlsSecret", EXAMPLE.password);
  if (mechanism === "none" || mechanism === "hls-gmac") return { mechanism };
  if (mechanism === "lls") return { mechanism, password: secret };
  if (mechanism !== "hls-ecdsa") return { mechanism, secret };
  const curve = curveOfSuite(suite);
  return {
    mechanism,
    ...(signingKey !== undefined && { signingKey: privateKeyFromOctets(curve, fromHex(signingKey)) }),
    ...(serverSigningKey !== undefined && { serverSigningKey: publicKeyFromOctets(curve, fromHex(serverSigningKey)) }),
  };
}

function protectionOf(settings: PeerSettings, keyLength: number): ApduProtection {
  let counter = settings.firstInvocationCounter;
  return new ApduProtection({
    suite: settings.suite ?? 0,
    ownSystemTitle: CLIENT_SYSTEM_TITLE,
    keys: {
      blockCipherKey: new SecretKey("blockCipherKey", EXAMPLE.blockCipherKey(keyLength)),
      authenticationKey: new SecretKey("authenticationKey", EXAMPLE.authenticationKey(keyLength)),
    },
    nextInvocationCounter: () => counter++,
    ...(settings.dedicatedCounterGoesOn && { dedicatedCounter: "global" }),
  });
}
