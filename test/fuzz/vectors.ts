import { existsSync } from "node:fs";
import { join } from "node:path";
import { fromHex } from "../../protocol/bytes/hex.ts";
import { p1Check } from "../../protocol/link/iec62056-21/p1.ts";
import { encodeOptionSelect } from "../../protocol/link/iec62056-21/sign-on.ts";
import { octetsOf } from "../../protocol/link/iec62056-21/text.ts";
import { encodeMbusFrame } from "../../protocol/link/mbus.ts";
import { encodeWrapper } from "../../protocol/link/wrapper.ts";
import { readCertificate } from "../../protocol/security/certificate.ts";
import { loadCases } from "../corpus/case.ts";
import { certificateOctets } from "../protocol/security/certificates.ts";

const ROOT = join(import.meta.dirname, "..", "..");
/** Field captures make better seeds where they are at hand; without them our own vectors serve. */
const PLACES = [join(ROOT, "test", "vectors"), join(ROOT, "..", "shared", "corpus", "field")];

const cases = loadCases(PLACES.filter((place) => existsSync(place))).cases;

const APDU = fromHex("c401c1000600000001");
const ROW = "0203090c07e9071703081e0000ffc40006000000011100";
const P1_LINES = "/XMX5LGBBFG1234\r\n\r\n0-0:1.0.0(230201155056W)\r\n1-0:1.8.1(000143.608*kWh)\r\n!";

/** One of each layer that our vectors lack, so that nothing needs the field captures. */
const OWN_SEEDS: readonly { readonly layer: string; readonly octets: Uint8Array }[] = [
  { layer: "wrapper", octets: encodeWrapper({ sourceWPort: 1, destinationWPort: 16, apdu: APDU }) },
  {
    layer: "mbus",
    octets: encodeMbusFrame({ control: 0x53, address: 0xff, controlInformation: 0x11, payload: APDU }),
  },
  {
    layer: "p1",
    octets: octetsOf(`${P1_LINES}${p1Check(P1_LINES).toString(16).toUpperCase().padStart(4, "0")}\r\n`),
  },
  {
    layer: "axdr",
    octets: fromHex(
      "01010204 12000f 1102 09060000280000ff 02020101 02030f01160100 0101 02020f011600".replaceAll(" ", ""),
    ),
  },
  // Rows of one shape: time, energy, status.
  { layer: "axdr", octets: fromHex(`0110${ROW.repeat(16)}`) },
  { layer: "p1-value", octets: octetsOf("230201155056W") },
  { layer: "p1-value", octets: octetsOf("000143.608*kWh") },
  { layer: "option-select", octets: encodeOptionSelect("5", "hdlc") },
  { layer: "datetime", octets: fromHex("07e9071703") },
  { layer: "datetime", octets: fromHex("081e1800") },
  { layer: "compact-data", octets: fromHex("040202061205000000010002") },
  { layer: "capture-row", octets: fromHex("02020101020412000309060100010800ff0f03120000020102020f00161e") },
  { layer: "frmr", octets: fromHex("1e6a01") },
  ...(["rootCa", "subCa", "signing", "agreement", "rootCa2", "signing2"] as const).map((name) => ({
    layer: "certificate",
    octets: certificateOctets(name),
  })),
  { layer: "public-key", octets: readCertificate(certificateOctets("signing")).publicKey.octets() },
  { layer: "certificate-request", octets: certificateOctets("request") },
];

/** The octets of all cases of these layers: single units, frames, APDUs, chunks and text alike. */
export function vectorsOf(layers: readonly string[]): Uint8Array[] {
  const wanted = cases.filter((each) => layers.includes(each.layer));
  const own = OWN_SEEDS.filter((each) => layers.includes(each.layer)).map((each) => each.octets);
  const captured = wanted.flatMap((each) => {
    const { hex, frames, apdus, chunks, text } = each.input;
    const parts = [frames, apdus, chunks].flatMap((list) => (Array.isArray(list) ? list.map(String) : []));
    if (typeof hex === "string") parts.push(hex);
    const units = parts.map((part) => fromHex(part));
    if (typeof text === "string") units.push(Buffer.from(text, "latin1"));
    return units;
  });
  return [...own, ...captured];
}
