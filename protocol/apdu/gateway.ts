/** The prefix that addresses a device behind a gateway (IEC 62056-5-3); the rest is the device's own APDU. */
import { type Codec, octets, sequence, u8 } from "../axdr/codec.ts";

const rest: Codec<Uint8Array> = {
  decode: (reader) => reader.rest(),
  encode: (value, writer) => void writer.bytes(value),
};

export const gatewayApdu = sequence({ networkId: u8, physicalDeviceAddress: octets, carriedApdu: rest });
