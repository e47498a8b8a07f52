import { toHex } from "../../protocol/bytes/hex.ts";
import { type HdlcAddress, writeHdlcAddress } from "../../protocol/link/hdlc/address.ts";
import { encodeControl, type HdlcControl } from "../../protocol/link/hdlc/control.ts";
import type { HdlcFrame } from "../../protocol/link/hdlc/frame.ts";
import { hasLlc, LLC_COMMAND } from "../../protocol/link/hdlc/llc.ts";
import { DEFAULT_PARAMETERS, decodeParameters } from "../../protocol/link/hdlc/parameters.ts";
import type { MbusFrame } from "../../protocol/link/mbus.ts";
import type { Facts } from "./case.ts";

const FLAGS = 2;

function normaliseAddress(address: HdlcAddress): Facts {
  const octets = new Uint8Array(address.size);
  writeHdlcAddress(address, octets, 0);
  return { raw: toHex(octets), bytes: address.size, upper: address.upper, lower: address.lower ?? null };
}

/** A frame, `octets` from flag to flag. */
export function normaliseFrame(frame: HdlcFrame, octets: Uint8Array): Facts {
  const { information, control } = frame;
  return {
    frameLength: octets.length - FLAGS,
    segmented: frame.segmented,
    dst: normaliseAddress(frame.destination),
    src: normaliseAddress(frame.source),
    control: normaliseControl(control),
    controlByte: toHex(Uint8Array.of(encodeControl(control))),
    infoLength: information.length,
    payloadHex: toHex(information),
    fcs: toHex(octets.subarray(-3, -1)),
    ...(hasLlc(information) ? { llc: information[1] === LLC_COMMAND[1] ? "command" : "response" } : {}),
    ...(information.length > 0 && (control.type === "SNRM" || control.type === "UA") ? parameters(information) : {}),
  };
}

function normaliseControl(control: HdlcControl): Facts {
  const { type, pollFinal } = control;
  const ns = control.type === "I" ? { ns: control.ns } : {};
  const nr = "nr" in control ? { nr: control.nr } : {};
  return { type, ...ns, ...nr, pf: pollFinal };
}

function parameters(information: Uint8Array): Facts {
  const { maxInfoTransmit, maxInfoReceive, windowTransmit, windowReceive } = {
    ...DEFAULT_PARAMETERS,
    ...decodeParameters(information),
  };
  return {
    parameters: {
      maxInfoTx: maxInfoTransmit,
      maxInfoRx: maxInfoReceive,
      windowTx: windowTransmit,
      windowRx: windowReceive,
    },
  };
}

/** L as a capture would show it: control, address, control information and what follows. */
export function normaliseMbusFrame({ control, address, controlInformation, payload }: MbusFrame): Facts {
  const counted = payload.length + 3;
  const [source, destination] = payload;
  return {
    L: counted & 0xff,
    n: counted,
    C: control,
    A: address,
    CI: controlInformation,
    STSAP: source,
    DTSAP: destination,
  };
}
