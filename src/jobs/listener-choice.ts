import type { SharingGateway } from "./share-session.ts";

type Listener = Pick<SharingGateway, "id" | "listens" | "networks" | "ageMs" | "silenceMs">;

/**
 * Of the gateways that live and listen for pushes the one that answers for a meter: the one that works it, else the first
 * that reaches its network, else the first.
 */
export function listenerFor(
  gateways: readonly Listener[],
  { holder, network }: { readonly holder: string | undefined; readonly network: string },
): string | undefined {
  const listeners = listening(gateways).toSorted((a, b) => (a.id < b.id ? -1 : 1));
  if (listeners.some(({ id }) => id === holder)) return holder;
  return (listeners.find(({ networks }) => networks.includes(network)) ?? listeners[0])?.id;
}

/** Those that live and listen for pushes. */
export function listening<Gateway extends Listener>(gateways: readonly Gateway[]): Gateway[] {
  return gateways.filter(({ listens, ageMs, silenceMs }) => listens && ageMs < silenceMs);
}
