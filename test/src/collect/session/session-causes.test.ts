import { expect, test } from "vitest";
import type { ClientSettings } from "../../../../protocol/association/client/client-settings.ts";
import type { AssociationRule } from "../../../../protocol/association/server/association-rule.ts";
import { fromHex } from "../../../../protocol/bytes/hex.ts";
import { diagnose } from "../../../../protocol/security/diagnosis.ts";
import { SecretKey } from "../../../../protocol/security/secret-key.ts";
import { causeOf } from "../../../../src/collect/causes/failure-cause.ts";
import {
  ascii,
  KEYS,
  OPEN_RULE,
  SERVER_TITLE,
  serverProtection,
} from "../../../protocol/association/server-fixture.ts";
import { failureOf, indianRule, indianSettings, meter, open, PUBLIC, SECRET, TestCounters } from "./connected-meter.ts";

const WRONG = fromHex("FFEEDDCCBBAA99887766554433221100");

/** What a session against a real server machine ends with when one thing is wrong. */
const MISTAKES: readonly {
  readonly what: string;
  readonly cause: string;
  readonly rule: AssociationRule;
  readonly client: () => ClientSettings;
}[] = [
  {
    what: "an LLS password is wrong",
    cause: "wrong password",
    rule: { ...OPEN_RULE, mechanism: "lls", secret: SECRET },
    client: () => ({
      ...PUBLIC,
      authentication: { mechanism: "lls", password: new SecretKey("hlsSecret", ascii("wrong")) },
    }),
  },
  {
    what: "an HLS secret is wrong",
    cause: "wrong password",
    rule: { ...OPEN_RULE, mechanism: "hls-md5", secret: SECRET },
    client: () => ({
      ...PUBLIC,
      authentication: { mechanism: "hls-md5", secret: new SecretKey("hlsSecret", ascii("wrong")) },
    }),
  },
  {
    what: "the server's authentication key is another one",
    cause: "wrong authentication key",
    rule: indianRule({
      security: {
        protection: serverProtection({ keys: keysWith({ authenticationKey: WRONG }) }),
        response: "authenticated-encrypted",
      },
    }),
    client: () => indianSettings(new TestCounters(1), { ciphering: { request: "encrypted" } }),
  },
  {
    what: "the meter does not know the client",
    cause: "wrong system title",
    rule: indianRule({ clientSystemTitle: SERVER_TITLE }),
    client: () => indianSettings(new TestCounters(1)),
  },
  {
    what: "the meter demands ciphering",
    cause: "association refused",
    rule: indianRule(),
    client: () => PUBLIC,
  },
  {
    what: "the meter can't decipher",
    cause: "wrong key or counter",
    rule: indianRule({ security: { protection: serverProtection({ keys: keysWith({ blockCipherKey: WRONG }) }) } }),
    client: () => indianSettings(new TestCounters(1)),
  },
  {
    what: "the meter is silent",
    cause: "no answer",
    rule: indianRule({
      security: { protection: serverProtection({ keys: keysWith({ blockCipherKey: WRONG }) }) },
      decipherFailure: "silence",
    }),
    client: () => indianSettings(new TestCounters(1)),
  },
];

function keysWith(over: { readonly blockCipherKey?: Uint8Array; readonly authenticationKey?: Uint8Array }) {
  return {
    blockCipherKey: over.blockCipherKey ? new SecretKey("blockCipherKey", over.blockCipherKey) : KEYS.blockCipherKey,
    authenticationKey: over.authenticationKey
      ? new SecretKey("authenticationKey", over.authenticationKey)
      : KEYS.authenticationKey,
  };
}

test.each(MISTAKES)("failure cause: when $what it is called $cause", async ({ cause, rule, client }) => {
  const each = meter({ 16: rule });
  const { line, connection } = await open(each, {
    client: client(),
    diagnose: (ciphered) => diagnose(ciphered, { keys: KEYS, systemTitle: SERVER_TITLE }),
  });
  const error = await failureOf(connection.associate());
  expect(causeOf(error)).toMatchObject({
    cause,
    evidence: expect.stringContaining("near end"),
    nextStep: expect.any(String),
  });
  await connection.close();
  await line.close();
});
