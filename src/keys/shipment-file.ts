/**
 * Keys of meters as suppliers send them: CSV, Portable Symmetric Key Containers (RFC 6030), and Kamstrup's KEM files, plain
 * or closed with a transport key. Errors name the place in the file, never what a key is.
 */
import { DOMParser, type Element, onErrorStopParsing } from "@xmldom/xmldom";
import { fromHex } from "../../protocol/bytes/hex.ts";
import { DlmsError } from "../../protocol/errors.ts";
import { isKeyRole, type KeyRole, SecretKey } from "../../protocol/security/secret-key.ts";
import { messageOf } from "../observe/message-of.ts";
import { ALL_ASSOCIATIONS } from "./sealed-key.ts";
import { childOf, childrenOf, EncryptedElement, octetsOf, textOf } from "./xml-encryption.ts";

/** One key that is meant for one meter. */
export interface ShippedKey {
  /** Where in the file, as line 3 or key 3. */
  readonly place: string;
  /** Name or number. */
  readonly meter: string;
  readonly clientSap: number;
  readonly key: SecretKey;
}

/** What shipment files and people call the roles. */
export const ROLE_NAMES: Readonly<Record<string, KeyRole>> = {
  password: "hlsSecret",
  secret: "hlsSecret",
  guek: "blockCipherKey",
  gak: "authenticationKey",
  kek: "masterKey",
};

const COLUMNS = ["meter", "client", "role", "key"] as const;
/** Kamstrup's word for the key with which a meter enciphers what it sends. */
const KEM_KEYS: Readonly<Record<string, KeyRole>> = { DEK: "blockCipherKey" };
const KEM_PASSWORD_LENGTH = 16;
const TRANSPORT_KEY = /^(?:0x)?((?:[0-9a-fA-F]{2}){16,32})$/;

/** Octets of a transport key: hexadecimal, or a password as KEM files have it. Throws. */
export function transportKeyOf(text: string): Uint8Array {
  const digits = TRANSPORT_KEY.exec(text.trim())?.[1];
  if (digits !== undefined) return fromHex(digits);
  const password = new TextEncoder().encode(text);
  if (password.length > KEM_PASSWORD_LENGTH) {
    throw new Error(`a transport key is hexadecimal, or a password of ${KEM_PASSWORD_LENGTH} octets at most`);
  }
  const key = new Uint8Array(KEM_PASSWORD_LENGTH);
  key.set(password);
  return key;
}

/** All keys of a file, or the first reason why it can't be used. Throws. */
export function readShipment(text: string, transportKey?: Uint8Array): ShippedKey[] {
  return text.trimStart().startsWith("<") ? keysOfXml(text, transportKey) : keysOfCsv(text);
}

/** `meter,client,role,key` with a header line; an empty client is all clients. */
function keysOfCsv(text: string): ShippedKey[] {
  const lines = text
    .split(/\r?\n/)
    .map((each, index) => ({ place: `line ${index + 1}`, cells: each.split(",").map((cell) => cell.trim()) }));
  const [header, ...rows] = lines.filter(({ cells }) => cells.some((cell) => cell !== ""));
  if (header?.cells.join() !== COLUMNS.join()) throw new Error(`the first line must be ${COLUMNS.join()}`);
  return rows.map(({ place, cells }) => {
    const [meter = "", client = "", roleName = "", octets = ""] = cells;
    if (cells.length !== COLUMNS.length || meter === "") throw new Error(`${place}: wanted ${COLUMNS.join()}`);
    const role = roleOf(roleName, place);
    return {
      place,
      meter,
      clientSap: clientOf(client, place),
      key: keyOf(place, role, () => writtenOctets(role, octets)),
    };
  });
}

function keysOfXml(text: string, transportKey: Uint8Array | undefined): ShippedKey[] {
  const root = rootOf(text);
  if (root.localName === "EncryptedData") {
    const opened = new EncryptedElement(root).open(demanded(transportKey));
    return keysOfXml(new TextDecoder().decode(opened), transportKey);
  }
  if (root.localName === "KeyContainer") return keysOfContainer(root, transportKey);
  if (root.localName === "MetersInOrder") return keysOfMeters(root);
  throw new Error(`no shipment file that is known here: its element is ${root.localName}`);
}

/** Documents that define entities are refused: they may be made to grow without end. */
function rootOf(text: string): Element {
  if (text.includes("<!DOCTYPE")) throw new Error("a shipment file has no document type");
  try {
    const root = new DOMParser({ onError: onErrorStopParsing }).parseFromString(text, "text/xml").documentElement;
    if (root !== null) return root;
  } catch {
    // What the parser says may show what is in the file.
  }
  throw new Error("it is no well-formed XML");
}

/** A container has packages, each with a device and a key (RFC 6030, 4). */
function keysOfContainer(container: Element, transportKey: Uint8Array | undefined): ShippedKey[] {
  const macKey = once(() => macKeyOf(container, transportKey));
  return childrenOf(container, "KeyPackage").flatMap((each, index) => {
    const place = `key ${index + 1}`;
    const device = childOf(each, "DeviceInfo");
    const key = childOf(each, "Key");
    const secret = key && childOf(key, "Data") && childOf(childOf(key, "Data") ?? key, "Secret");
    if (device === undefined || key === undefined || secret === undefined) {
      throw new Error(`${place}: wanted DeviceInfo/SerialNo and Key/Data/Secret`);
    }
    const [roleName = "", client = ""] = textOf(key, "KeyProfileId").split("@");
    const role = roleOf(roleName, place);
    return {
      place,
      meter: textOf(device, "SerialNo"),
      clientSap: clientOf(client, place),
      key: keyOf(place, role, () => secretOf(secret, transportKey, macKey)),
    };
  });
}

function secretOf(secret: Element, transportKey: Uint8Array | undefined, macKey: () => MacKey): Uint8Array {
  const closed = childOf(secret, "EncryptedValue");
  if (closed === undefined) return octetsOf(textOf(secret, "PlainValue"));
  const value = new EncryptedElement(closed);
  if (value.isAuthentic) return value.open(demanded(transportKey));
  const mac = octetsOf(textOf(secret, "ValueMAC"));
  if (mac.length === 0) throw new Error("what is closed with CBC has to have a ValueMAC");
  return value.openProven(demanded(transportKey), { ...macKey(), mac });
}

interface MacKey {
  readonly algorithm: string;
  readonly key: Uint8Array;
}

function macKeyOf(container: Element, transportKey: Uint8Array | undefined): MacKey {
  const method = childOf(container, "MACMethod");
  const closed = method && childOf(method, "MACKey");
  // Without a key of its own it is the transport key (RFC 6030, 6.1.1).
  const key = closed === undefined ? demanded(transportKey) : new EncryptedElement(closed).open(demanded(transportKey));
  return { algorithm: method?.getAttribute("Algorithm") ?? "", key };
}

function keysOfMeters(root: Element): ShippedKey[] {
  return childrenOf(root, "Meter").flatMap((meter, index) =>
    Object.entries(KEM_KEYS).flatMap(([name, role]) => {
      const digits = textOf(meter, name);
      if (digits === "") return [];
      const place = `meter ${index + 1}`;
      const key = keyOf(place, role, () => fromHex(digits));
      return [{ place, meter: textOf(meter, "SerialNo"), clientSap: ALL_ASSOCIATIONS, key }];
    }),
  );
}

function roleOf(name: string, place: string): KeyRole {
  const role = ROLE_NAMES[name.toLowerCase()] ?? name;
  if (!isKeyRole(role)) throw new Error(`${place}: no such role: ${name}`);
  return role;
}

function clientOf(text: string, place: string): number {
  if (!/^\d*$/.test(text)) throw new Error(`${place}: a client is a number, or empty for all`);
  return text === "" ? ALL_ASSOCIATIONS : Number(text);
}

/** Hexadecimal; a password is text, or octets after 0x. */
function writtenOctets(role: KeyRole, text: string): Uint8Array {
  const digits = text.replace(/^0x/, "");
  return role === "hlsSecret" && digits === text ? new TextEncoder().encode(text) : fromHex(digits);
}

function keyOf(place: string, role: KeyRole, octets: () => Uint8Array): SecretKey {
  try {
    return new SecretKey(role, octets());
  } catch (cause) {
    const reason = cause instanceof DlmsError ? cause.code : messageOf(cause);
    throw new Error(`${place}: the ${role} is not what it should be: ${reason}`, { cause });
  }
}

function demanded(transportKey: Uint8Array | undefined): Uint8Array {
  if (transportKey === undefined) throw new Error("it is closed: say which transport key opens it");
  return transportKey;
}

function once<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | undefined;
  return () => (made ??= { value: make() }).value;
}
