/** xDLMS InitiateRequest and InitiateResponse, the user-information of AARQ and AARE (IEC 62056-5-3). */
import { bool, type Decoded, i8, octets, optional, sequence, u8, u16, withDefault } from "../axdr/codec.ts";
import { conformance } from "../ber/conformance.ts";

/** The xDLMS version of every edition in use. */
export const DLMS_VERSION = 6;
/** vaa-name of an association with logical name referencing. */
export const VAA_NAME_LN = 0x0007;
/** vaa-name of an association with short name referencing: the base name of its association object. */
export const VAA_NAME_SN = 0xfa00;

export const initiateRequest = sequence({
  dedicatedKey: optional(octets),
  responseAllowed: withDefault(bool, true),
  proposedQualityOfService: optional(i8),
  proposedDlmsVersion: u8,
  proposedConformance: conformance,
  clientMaxReceivePduSize: u16,
});
export type InitiateRequest = Decoded<typeof initiateRequest>;

export const initiateResponse = sequence({
  negotiatedQualityOfService: optional(i8),
  negotiatedDlmsVersion: u8,
  negotiatedConformance: conformance,
  serverMaxReceivePduSize: u16,
  vaaName: u16,
});
export type InitiateResponse = Decoded<typeof initiateResponse>;
