import type { ByteChannel, ChannelSink } from "../../drivers/channel.ts";

/** A channel whose other end is the test: what is written is kept, what is said is delivered at once. */
export class TestChannel implements ByteChannel {
  readonly name = "test";
  readonly written: Uint8Array[] = [];
  closeCount = 0;
  sink: ChannelSink | undefined;

  start(sink: ChannelSink): void {
    this.sink = sink;
  }

  write(bytes: Uint8Array): void {
    this.written.push(bytes);
  }

  close(): void {
    this.closeCount++;
    if (this.closeCount === 1) queueMicrotask(() => this.sink?.closed());
  }

  say(bytes: Uint8Array): void {
    this.sink?.bytes(bytes);
  }
}
