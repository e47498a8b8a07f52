/** How a client and a server of ours may be set up to understand each other. */

import type { ClientSettings } from "../../../protocol/association/client/client-settings.ts";
import type { AssociationRule } from "../../../protocol/association/server/association-rule.ts";
import { AssociationServer, type AssociationServerOptions } from "../../../protocol/association/server/server.ts";
import type { Data } from "../../../protocol/axdr/data.ts";
import { fromHex } from "../../../protocol/bytes/hex.ts";
import { SecretKey } from "../../../protocol/security/secret-key.ts";
import {
  ascii,
  CLOCK,
  clientProtection,
  FixtureObjects,
  OPEN_RULE,
  SERVER_CHALLENGE,
  serverProtection,
} from "./server-fixture.ts";

const CHALLENGE = ascii("K56iVagYK56iVagY");
export const SECRET = new SecretKey("hlsSecret", ascii("sixteen octets!!"));
export const LONG = fromHex("0000600100ff");

export interface Variant {
  readonly name: string;
  readonly rule: () => AssociationRule;
  readonly settings: () => Partial<ClientSettings>;
}

export const VARIANTS: readonly Variant[] = [
  { name: "none", rule: () => OPEN_RULE, settings: () => ({}) },
  {
    name: "lls",
    rule: () => ({ ...OPEN_RULE, mechanism: "lls", secret: SECRET }),
    settings: () => ({ authentication: { mechanism: "lls", password: SECRET } }),
  },
  ...(["hls", "hls-md5", "hls-sha1"] as const).map(
    (mechanism): Variant => ({
      name: mechanism,
      rule: () => ({ ...OPEN_RULE, mechanism, secret: SECRET }),
      settings: () => ({ authentication: { mechanism, secret: SECRET } }),
    }),
  ),
  {
    name: "hls-sha256, ciphered",
    rule: () => ciphered({ mechanism: "hls-sha256", secret: SECRET }),
    settings: () => cipheredSettings({ authentication: { mechanism: "hls-sha256", secret: SECRET } }),
  },
  {
    name: "hls-gmac in a plain context",
    rule: () => ({ ...OPEN_RULE, mechanism: "hls-gmac", security: { protection: serverProtection() } }),
    settings: () => ({ authentication: { mechanism: "hls-gmac" }, protection: clientProtection() }),
  },
  {
    name: "lls, encrypted only",
    rule: () => ciphered({ mechanism: "lls", secret: SECRET }),
    settings: () =>
      cipheredSettings({
        authentication: { mechanism: "lls", password: SECRET },
        ciphering: { request: "encrypted" },
      }),
  },
  {
    name: "hls, ciphered, the Indian habit",
    rule: () => ciphered({ mechanism: "hls", secret: SECRET }),
    settings: () => cipheredSettings({ authentication: { mechanism: "hls", secret: SECRET } }),
  },
  {
    name: "hls-gmac, ciphered, dedicated key",
    rule: () => ciphered({ mechanism: "hls-gmac" }),
    settings: () =>
      cipheredSettings({
        authentication: { mechanism: "hls-gmac" },
        ciphering: {
          request: "authenticated-encrypted",
          dedicatedKey: () => new SecretKey("dedicatedKey", fromHex("00112233445566778899AABBCCDDEEFF")),
        },
      }),
  },
  {
    name: "hls-gmac, general ciphering, authenticated only",
    rule: () => ciphered({ mechanism: "hls-gmac" }),
    settings: () =>
      cipheredSettings({
        authentication: { mechanism: "hls-gmac" },
        ciphering: { request: "authenticated", form: "general" },
      }),
  },
];

function ciphered(over: Partial<AssociationRule>): AssociationRule {
  return {
    ...OPEN_RULE,
    applicationContexts: ["logical-name-with-ciphering"],
    security: { protection: serverProtection() },
    ...over,
  };
}

function cipheredSettings(over: Partial<ClientSettings>): Partial<ClientSettings> {
  return { protection: clientProtection(), ciphering: { request: "authenticated-encrypted" }, ...over };
}

export function settingsOf(over: Partial<ClientSettings> = {}): ClientSettings {
  return {
    authentication: { mechanism: "none" },
    challenge: () => CHALLENGE,
    maxReceivePduSize: 256,
    responseTimeoutMs: 10_000,
    ...over,
  };
}

export function serve(
  rule: AssociationRule,
  naming: Pick<AssociationServerOptions, "shortNames"> = {},
): { readonly objects: FixtureObjects; readonly server: AssociationServer } {
  const objects = new FixtureObjects();
  objects.values.set(FixtureObjects.key(8, CLOCK, 2), {
    type: "octet-string",
    value: fromHex("07E9071703081E18FF014A00"),
  });
  objects.values.set(FixtureObjects.key(1, LONG, 2), octets(3000));
  const server = new AssociationServer({
    clientSap: rule.clientSap,
    serverSap: 1,
    rule: () => rule,
    objects,
    ...naming,
    randomOctets: (length) => SERVER_CHALLENGE.subarray(0, length),
  });
  return { objects, server };
}

export function octets(length: number): Data {
  return { type: "octet-string", value: Uint8Array.from({ length }, (_, index) => index * 7) };
}
