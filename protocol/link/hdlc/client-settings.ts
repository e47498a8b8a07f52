import { DlmsError } from "../../errors.ts";
import { LIMITS } from "../../limits.ts";
import type { HdlcAddress } from "./address.ts";
import { DEFAULT_PARAMETERS, type HdlcParameters, MIN_INFO_LENGTH, requireParameters } from "./parameters.ts";
import type { HdlcStationSettings } from "./station.ts";

export interface HdlcClientSettings extends HdlcStationSettings {
  readonly clientSap: number;
  /** `hdlcAddress(1)`, or with the physical device and the size that the meter wants. */
  readonly server: HdlcAddress;
  /** What SNRM proposes; what is left out has the standard's default of 128 octets and windows of 1. */
  readonly parameters?: Partial<HdlcParameters>;
  /** DISC before SNRM, for meters that keep an old link of another client or of a broken session. */
  readonly discFirst?: boolean;
  /** SNRM without an information field, for meters that don't understand one; the defaults then hold. */
  readonly bareSnrm?: boolean;
  /** Octets by which our segments stay below the negotiated length: 12 for meters that count the whole frame. */
  readonly infoReserve?: number;
  /** From our last octet to the peer's first one; 3–10 s on a local line, 15–60 s over mobile networks. */
  readonly responseTimeoutMs?: number;
  readonly maxRetries?: number;
  /**
   * After a silence, ask by RR what has arrived before anything is sent again (`poll`), or send the same frame at once
   * (`resend`) for meters that don't answer RR. Both keep the sequence number, so nothing is executed twice.
   */
  readonly recovery?: "poll" | "resend";
  /** `ignored` for meters that number every frame 0; needs windows of 1, and duplicates can't be told apart. */
  readonly sequenceNumbers?: "checked" | "ignored";
  /** Pause before a server that is busy or has no answer yet is asked again. */
  readonly pollIntervalMs?: number;
  /** How long a server that acknowledged a request is asked for its answer. */
  readonly answerTimeoutMs?: number;
  /** Silence after which an idle link is kept open by RR; off when left out. */
  readonly keepAliveMs?: number;
  /** Octets of one received APDU. */
  readonly maxApduLength?: number;
}

/** The settings with their defaults. Throws DATA_OUT_OF_RANGE for what HDLC can't do. */
export function completeSettings(settings: HdlcClientSettings) {
  const parameters = requireParameters({ ...DEFAULT_PARAMETERS, ...settings.parameters });
  const complete = {
    ...settings,
    parameters,
    infoReserve: settings.infoReserve ?? 0,
    responseTimeoutMs: settings.responseTimeoutMs ?? 5000,
    maxRetries: settings.maxRetries ?? 3,
    recovery: settings.recovery ?? "poll",
    sequenceNumbers: settings.sequenceNumbers ?? "checked",
    pollIntervalMs: settings.pollIntervalMs ?? 250,
    answerTimeoutMs: settings.answerTimeoutMs ?? 60_000,
    maxApduLength: settings.maxApduLength ?? LIMITS.apduLength,
  };
  const windows = Math.max(parameters.windowTransmit, parameters.windowReceive);
  if (complete.sequenceNumbers === "ignored" && windows > 1) {
    throw new DlmsError("DATA_OUT_OF_RANGE", "caller", { sequenceNumbers: "ignored", window: windows });
  }
  if (complete.infoReserve < 0 || complete.infoReserve >= MIN_INFO_LENGTH) {
    throw new DlmsError("DATA_OUT_OF_RANGE", "caller", { infoReserve: complete.infoReserve });
  }
  return complete;
}

export type CompleteSettings = ReturnType<typeof completeSettings>;
