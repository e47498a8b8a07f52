import { type Apdu, encodeApdu } from "../../apdu/apdu.ts";
import type { SERVICE_ERRORS } from "../../apdu/exception-response.ts";
import { DlmsError } from "../../errors.ts";
import type { AssociationView, ObjectServer } from "./object-server.ts";

/** What a service needs to answer one request. */
export interface ServiceContext {
  readonly view: AssociationView;
  readonly objects: ObjectServer;
  readonly nowMs: number;
  /** The longest plain APDU that the client takes once it is protected. */
  readonly maxLength: number;
  fits(response: Apdu): boolean;
}

/** Makes the context of one request. */
export function serviceContext(
  view: AssociationView,
  objects: ObjectServer,
  { maxLength, nowMs }: { readonly maxLength: number; readonly nowMs: number },
): ServiceContext {
  return { view, objects, nowMs, maxLength, fits: (response) => encodeApdu(response).length <= maxLength };
}

/** A request that is answered by an exception-response. */
export class ServiceRefusal extends Error {
  override readonly name = "ServiceRefusal";
  readonly serviceError: keyof typeof SERVICE_ERRORS;

  constructor(serviceError: keyof typeof SERVICE_ERRORS) {
    super(serviceError);
    this.serviceError = serviceError;
  }
}

/** Octets of the peer that an object can't make sense of become a result; everything else goes on upwards. */
export function guarded<T>(call: () => T, onFault: () => T): T {
  try {
    return call();
  } catch (error) {
    if (error instanceof DlmsError && error.fault === "peer") return onFault();
    throw error;
  }
}
