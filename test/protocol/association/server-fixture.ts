import { type Apdu, decodeApdu, encodeApdu } from "../../../protocol/apdu/apdu.ts";
import type { AssociationRule } from "../../../protocol/association/server/association-rule.ts";
import type { ObjectServer } from "../../../protocol/association/server/object-server.ts";
import { AssociationServer, type ServerEvent } from "../../../protocol/association/server/server.ts";
import type { Data } from "../../../protocol/axdr/data.ts";
import { conformanceFromNumber } from "../../../protocol/ber/conformance.ts";
import { fromHex, toHex } from "../../../protocol/bytes/hex.ts";
import { ApduProtection, type ApduProtectionOptions } from "../../../protocol/security/apdu-protection.ts";
import { SecretKey } from "../../../protocol/security/secret-key.ts";
import { systemTitle } from "../../../protocol/security/system-title.ts";

export const CLIENT_TITLE = systemTitle(fromHex("4D4D4D0000000001"));
export const SERVER_TITLE = systemTitle(fromHex("4D4D4D0000BC614E"));
export const CLOCK = fromHex("0000010000ff");

export function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Objects by class, logical name and attribute; writes are kept, methods return their parameter. */
export class FixtureObjects implements ObjectServer {
  readonly values = new Map<string, Data>();

  static key(classId: number, logicalName: Uint8Array, attributeId: number): string {
    return `${classId}:${toHex(logicalName)}:${attributeId}`;
  }

  get: ObjectServer["get"] = ({ attribute, access }) => {
    const value = this.values.get(FixtureObjects.key(attribute.classId, attribute.logicalName, attribute.attributeId));
    if (value === undefined) return { type: "data-access-result", dataAccessResult: "object-undefined" };
    if (access !== undefined) return { type: "data", data: access.parameters };
    return { type: "data", data: value };
  };

  set: ObjectServer["set"] = ({ attribute }, value) => {
    const key = FixtureObjects.key(attribute.classId, attribute.logicalName, attribute.attributeId);
    const known = this.values.get(key);
    if (known === undefined) return "object-undefined";
    if (known.type !== value.type) return "type-unmatched";
    this.values.set(key, structuredClone(value));
    return "success";
  };

  action: ObjectServer["action"] = (_method, parameters) => {
    if (parameters === undefined) return { result: "success" };
    return { result: "success", returnParameters: { type: "data", data: parameters } };
  };
}

export const KEYS = {
  blockCipherKey: new SecretKey("blockCipherKey", fromHex("000102030405060708090A0B0C0D0E0F")),
  authenticationKey: new SecretKey("authenticationKey", fromHex("D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF")),
};

export function counter(first: number): () => number {
  let next = first;
  return () => next++;
}

export function serverProtection(options: Partial<ApduProtectionOptions> = {}): ApduProtection {
  const own = { suite: 0, ownSystemTitle: SERVER_TITLE, keys: KEYS, nextInvocationCounter: counter(1) } as const;
  return new ApduProtection({ ...own, ...options });
}

export function clientProtection(options: Partial<ApduProtectionOptions> = {}): ApduProtection {
  const own = { suite: 0, ownSystemTitle: CLIENT_TITLE, keys: KEYS, nextInvocationCounter: counter(1) } as const;
  return new ApduProtection({ ...own, peerSystemTitle: SERVER_TITLE, ...options });
}

export const OPEN_RULE: AssociationRule = {
  name: "public",
  clientSap: 16,
  logicalName: fromHex("0000280001ff"),
  applicationContexts: ["logical-name"],
  mechanism: "none",
  conformance: conformanceFromNumber(0x007e1f),
  maxReceivePduSize: 1024,
};

export const SERVER_CHALLENGE = ascii("P6wRJ21FP6wRJ21FP6wRJ21FP6wRJ21F");

/** A server machine that is asked with octets in hexadecimal or APDUs and answers with one. */
export class Served {
  readonly objects = new FixtureObjects();
  readonly machine: AssociationServer;
  nowMs = 0;

  constructor(rule: AssociationRule | undefined, inactivityTimeoutMs?: number) {
    this.objects.values.set(FixtureObjects.key(8, CLOCK, 2), { type: "octet-string", value: new Uint8Array(12) });
    this.machine = new AssociationServer({
      clientSap: rule?.clientSap ?? 16,
      serverSap: 1,
      rule: () => rule,
      objects: this.objects,
      randomOctets: (length) => SERVER_CHALLENGE.subarray(0, length),
      ...(inactivityTimeoutMs !== undefined && { inactivityTimeoutMs }),
    });
  }

  octets(request: Uint8Array | string): Uint8Array | undefined {
    this.machine.receive(typeof request === "string" ? fromHex(request) : request, this.nowMs);
    const answer = this.machine.takeBytes();
    if (this.machine.takeBytes() !== undefined) throw new Error("two answers to one request");
    return answer;
  }

  hex(request: Uint8Array | string): string | undefined {
    const answer = this.octets(request);
    return answer && toHex(answer);
  }

  apdu(request: Apdu | string): Apdu | undefined {
    const answer = this.octets(typeof request === "string" ? request : encodeApdu(request));
    return answer && decodeApdu(answer);
  }

  events(): ServerEvent[] {
    const events: ServerEvent[] = [];
    for (let event = this.machine.takeEvent(); event !== undefined; event = this.machine.takeEvent())
      events.push(event);
    return events;
  }
}
