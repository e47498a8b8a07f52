/**
 * Keys on P-256 (suite 1) and P-384 (suite 2). Public keys travel as x ‖ y without the 04 in front; private keys are
 * given as the number d. Private keys print their curve only.
 */
import { createECDH, createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { fromHex, toHex } from "../bytes/hex.ts";
import { DlmsError, type Fault } from "../errors.ts";
import { contextTag, DER_TAGS, der, derBitString, derChildren, derInteger, readDer } from "./der.ts";
import { SECURITY_SUITES, type SecuritySuite } from "./suites.ts";

const CURVES = {
  "P-256": {
    coordinateLength: 32,
    opensslName: "prime256v1",
    hash: "sha256",
    identifier: der(DER_TAGS.objectIdentifier, fromHex("2a8648ce3d030107")),
  },
  "P-384": {
    coordinateLength: 48,
    opensslName: "secp384r1",
    hash: "sha384",
    identifier: der(DER_TAGS.objectIdentifier, fromHex("2b81040022")),
  },
} as const;

/** id-ecPublicKey. */
const EC_PUBLIC_KEY = der(DER_TAGS.objectIdentifier, fromHex("2a8648ce3d0201"));
const UNCOMPRESSED = Uint8Array.of(4);

export type Curve = keyof typeof CURVES;

/** What belongs to a curve: octets of one coordinate, and the hash that signatures and key derivation on it use. */
export function curveFacts(curve: Curve): (typeof CURVES)[Curve] {
  return CURVES[curve];
}

/** The curve of a suite. Throws SECURITY_SUITE_WITHOUT_PUBLIC_KEYS for suite 0. */
export function curveOfSuite(suite: SecuritySuite): Curve {
  const { curve } = SECURITY_SUITES[suite];
  if (curve === undefined) throw new DlmsError("SECURITY_SUITE_WITHOUT_PUBLIC_KEYS", "caller", { suite });
  return curve;
}

/** A point on a curve. */
export class EllipticPublicKey {
  readonly curve: Curve;
  readonly keyObject: KeyObject;
  readonly #octets: Uint8Array;

  constructor(curve: Curve, keyObject: KeyObject, octets: Uint8Array) {
    this.curve = curve;
    this.keyObject = keyObject;
    this.#octets = octets;
  }

  /** x ‖ y: 64 or 96 octets; a copy. */
  octets(): Uint8Array {
    return new Uint8Array(this.#octets);
  }

  equals(other: EllipticPublicKey): boolean {
    return this.keyObject.equals(other.keyObject);
  }

  /** SubjectPublicKeyInfo in DER. */
  toDer(): Uint8Array {
    return new Uint8Array(this.keyObject.export({ type: "spki", format: "der" }));
  }
}

/** A number d and its point. Never shows d in texts, JSON or inspection. */
export class EllipticPrivateKey {
  readonly curve: Curve;
  readonly publicKey: EllipticPublicKey;
  readonly #key: KeyObject;

  constructor(curve: Curve, key: KeyObject, publicKey: EllipticPublicKey) {
    this.curve = curve;
    this.publicKey = publicKey;
    this.#key = key;
  }

  /** For node:crypto; prints nothing either. */
  get keyObject(): KeyObject {
    return this.#key;
  }

  /** d in full length, for sealed storage. */
  reveal(): Uint8Array {
    const sec1 = derChildren(readDer(new Uint8Array(this.#key.export({ type: "sec1", format: "der" }))));
    const d = sec1[1]?.contents ?? new Uint8Array(0);
    const octets = new Uint8Array(CURVES[this.curve].coordinateLength);
    octets.set(d, octets.length - d.length);
    return octets;
  }

  toString(): string {
    return `[private key on ${this.curve}]`;
  }

  toJSON(): string {
    return this.toString();
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}

/** A public key from x ‖ y. Throws SECURITY_PUBLIC_KEY_INVALID when it is no point of the curve. */
export function publicKeyFromOctets(curve: Curve, octets: Uint8Array, fault: Fault = "peer"): EllipticPublicKey {
  const { coordinateLength } = CURVES[curve];
  if (octets.length !== 2 * coordinateLength)
    throw new DlmsError("SECURITY_PUBLIC_KEY_INVALID", fault, { curve, length: octets.length });
  const key = der(
    DER_TAGS.sequence,
    der(DER_TAGS.sequence, EC_PUBLIC_KEY, CURVES[curve].identifier),
    der(DER_TAGS.bitString, Uint8Array.of(0), UNCOMPRESSED, octets),
  );
  try {
    return new EllipticPublicKey(
      curve,
      createPublicKey({ key: toHex(key), encoding: "hex", format: "der", type: "spki" }),
      new Uint8Array(octets),
    );
  } catch (cause) {
    throw new DlmsError("SECURITY_PUBLIC_KEY_INVALID", fault, { curve }, { cause });
  }
}

/** A public key from node:crypto, as out of a certificate. Throws SECURITY_PUBLIC_KEY_INVALID for other kinds of keys. */
export function publicKeyFromObject(key: KeyObject, fault: Fault = "peer"): EllipticPublicKey {
  const curve = curveNamed(key.asymmetricKeyDetails?.namedCurve);
  if (curve === undefined || key.type !== "public")
    throw new DlmsError("SECURITY_PUBLIC_KEY_INVALID", fault, { kind: key.asymmetricKeyType ?? key.type });
  const spki = new Uint8Array(key.export({ type: "spki", format: "der" }));
  const point = derChildren(readDer(spki))[1]?.contents;
  // No unused bits, then 04: the compressed forms are not DLMS's.
  if (point?.[0] !== 0 || point[1] !== UNCOMPRESSED[0])
    throw new DlmsError("SECURITY_PUBLIC_KEY_INVALID", fault, { curve, form: "compressed" });
  const octets = point.subarray(2);
  return new EllipticPublicKey(curve, key, octets);
}

/** A public key from SubjectPublicKeyInfo. Throws SECURITY_PUBLIC_KEY_INVALID. */
export function publicKeyFromDer(octets: Uint8Array, fault: Fault = "peer"): EllipticPublicKey {
  let key: KeyObject;
  try {
    key = createPublicKey({ key: toHex(octets), encoding: "hex", format: "der", type: "spki" });
  } catch (cause) {
    throw new DlmsError("SECURITY_PUBLIC_KEY_INVALID", fault, { length: octets.length }, { cause });
  }
  return publicKeyFromObject(key, fault);
}

/** A private key from d. Throws SECURITY_PRIVATE_KEY_INVALID when d is not between 1 and the order of the curve. */
export function privateKeyFromOctets(curve: Curve, d: Uint8Array): EllipticPrivateKey {
  const { coordinateLength, opensslName } = CURVES[curve];
  if (d.length !== coordinateLength)
    throw new DlmsError("SECURITY_PRIVATE_KEY_INVALID", "caller", { curve, length: d.length });
  const ecdh = createECDH(opensslName);
  try {
    ecdh.setPrivateKey(d);
  } catch {
    // The cause is not kept: it must not lead back to d.
    throw new DlmsError("SECURITY_PRIVATE_KEY_INVALID", "caller", { curve });
  }
  const point = new Uint8Array(ecdh.getPublicKey()).subarray(1);
  const text = toHex(
    der(
      DER_TAGS.sequence,
      derInteger(Uint8Array.of(1)),
      der(DER_TAGS.octetString, d),
      der(contextTag(0), CURVES[curve].identifier),
      der(contextTag(1), derBitString(new Uint8Array(ecdh.getPublicKey()))),
    ),
  );
  const key = createPrivateKey({ key: text, encoding: "hex", format: "der", type: "sec1" });
  return new EllipticPrivateKey(curve, key, publicKeyFromOctets(curve, point, "caller"));
}

/** A private key from PEM text (PKCS#8 or SEC 1). Throws SECURITY_PRIVATE_KEY_INVALID. */
export function privateKeyFromPem(pem: string): EllipticPrivateKey {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    throw new DlmsError("SECURITY_PRIVATE_KEY_INVALID", "caller", { form: "pem" });
  }
  const curve = curveNamed(key.asymmetricKeyDetails?.namedCurve);
  if (curve === undefined)
    throw new DlmsError("SECURITY_PRIVATE_KEY_INVALID", "caller", { kind: key.asymmetricKeyType ?? "unknown" });
  return new EllipticPrivateKey(curve, key, publicKeyFromObject(createPublicKey(key), "caller"));
}

const MAX_DRAWS = 64;

/** A new private key out of a source of random octets; draws again while the number is out of range. */
export function drawPrivateKey(curve: Curve, randomOctets: (length: number) => Uint8Array): EllipticPrivateKey {
  for (let draw = 0; draw < MAX_DRAWS; draw++) {
    try {
      return privateKeyFromOctets(curve, randomOctets(CURVES[curve].coordinateLength));
    } catch (error) {
      if (!(error instanceof DlmsError) || draw === MAX_DRAWS - 1) throw error;
    }
  }
  throw new DlmsError("SECURITY_PRIVATE_KEY_INVALID", "caller", { curve, draws: MAX_DRAWS });
}

function curveNamed(opensslName: string | undefined): Curve | undefined {
  if (opensslName === CURVES["P-256"].opensslName) return "P-256";
  return opensslName === CURVES["P-384"].opensslName ? "P-384" : undefined;
}
