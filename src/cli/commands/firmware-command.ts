/** `meters firmware`: an image from a file goes into a meter that is reached by address. */
import { readFile } from "node:fs/promises";
import { systemClock } from "../../../drivers/clock.ts";
import { fromHex } from "../../../protocol/bytes/hex.ts";
import { ReadRefusedError } from "../../api/read-answer.ts";
import { updateFirmware } from "../../control/firmware-update.ts";
import type { ExitReason } from "../terminal/exit-code.ts";
import type { Output } from "../terminal/output.ts";
import { type DirectOptions, withDirectMeter } from "./direct-meter.ts";
import { exitOf, printResult } from "./order-command.ts";
import { printRefusal } from "./read-command.ts";

export interface FirmwareOptions extends DirectOptions {
  readonly identifier: string;
  readonly resume?: true;
  readonly json?: true;
}

const OCTETS = /^0x(?:[0-9a-f]{2})+$/i;
/** Lines of progress. */
const STEPS = 20;

export async function firmwareCommand(file: string, options: FirmwareOptions, output: Output): Promise<ExitReason> {
  const place = options.tcp ?? options.serial;
  if (place === undefined) {
    output.err("meters firmware: say --tcp host:port or --serial path");
    return "usage";
  }
  const { identifier: named, resume = false } = options;
  const identifier = OCTETS.test(named) ? fromHex(named.slice(2)) : new TextEncoder().encode(named);
  const octets = new Uint8Array(await readFile(file));
  const onProgress = (done: number, of: number) => {
    if (done === of || done % Math.ceil(of / STEPS) === 0) output.err(`${done} of ${of} blocks`);
  };
  try {
    const result = await withDirectMeter(place, options, output, ({ visit }) =>
      updateFirmware({ identifier, octets }, { visit, clock: systemClock, resume, onProgress }),
    );
    printResult(place, result, options, output);
    return exitOf(result);
  } catch (error) {
    if (!(error instanceof ReadRefusedError)) throw error;
    printRefusal(error, options, output);
    return "meterFailed";
  }
}
