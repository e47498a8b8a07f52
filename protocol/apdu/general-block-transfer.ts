/** One block of a general block transfer (IEC 62056-5-3): a part of any APDU, in either direction. */
import { type Codec, type Decoded, octets, sequence, u16 } from "../axdr/codec.ts";
import { DlmsError } from "../errors.ts";

const LAST_BLOCK = 0x80;
const STREAMING = 0x40;
const WINDOW = 0x3f;

interface BlockControl {
  readonly lastBlock: boolean;
  /** More blocks follow before the peer's turn. */
  readonly streaming: boolean;
  /** 0..63: how many blocks the sender of this one takes without acknowledging. */
  readonly window: number;
}

const blockControl: Codec<BlockControl> = {
  decode(reader) {
    const octet = reader.u8();
    return {
      lastBlock: (octet & LAST_BLOCK) !== 0,
      streaming: (octet & STREAMING) !== 0,
      window: octet & WINDOW,
    };
  },
  encode(value, writer) {
    if (value.window !== (value.window & WINDOW)) {
      throw new DlmsError("DATA_OUT_OF_RANGE", "caller", { window: value.window });
    }
    writer.u8((value.lastBlock ? LAST_BLOCK : 0) | (value.streaming ? STREAMING : 0) | value.window);
  },
};

export const generalBlockTransfer = sequence({
  blockControl,
  blockNumber: u16,
  /** The highest block received without a gap. */
  blockNumberAck: u16,
  /** A view; empty when the block only acknowledges. */
  blockData: octets,
});
export type GeneralBlockTransfer = Decoded<typeof generalBlockTransfer>;
