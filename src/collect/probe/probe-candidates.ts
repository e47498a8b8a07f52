/** What a probe tries on an unknown meter, in the order of trying: facts as tables, so that one more is one more line. */
import type { MeterQuirk } from "../../../protocol/quirks.ts";

/** What is set over the options that were given. */
export interface LinkCandidate {
  readonly says: string;
  readonly connection: {
    readonly link?: "wrapper" | "hdlc";
    readonly opening?: "hdlc" | "mode-e";
    readonly physicalAddress?: number;
    readonly addressLength?: 1 | 2 | 4;
  };
  readonly quirks?: readonly MeterQuirk[];
}

export const TCP_LINKS: readonly LinkCandidate[] = [
  { says: "wrapper", connection: { link: "wrapper" } },
  { says: "HDLC, address of one octet", connection: { link: "hdlc" } },
  { says: "HDLC, physical address 16", connection: { link: "hdlc", physicalAddress: 16 } },
  { says: "HDLC, physical address 17", connection: { link: "hdlc", physicalAddress: 17 } },
  {
    says: "HDLC, physical address 256, four octets",
    connection: { link: "hdlc", physicalAddress: 256, addressLength: 4 },
  },
  {
    says: "HDLC, whichever device is calling",
    connection: { link: "hdlc", physicalAddress: 0x3ffe, addressLength: 4 },
  },
  {
    says: "wrapper, the octets of its header reversed",
    connection: { link: "wrapper" },
    quirks: ["wrapper-header-reversed"],
  },
  {
    says: "wrapper, after a second of silence",
    connection: { link: "wrapper" },
    quirks: ["quiet-after-connect"],
  },
];

export const SERIAL_LINKS: readonly LinkCandidate[] = [
  { says: "HDLC, address of one octet", connection: { opening: "hdlc" } },
  { says: "HDLC, physical address 16", connection: { opening: "hdlc", physicalAddress: 16 } },
  { says: "HDLC, physical address 17", connection: { opening: "hdlc", physicalAddress: 17 } },
  {
    says: "HDLC, physical address 256, four octets",
    connection: { opening: "hdlc", physicalAddress: 256, addressLength: 4 },
  },
  { says: "HDLC after mode E", connection: { opening: "mode-e" } },
];

/** Quirks that a link may need before anything else can be asked. */
export const LINK_QUIRKS: readonly (readonly MeterQuirk[])[] = [[], ["frame-numbers-fixed"], ["small-frames"]];

/** Quirks that an association with keys may need before it opens; each costs an attempt, so there are few. */
export const ASSOCIATION_QUIRKS: readonly (readonly MeterQuirk[])[] = [["additional-data-empty"]];

/** Quirks of a meter that answers the public client and then is silent. */
export const LATE_QUIRKS: readonly (readonly MeterQuirk[])[] = [["slow-client-change"]];

/** Quirks of a meter that lets us in and does not understand what comes under the dedicated key. */
export const DEDICATED_QUIRKS: readonly (readonly MeterQuirk[])[] = [["dedicated-counter-goes-on"]];

/** What is let pass while a meter is explored, by the name under which it is told: the meter needs these. */
export const TOLD_QUIRKS: Readonly<Record<string, MeterQuirk>> = {
  "pass4-missing": "proof-missing",
  "plain-response": "plain-answers",
  "suite-nibble": "suite-nibble-wrong",
  "broadcast-bit": "broadcast-bit-set",
  "counter-replayed": "counter-goes-back",
};

export interface ClientCandidate {
  readonly clientSap: number;
  readonly says: string;
  readonly referencing?: "sn";
}

/** Clients that meters know by habit. None is asked for with a secret: a wrong one may lock the meter. */
export const CLIENTS: readonly ClientCandidate[] = [
  { clientSap: 16, says: "public client" },
  { clientSap: 1, says: "management client" },
  { clientSap: 32, says: "meter reader" },
  { clientSap: 48, says: "utility setting, configuration" },
  { clientSap: 103, says: "consumer information" },
  { clientSap: 16, says: "public client, short names", referencing: "sn" },
];

/** Profiles that grow with time, on one of which the ways of asking for rows are tried. */
export const TRIED_PROFILES = ["1.0.99.1.0.255", "1.0.99.2.0.255", "1.0.98.2.0.255", "0.0.98.1.0.255"] as const;

/** Who the meter is, in the order of asking. */
export const IDENTITY = [
  { key: "deviceName", classId: 1, logicalName: "0.0.42.0.0.255" },
  { key: "number", classId: 1, logicalName: "0.0.96.1.0.255" },
  { key: "maker", classId: 1, logicalName: "0.0.96.1.1.255" },
  { key: "firmware", classId: 1, logicalName: "1.0.0.2.0.255" },
  { key: "category", classId: 1, logicalName: "0.0.94.91.11.255" },
] as const;
