import type { Callers } from "../../../src/api/callers.ts";
import { type Api, httpApi } from "../../../src/api/http-api.ts";
import { LocalSocket } from "../../../src/api/local-socket.ts";

/** The API for some callers, without resources yet. */
export function apiFor(callers: Callers): Promise<Api> {
  return httpApi({
    version: "test",
    callers,
    local: new LocalSocket(),
    log: async () => undefined,
    requestsPerMinute: 100,
    tls: undefined,
    behindProxy: false,
    onFault: () => undefined,
  });
}
