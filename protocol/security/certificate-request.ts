/** Certificate requests (PKCS#10): what a meter gives for `generate_certificate_request`, and what we send to an authority. */
import { verify } from "node:crypto";
import { fromHex } from "../bytes/hex.ts";
import { DlmsError } from "../errors.ts";
import { nameIn } from "./certificate.ts";
import { contextTag, DER_TAGS, type DerElement, der, derBitString, derChildren, derInteger, readDer } from "./der.ts";
import {
  type Curve,
  curveFacts,
  type EllipticPrivateKey,
  type EllipticPublicKey,
  publicKeyFromDer,
} from "./elliptic-key.ts";
import { signOctets } from "./signature.ts";
import { type SystemTitle, titleText } from "./system-title.ts";

const COMMON_NAME = der(DER_TAGS.objectIdentifier, fromHex("550403"));
const VERSION_1 = Uint8Array.of(0);

/** ecdsa-with-SHA256 and ecdsa-with-SHA384. */
const SIGNATURE_ALGORITHMS: Readonly<Record<Curve, Uint8Array>> = {
  "P-256": der(DER_TAGS.sequence, der(DER_TAGS.objectIdentifier, fromHex("2a8648ce3d040302"))),
  "P-384": der(DER_TAGS.sequence, der(DER_TAGS.objectIdentifier, fromHex("2a8648ce3d040303"))),
};

export interface CertificateRequest {
  readonly commonName: string | undefined;
  readonly publicKey: EllipticPublicKey;
}

/** A request, signed with the key it is for, with the system title as common name. DER. */
export function makeCertificateRequest(key: EllipticPrivateKey, title: SystemTitle): Uint8Array {
  const commonName = der(DER_TAGS.utf8String, new TextEncoder().encode(titleText(title)));
  const info = der(
    DER_TAGS.sequence,
    derInteger(VERSION_1),
    der(DER_TAGS.sequence, der(DER_TAGS.set, der(DER_TAGS.sequence, COMMON_NAME, commonName))),
    key.publicKey.toDer(),
    der(contextTag(0)),
  );
  const raw = signOctets(key, info);
  const { coordinateLength } = curveFacts(key.curve);
  const signature = der(
    DER_TAGS.sequence,
    derInteger(raw.subarray(0, coordinateLength)),
    derInteger(raw.subarray(coordinateLength)),
  );
  return der(DER_TAGS.sequence, info, SIGNATURE_ALGORITHMS[key.curve], derBitString(signature));
}

/** What a request asks for, after its own signature has been verified. Throws CERTIFICATE_SIGNATURE_WRONG, CERTIFICATE_INVALID. */
export function readCertificateRequest(octets: Uint8Array): CertificateRequest {
  const [info, , signature] = children(readDer(octets), 3);
  const [, name, spki] = children(info, 4);
  const publicKey = publicKeyFromDer(need(spki).octets);
  // The first octet counts the unused bits.
  const signed = need(signature).contents.subarray(1);
  const { hash } = curveFacts(publicKey.curve);
  if (!verify(hash, need(info).octets, { key: publicKey.keyObject, dsaEncoding: "der" }, signed))
    throw new DlmsError("CERTIFICATE_SIGNATURE_WRONG", "peer", { of: "certificate request" });
  return { commonName: nameIn(need(name)).commonName, publicKey };
}

function children(element: DerElement | undefined, least: number): DerElement[] {
  const found = derChildren(need(element));
  if (found.length < least) throw new DlmsError("CERTIFICATE_INVALID", "peer", { fields: found.length, wanted: least });
  return found;
}

function need(element: DerElement | undefined): DerElement {
  if (element === undefined) throw new DlmsError("CERTIFICATE_INVALID", "peer");
  return element;
}
