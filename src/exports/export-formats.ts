/** The formats in which readings are exported, by the name that people say. */
import type { ProfileColumn } from "../profiles/columns.ts";
import { csvExport } from "./csv-export.ts";
import { meterReadingsJson, meterReadingsXml } from "./meter-readings-export.ts";
import { parquetExport } from "./parquet-export.ts";
import type { ReadingViewName, RowPage } from "./reading-rows.ts";

interface ExportFormat {
  readonly mediaType: string;
  readonly suffix: string;
  readonly write: (
    pages: AsyncIterable<RowPage>,
    order: { readonly kind: ReadingViewName; readonly columns: readonly ProfileColumn[] },
  ) => AsyncIterable<string | Uint8Array>;
}

export const EXPORT_FORMATS = {
  csv: { mediaType: "text/csv; charset=utf-8", suffix: "csv", write: csvExport },
  parquet: { mediaType: "application/vnd.apache.parquet", suffix: "parquet", write: parquetExport },
  "cim-xml": { mediaType: "application/xml", suffix: "xml", write: meterReadingsXml },
  "cim-json": { mediaType: "application/json", suffix: "json", write: meterReadingsJson },
} as const satisfies Readonly<Record<string, ExportFormat>>;

export type ExportFormatName = keyof typeof EXPORT_FORMATS;
export const EXPORT_FORMAT_NAMES = ["csv", "parquet", "cim-xml", "cim-json"] as const satisfies ExportFormatName[];
