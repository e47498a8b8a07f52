import { hdlcAddress } from "../../protocol/link/hdlc/address.ts";
import { HdlcClient } from "../../protocol/link/hdlc/client.ts";
import type { Link } from "../../protocol/link/link.ts";
import { WrapperLink } from "../../protocol/link/wrapper-link.ts";
import type { AssociationConfig, ConnectionConfig } from "../config/schema.ts";

/** Proposed to every meter; each takes what it can, down to the standard's 128. */
const PROPOSED_INFO_LENGTH = 1024;

/** The client side of the link that a meter's connection says. Throws DATA_OUT_OF_RANGE for an address that can't be. */
export function sessionLink(
  connection: ConnectionConfig,
  { clientSap, serverSap }: Pick<AssociationConfig, "clientSap" | "serverSap">,
): Link {
  if (connection.link === "wrapper") return new WrapperLink({ role: "client", clientSap, serverSap });
  return new HdlcClient({
    clientSap,
    server: hdlcAddress(serverSap, connection.physicalAddress, connection.addressLength),
    parameters: { maxInfoTransmit: PROPOSED_INFO_LENGTH, maxInfoReceive: PROPOSED_INFO_LENGTH },
    responseTimeoutMs: connection.responseTimeout,
  });
}
