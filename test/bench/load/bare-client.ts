import { connect } from "node:net";
import type { Transcript } from "./transcript.ts";

/** The least that a client can do: sends what was recorded, counts what comes, understands nothing, checks nothing. */
export function bareSession(port: number, transcript: Transcript): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port, noDelay: true });
    let at = 0;
    let received = 0;
    const send = () => {
      const step = transcript[at];
      if (step === undefined) socket.end();
      else socket.write(step.request);
    };
    socket.once("connect", send);
    socket.on("data", (octets) => {
      received += octets.length;
      if (received < (transcript[at]?.answer.length ?? 0)) return;
      received = 0;
      at++;
      send();
    });
    socket.once("error", reject);
    socket.once("close", () => resolve());
  });
}
