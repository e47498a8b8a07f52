/**
 * Models whose meters are known to need quirks, by maker and model; a configuration adds its own and wins over these.
 * Firmware mends and breaks such things: `read --probe` says what a meter at hand really needs.
 */
import type { MeterQuirk } from "./quirks.ts";

export interface QuirkModel {
  readonly name: string;
  readonly maker: string;
  /** What is known of these meters, in a sentence. */
  readonly says: string;
  readonly quirks: readonly MeterQuirk[];
}

export const QUIRK_MODELS: readonly QuirkModel[] = [
  {
    name: "hexing-hxe130",
    maker: "Hexing",
    says: "numbers all its HDLC frames 0",
    quirks: ["frame-numbers-fixed"],
  },
  {
    name: "kamstrup-omnia",
    maker: "Kamstrup",
    says: "stamps standard time all year, without a deviation",
    quirks: ["standard-time-all-year"],
  },
  {
    name: "kaifa-nl",
    maker: "Kaifa",
    says: "searches ranges of time in local time",
    quirks: ["range-without-deviation"],
  },
  {
    name: "sanxing",
    maker: "Sanxing",
    says: "gives rows by range although it does not negotiate selective access",
    quirks: ["selective-access-unnegotiated"],
  },
];
