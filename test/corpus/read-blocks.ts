import { decodeApdu } from "../../protocol/apdu/apdu.ts";
import { type Data, decodeData } from "../../protocol/axdr/data.ts";
import { joinOctets } from "../../protocol/bytes/octets.ts";
import { Reader } from "../../protocol/bytes/reader.ts";
import { UTC } from "../../protocol/cosem/time-zone.ts";
import { DlmsError } from "../../protocol/errors.ts";
import { decodeProfileBuffer } from "../../protocol/profile/decode.ts";
import { profileLayout } from "../../protocol/profile/layout.ts";
import type { Facts } from "./case.ts";
import { hexList } from "./input.ts";
import { normaliseData } from "./normalise-data.ts";
import { normaliseDateTime } from "./normalise-services.ts";
import { type LayerReader, NotSupported } from "./reading.ts";

/** Answers in blocks, joined; a profile's buffer that breaks off gives its whole rows. */
export const apduBlocksReader: LayerReader = (each) => {
  const blocks = hexList(each, "apdus").map((apdu) => blockOf(apdu));
  const buffer = joinOctets(blocks.map(({ rawData }) => rawData));
  return {
    blocks: blocks.map(({ facts }) => facts),
    blockCount: blocks.length,
    totalBytes: buffer.length,
    ...profileFacts(buffer),
  };
};

function blockOf(octets: Uint8Array): { readonly rawData: Uint8Array; readonly facts: Facts } {
  const response = decodeApdu(octets);
  if (response.apdu !== "get-response" || response.body.type !== "with-datablock") {
    throw new NotSupported(`blocks of ${response.apdu}`);
  }
  const { invokeIdAndPriority: invoke, block } = response.body;
  const { lastBlock, blockNumber, result } = block;
  if (result.type !== "raw-data") throw new NotSupported("a block without data");
  return { rawData: result.rawData, facts: { blockNumber, lastBlock, invoke, rawLength: result.rawData.length } };
}

function profileFacts(buffer: Uint8Array): Facts {
  const reader = new Reader(buffer);
  if (reader.u8() !== 1) return {};
  const declaredRows = reader.length();
  const rows = wholeRows(reader);
  const [first] = rows;
  if (first?.type !== "structure") return { declaredRows, completeRows: 0 };
  const columns = first.value.length;
  const clocks = rows.map(clockOf);
  const layout = profileLayout({
    captureObjects: Array.from({ length: columns }, (_, index) =>
      index === 0
        ? { classId: 8, logicalName: "0.0.1.0.0.255", attributeId: 2, dataIndex: 0 }
        : { classId: 1, logicalName: `0.0.96.1.${index}.255`, attributeId: 2, dataIndex: 0 },
    ),
  });
  const decoded = decodeProfileBuffer(buffer, layout, {
    clock: { deviation: "standard", zone: UTC },
    keepWholeRows: true,
  });
  return {
    declaredRows,
    completeRows: decoded.rowCount,
    columnsPerRow: rows.map((row) => (row.type === "structure" ? row.value.length : 0)),
    firstRow: normaliseData(first),
    rows: rows.map(normaliseData),
    unconsumedBytes: reader.remaining,
    firstColumnClocks: clocks,
    clocks,
  };
}

/** The rows that are whole; the reader is left where the first broken one begins. */
function wholeRows(reader: Reader): Data[] {
  const rows: Data[] = [];
  while (reader.remaining > 0) {
    const start = reader.offset;
    try {
      rows.push(decodeData(reader));
    } catch (error) {
      if (!(error instanceof DlmsError)) throw error;
      reader.offset = start;
      break;
    }
  }
  return rows;
}

function clockOf(row: Data): Facts | undefined {
  const [stamp] = row.type === "structure" ? row.value : [];
  return stamp?.type === "octet-string" ? normaliseDateTime(stamp.value) : undefined;
}
