import { DlmsError } from "../../protocol/errors.ts";
import { MbusParser, type MbusUnit } from "../../protocol/link/mbus.ts";
import { MbusAssembler } from "../../protocol/link/mbus-assembler.ts";
import { carriedApdu } from "./carried.ts";
import { isFacts } from "./case.ts";
import { hexInput } from "./input.ts";
import { normaliseMbusFrame } from "./normalise-link.ts";
import type { LayerReader } from "./reading.ts";
import { statedFacts } from "./stated.ts";

const TIMEOUT_MS = 5000;

/** Frames of wired M-Bus and the APDU that they carry together. */
export const mbusReader: LayerReader = (each, leniency) => {
  const parser = new MbusParser();
  const assembler = new MbusAssembler(TIMEOUT_MS, { sourceSap: 1, destinationSap: 103 });
  const frames: Extract<MbusUnit, { type: "frame" }>[] = [];
  parser.receive(hexInput(each));
  for (let unit = parser.takeUnit(); unit !== undefined; unit = parser.takeUnit()) {
    if (unit.type === "discarded") throw unit.error;
    frames.push(unit);
    assembler.receive(unit, 0);
  }
  if (parser.pending || frames.length === 0) throw new DlmsError("FRAME_INCOMPLETE", "peer");
  const assembled = assembler.takeUnit();
  if (assembled?.type === "discarded") throw assembled.error;
  const mbus = frames.map(({ frame }) => normaliseMbusFrame(frame));
  const [first] = frames;
  const facts = {
    mbusFrames: mbus,
    mbus,
    controlField: first?.frame.control,
    addressField: first?.frame.address,
    ci: first?.frame.controlInformation,
  };
  if (assembled === undefined) return facts;
  const carried = carriedApdu(each, assembled.apdu, leniency);
  const header = isFacts(carried["header"]) ? carried["header"] : {};
  return { ...statedFacts(each.stated, header), ...facts, ...carried };
};
