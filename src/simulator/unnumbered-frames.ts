import { type HdlcControl, sequenceAfter } from "../../protocol/link/hdlc/control.ts";
import { decodeHdlcFrame, encodeHdlcFrame, FLAG } from "../../protocol/link/hdlc/frame.ts";

/**
 * A meter that has no sequence numbers: it sends 0 and acknowledges 1 in every frame, whatever the client's frames say.
 * Behind it is a server that counts as it should, so the frames of both sides are numbered anew on their way.
 */
export class UnnumberedFrames {
  #taken = 0;
  #given = 0;

  /** Whole frames of the client, as the server wants them. */
  received(octets: Uint8Array): Uint8Array {
    return renumbered(octets, (control) => {
      if (control.type === "SNRM") {
        this.#taken = 0;
        this.#given = 0;
      }
      if (!("nr" in control)) return control;
      if (control.type !== "I") return { ...control, nr: this.#given };
      const ns = this.#taken;
      this.#taken = sequenceAfter(ns);
      return { ...control, ns, nr: this.#given };
    });
  }

  /** Frames of the server, as the meter sends them. */
  sent(octets: Uint8Array): Uint8Array {
    return renumbered(octets, (control) => {
      if (control.type !== "I") return control;
      this.#given = sequenceAfter(control.ns);
      return { ...control, ns: 0, nr: 1 };
    });
  }
}

/** What is no whole frame stays as it is. */
function renumbered(octets: Uint8Array, change: (control: HdlcControl) => HdlcControl): Uint8Array {
  const decoded = octets[0] === FLAG ? decodeHdlcFrame(octets) : undefined;
  if (decoded === undefined) return octets;
  const { frame, closingFlag } = decoded;
  const rest = renumbered(octets.subarray(closingFlag + 1), change);
  return Uint8Array.of(...encodeHdlcFrame({ ...frame, control: change(frame.control) }), ...rest);
}
