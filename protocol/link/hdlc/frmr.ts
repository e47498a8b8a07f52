/** The information field of FRMR: the rejected control field, V(S) and V(R) of the rejecting side, and the reasons. */
import { DlmsError } from "../../errors.ts";

/** Reason bits W, X, Y, Z of ISO/IEC 13239, and V, seen after a client switch without SNRM. */
const REASONS = {
  controlUndefined: 0x01,
  informationUnexpected: 0x02,
  informationTooLong: 0x04,
  receiveNumberInvalid: 0x08,
  sendNumberInvalid: 0x10,
} as const;

export type FrmrReason = keyof typeof REASONS;

export interface Frmr {
  /** The octet of the rejected control field. */
  readonly control: number;
  readonly vs: number;
  readonly vr: number;
  readonly reasons: readonly FrmrReason[];
}

export function encodeFrmr(frmr: Frmr): Uint8Array {
  const reasons = frmr.reasons.reduce((bits, reason) => bits | REASONS[reason], 0);
  return Uint8Array.of(frmr.control, (frmr.vr << 5) | (frmr.vs << 1), reasons);
}

/** Undefined when the field is missing or short: some servers send FRMR without it. */
export function decodeFrmr(information: Uint8Array): Frmr | undefined {
  const [control, state, bits] = information;
  if (control === undefined || state === undefined || bits === undefined) return undefined;
  const reasons: FrmrReason[] = [];
  for (const reason of REASON_NAMES) if ((bits & REASONS[reason]) !== 0) reasons.push(reason);
  return { control, vs: (state >> 1) & 0x07, vr: state >> 5, reasons };
}

/** The error that a received FRMR means for a link. */
export function frmrError(information: Uint8Array): DlmsError {
  const frmr = decodeFrmr(information);
  if (frmr === undefined) return new DlmsError("LINK_REJECTED", "peer", { reasons: "not given" });
  const { control, vs, vr, reasons } = frmr;
  return new DlmsError("LINK_REJECTED", "peer", { control, vs, vr, reasons: reasons.join(" ") });
}

const REASON_NAMES: readonly FrmrReason[] = [
  "controlUndefined",
  "informationUnexpected",
  "informationTooLong",
  "receiveNumberInvalid",
  "sendNumberInvalid",
];
