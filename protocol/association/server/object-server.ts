import type { ActionOutcome } from "../../apdu/action.ts";
import type { AttributeReference, DataResult, MethodDescriptor } from "../../apdu/descriptors.ts";
import type { DataAccessResult } from "../../apdu/result-codes.ts";
import type { Data } from "../../axdr/data.ts";
import type { Conformance } from "../../ber/conformance.ts";
import type { ApplicationContextName } from "../../ber/names.ts";
import type { EllipticPublicKey } from "../../security/elliptic-key.ts";
import type { SystemTitle } from "../../security/system-title.ts";
import type { AssociationRule } from "./association-rule.ts";

/** Who asks: what a server's objects may know of the association that a request came through. */
export interface AssociationView {
  readonly rule: AssociationRule;
  readonly clientSap: number;
  readonly serverSap: number;
  readonly applicationContext: ApplicationContextName;
  readonly conformance: Conformance;
  /** The longest APDU that the client takes, in octets; 0 when it set no limit. */
  readonly maxSendPduSize: number;
  readonly maxReceivePduSize: number;
  readonly clientSystemTitle: SystemTitle | undefined;
  /** HLS 7: the key of the certificate that came with the AARQ. */
  readonly clientSigningKey?: EllipticPublicKey;
  /** Pending from the accepted AARQ to the end of the HLS exchange. */
  readonly pending: boolean;
}

/**
 * The COSEM objects of a logical device, as the association's server sees them. Access rights are theirs; protection of
 * APDUs, blocks and the HLS exchange are the server's. Refusals are results. What has to be kept of `Data` must be
 * copied: its octets are views.
 */
export interface ObjectServer {
  get(reference: AttributeReference, association: AssociationView, nowMs: number): DataResult;
  set(reference: AttributeReference, value: Data, association: AssociationView, nowMs: number): DataAccessResult;
  action(
    method: MethodDescriptor,
    parameters: Data | undefined,
    association: AssociationView,
    nowMs: number,
  ): ActionOutcome;
}
