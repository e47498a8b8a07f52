/** A worker that gives back whatever it is sent: stands for meters that answer at once. */
import { createServer } from "node:net";
import { parentPort } from "node:worker_threads";

const server = createServer((socket) => {
  socket.on("error", () => socket.destroy());
  socket.pipe(socket);
});
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  // oxlint-disable-next-line require-post-message-target-origin -- the port of a worker has no origin
  parentPort?.postMessage(typeof address === "object" ? address?.port : 0);
});
