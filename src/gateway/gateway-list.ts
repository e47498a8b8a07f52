/** The gateways that share the meters, as people see them. */
import { ApiError } from "../api/api-error.ts";
import type { SharingGateways } from "../api/resources/gateway-resources.ts";
import type { FleetShare } from "../jobs/fleet-share.ts";

export function gatewayList(share: FleetShare): Pick<SharingGateways, "gateways" | "dismiss"> {
  return {
    gateways: () => {
      const counts = share.blockCounts();
      return share
        .gateways()
        .map(({ id, networks, ...gateway }) =>
          Object.assign(gateway, { networks: [...networks], isMe: id === share.id, blocks: counts.get(id) ?? 0 }),
        );
    },
    dismiss: async (name) => {
      const meant = share.gateways().filter((each) => each.name === name || each.id === name);
      if (meant.length === 0) {
        throw new ApiError("not-found", `no gateway of the name ${name} is there or has vanished`);
      }
      // A new state directory makes a new gateway of the same name.
      const dead = meant.filter((each) => each.ageMs >= each.silenceMs);
      if (dead.length === 0) throw new ApiError("conflict", `${name} is alive: stop it instead`);
      for (const { id } of dead) await share.dismiss(id);
      return name;
    },
  };
}
