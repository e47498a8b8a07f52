/** What the quirks of a meter change in the settings of its sessions. */
import type { ClientSettings } from "../../../protocol/association/client/client-settings.ts";
import type { Conformance } from "../../../protocol/ber/conformance.ts";
import type { HdlcClientSettings } from "../../../protocol/link/hdlc/client-settings.ts";
import type { WrapperByteOrder } from "../../../protocol/link/wrapper.ts";
import type { MeterQuirk } from "../../../protocol/quirks.ts";
import type { ApduProtectionOptions } from "../../../protocol/security/apdu-protection.ts";

type Quirks = ReadonlySet<MeterQuirk>;

const SMALL_FRAME = 128;
/** Flags, format, addresses, control and check sequences. */
const FRAME_AROUND_INFORMATION = 20;
/** Time that some meters need between two clients, and after a connection. */
const CLIENT_CHANGE_MS = 20_000;
const QUIET_MS = 1000;

const SELECTIVE_ACCESS: Conformance = new Set(["selective-access"]);

export function quirkyClient(quirks: Quirks): Pick<ClientSettings, "tolerate" | "release" | "assumedConformance"> {
  const tolerate = [
    ...(quirks.has("proof-missing") ? (["pass4-missing"] as const) : []),
    ...(quirks.has("plain-answers") ? (["plain-response"] as const) : []),
  ];
  return {
    tolerate: tolerate.length > 0 ? tolerate : undefined,
    release: quirks.has("release-unanswered") ? "none" : undefined,
    assumedConformance: quirks.has("selective-access-unnegotiated") ? SELECTIVE_ACCESS : undefined,
  };
}

export function quirkyHdlc(quirks: Quirks): Pick<HdlcClientSettings, "sequenceNumbers" | "recovery" | "infoReserve"> {
  return {
    ...(quirks.has("frame-numbers-fixed") && { sequenceNumbers: "ignored" }),
    ...(quirks.has("rr-unanswered") && { recovery: "resend" }),
    ...(quirks.has("frame-size-counts-header") && { infoReserve: FRAME_AROUND_INFORMATION }),
  };
}

export function quirkyProtection(
  quirks: Quirks,
): Pick<ApduProtectionOptions, "tolerate" | "aadForm" | "replay" | "dedicatedCounter"> {
  const tolerate = [
    ...(quirks.has("suite-nibble-wrong") ? (["suite-nibble"] as const) : []),
    ...(quirks.has("broadcast-bit-set") ? (["broadcast-bit"] as const) : []),
  ];
  return {
    tolerate: tolerate.length > 0 ? tolerate : undefined,
    aadForm: quirks.has("additional-data-empty") ? "empty" : undefined,
    dedicatedCounter: quirks.has("dedicated-counter-goes-on") ? "global" : undefined,
    replay: quirks.has("counter-goes-back") ? "warn" : undefined,
  };
}

export function quirkyWrapper(quirks: Quirks): { byteOrder?: WrapperByteOrder } {
  return quirks.has("wrapper-header-reversed") ? { byteOrder: "reversed" } : {};
}

/** The largest information field to propose, at most so many octets. */
export function infoLengthFor(quirks: Quirks, most: number): number {
  return quirks.has("small-frames") ? Math.min(SMALL_FRAME, most) : most;
}

/** Frames that may be unacknowledged: without numbers, one. */
export function windowFor(quirks: Quirks, most: number): number {
  return quirks.has("frame-numbers-fixed") ? 1 : most;
}

export function listLimitFor(quirks: Quirks): number | undefined {
  return quirks.has("lists-refused") ? 1 : undefined;
}

export function clientChangeMs(quirks: Quirks): number | undefined {
  return quirks.has("slow-client-change") ? CLIENT_CHANGE_MS : undefined;
}

export function quietMs(quirks: Quirks): number {
  return quirks.has("quiet-after-connect") ? QUIET_MS : 0;
}
