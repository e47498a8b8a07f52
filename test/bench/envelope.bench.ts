import { decodeApdu, encodeApdu } from "../../protocol/apdu/apdu.ts";
import { fromHex } from "../../protocol/bytes/hex.ts";
import { type Bench, measure } from "./bench.ts";

const LOGICAL_NAME = fromHex("0100010800ff");
const RESPONSE = fromHex("c401c100060098967f");
const REQUEST = fromHex("c001c100030100010800ff0200");

/** The least that encoding this one request takes: no choice, no selective access, no check of any value. */
function requestByHand(invokeId: number): Uint8Array {
  const octets = new Uint8Array(13);
  octets[0] = 0xc0;
  octets[1] = 1;
  octets[2] = invokeId;
  octets[4] = 3;
  octets.set(LOGICAL_NAME, 5);
  octets[11] = 2;
  return octets;
}

/** The least that decoding a response with one 32-bit value takes: every other form is an error. */
function responseByHand(octets: Uint8Array): { invokeId: number; value: { type: string; value: number } } {
  if (octets.length < 9 || octets[0] !== 0xc4 || octets[1] !== 1 || octets[3] !== 0 || octets[4] !== 6) {
    throw new RangeError("another form");
  }
  const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
  return { invokeId: octets[2] ?? 0, value: { type: "double-long-unsigned", value: view.getUint32(5) } };
}

/** The least that a server needs of the request: the fields by their places. */
function requestFieldsByHand(octets: Uint8Array) {
  if (octets.length !== 13 || octets[0] !== 0xc0 || octets[1] !== 1 || octets[12] !== 0) {
    throw new RangeError("another form");
  }
  const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
  return {
    invokeId: octets[2] ?? 0,
    classId: view.getUint16(3),
    logicalName: octets.subarray(5, 11),
    attributeId: view.getInt8(11),
  };
}

let invokeId = 0;

export const bench: Bench = {
  compares:
    "GET of one register: encoding the request and decoding the response (a client's turn), and decoding the request (a server's), by the declared codecs and by hand for exactly these octets",
  unfair:
    "the hand-written side knows one form of each APDU, checks next to nothing, and gives no error that names a place: a decoder of all forms cannot be as short",
  async run(options) {
    const { rows, perSecond } = await measure(
      {
        "client by codec": () => {
          invokeId = (invokeId + 1) & 0x0f;
          const request = encodeApdu({
            apdu: "get-request",
            body: {
              type: "normal",
              invokeIdAndPriority: 0xc0 | invokeId,
              attribute: { classId: 3, logicalName: LOGICAL_NAME, attributeId: 2 },
            },
          });
          return [request, decodeApdu(RESPONSE)];
        },
        "client by hand": () => {
          invokeId = (invokeId + 1) & 0x0f;
          return [requestByHand(0xc0 | invokeId), responseByHand(RESPONSE)];
        },
        "server by codec": () => decodeApdu(REQUEST),
        "server by hand": () => requestFieldsByHand(REQUEST),
      },
      "APDU exchanges",
      options,
    );
    return {
      rows,
      ratios: {
        "envelope-get": perSecond["client by codec"] / perSecond["client by hand"],
        "envelope-get-server": perSecond["server by codec"] / perSecond["server by hand"],
      },
    };
  },
};
