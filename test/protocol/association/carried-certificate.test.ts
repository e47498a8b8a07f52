/** HLS 7 with the certificates that travel in the AE-qualifiers of AARQ and AARE. */
import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { ClientAuthentication } from "../../../protocol/association/client/client-settings.ts";
import type { AssociationRule } from "../../../protocol/association/server/association-rule.ts";
import { drawPrivateKey } from "../../../protocol/security/elliptic-key.ts";
import { Authority } from "../security/authority.ts";
import { ApduPair } from "./pair.ts";
import { CLIENT_TITLE, OPEN_RULE, SERVER_TITLE } from "./server-fixture.ts";
import { serve, settingsOf } from "./variants.ts";

const random = (length: number) => new Uint8Array(randomBytes(length));
const nowMs = () => Date.UTC(2026, 11, 1);

type Signed = Extract<ClientAuthentication, { mechanism: "hls-ecdsa" }>;

describe.each(["P-256", "P-384"] as const)("certificates that come along, %s", (curve) => {
  const authority = new Authority("Utility Root", drawPrivateKey(curve, random));
  const stranger = new Authority("Somebody Else", drawPrivateKey(curve, random));
  const client = drawPrivateKey(curve, random);
  const server = drawPrivateKey(curve, random);
  const issued = (
    from: Authority,
    commonName: string,
    key: typeof client,
    usage: "digitalSignature" | "keyAgreement",
  ) => from.issue({ commonName, publicKey: key.publicKey, usage, serialNumber: 5 }).octets;
  const ofClient = issued(authority, "4D4D4D0000000001", client, "digitalSignature");
  const ofServer = issued(authority, "4D4D4D0000BC614E", server, "digitalSignature");
  const trust = { authorities: [authority.certificate], nowMs };

  function associate(authentication: Partial<Signed>, rule: Partial<AssociationRule>) {
    const { server: machine } = serve({
      ...OPEN_RULE,
      mechanism: "hls-ecdsa",
      systemTitle: SERVER_TITLE,
      signingKey: server,
      certificate: ofServer,
      clientTrust: trust,
      ...rule,
    });
    const settings = settingsOf({
      authentication: { mechanism: "hls-ecdsa", signingKey: client, certificate: ofClient, trust, ...authentication },
      systemTitle: CLIENT_TITLE,
      challenge: () => random(32),
    });
    return new ApduPair(settings, machine).run({ type: "associate" }).at(-1);
  }

  test("certificates: both sides take the other's key from what came along", () => {
    expect(associate({}, {})).toMatchObject({ type: "associated" });
  });

  test.each([
    [
      "of another authority",
      () => issued(stranger, "4D4D4D0000BC614E", server, "digitalSignature"),
      "CERTIFICATE_ISSUER_UNKNOWN",
    ],
    [
      "of another meter",
      () => issued(authority, "4D4D4D0000000009", server, "digitalSignature"),
      "CERTIFICATE_TITLE_MISMATCH",
    ],
    [
      "for something else",
      () => issued(authority, "4D4D4D0000BC614E", server, "keyAgreement"),
      "CERTIFICATE_USAGE_WRONG",
    ],
    ["that is none", () => Uint8Array.of(1, 2, 3), "CERTIFICATE_INVALID"],
  ])("certificates: the server's, %s, is refused", (_, certificate, code) => {
    expect(associate({}, { certificate: certificate() })).toMatchObject({
      type: "failed",
      failure: { error: { code } },
    });
  });

  test("certificates: the key of another certificate does not verify, and without any there is no key", () => {
    const other = drawPrivateKey(curve, random);
    const certificate = issued(authority, "4D4D4D0000BC614E", other, "digitalSignature");
    expect(associate({}, { certificate })).toMatchObject({ failure: { error: { code: "HLS_REPLY_MISMATCH" } } });
    expect(associate({}, { certificate: new Uint8Array(0) })).toMatchObject({
      failure: { error: { code: "HLS_INPUT_MISSING" } },
    });
  });

  test("certificates: the client's of a stranger is refused by its diagnostic", () => {
    const certificate = issued(stranger, "4D4D4D0000000001", client, "digitalSignature");
    expect(associate({ certificate }, {})).toMatchObject({
      failure: { evidence: { diagnostic: { diagnostic: "calling-ae-qualifier-not-recognized" } } },
    });
  });

  test("certificates: a key that was given beforehand counts, whatever comes along", () => {
    const certificate = issued(stranger, "4D4D4D0000BC614E", server, "digitalSignature");
    expect(associate({ serverSigningKey: server.publicKey }, { certificate })).toMatchObject({ type: "associated" });
  });
});
