import { ChannelError } from "../../../drivers/channel-error.ts";
import type { MeterReadout } from "../../../protocol/link/iec62056-21/readout-reading.ts";
import { causeOf } from "../../collect/causes/failure-cause.ts";
import { SessionFailedError } from "../../collect/causes/session-failure.ts";
import { readMeterOut } from "../../collect/read/meter-readout.ts";
import { SerialLines } from "../../collect/session/serial-lines.ts";
import type { ExitReason } from "../terminal/exit-code.ts";
import { type ListingOptions, printList, titled } from "../terminal/listing.ts";
import type { Output } from "../terminal/output.ts";

export interface ReadoutVerbOptions extends ListingOptions {
  readonly serial: string;
  readonly deviceAddress?: string;
  readonly speed?: string;
  readonly listen?: true;
  readonly echo?: true;
}

export async function readoutCommand(options: ReadoutVerbOptions, output: Output): Promise<ExitReason> {
  const { serial, deviceAddress, speed, listen, echo } = options;
  const baud = speed === undefined ? undefined : Number(speed);
  if (baud !== undefined && !Number.isInteger(baud)) {
    output.err("readout: --speed is a number of baud");
    return "usage";
  }
  await using lines = new SerialLines();
  try {
    const readout = await readMeterOut({
      path: serial,
      lines,
      reading: {
        opening: listen ? "listen" : "signOn",
        ...(deviceAddress !== undefined && { deviceAddress }),
        ...(baud !== undefined && (listen ? { listenBaud: baud } : { maxBaud: baud })),
        ...(echo && { echo }),
      },
    });
    print(readout, options, output);
    return "success";
  } catch (error) {
    if (!(error instanceof SessionFailedError || error instanceof ChannelError)) throw error;
    const { says, evidence, nextStep } = causeOf(error);
    output.err(`readout: ${says}`);
    output.err(`  seen  ${evidence}`);
    output.err(`  next  ${nextStep}`);
    return "meterFailed";
  }
}

function print(readout: MeterReadout, options: ListingOptions, output: Output): void {
  const { identification, checked, dataSets, unreadable } = readout;
  const isForPeople = options.json !== true && options.csv !== true;
  if (isForPeople && identification !== undefined) {
    output.out(`${identification.manufacturer} ${identification.identification}`);
  }
  printList(output, options, {
    columns: titled("address", "values"),
    rows: dataSets.map(({ address, values }) => [address, values.join(" ")]),
    objects: { identification, checked, dataSets, unreadable },
  });
  for (const line of unreadable) output.err(`can't be read: ${line}`);
}
