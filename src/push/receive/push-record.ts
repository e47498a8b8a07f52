/** What is kept of a push: its record with all values, and the rows that it brings for profile tables. */
import { createHash } from "node:crypto";
import { hostPort, type TcpAddress } from "../../../drivers/tcp/address.ts";
import { encodeApdu } from "../../../protocol/apdu/apdu.ts";
import { confirmationOf } from "../../../protocol/association/notifications.ts";
import { UTC } from "../../../protocol/cosem/time-zone.ts";
import { DlmsError } from "../../../protocol/errors.ts";
import type { ProtectionLayer } from "../../../protocol/security/apdu-protection.ts";
import { protectionName } from "../../../protocol/security/security-control.ts";
import type { ProfileBatch } from "../../profiles/batch.ts";
import type {
  MappedPush,
  mapEvent,
  mapPush,
  mapTelegram,
  PushContext,
  PushIdentity,
  pushIdentity,
} from "../../profiles/map-push.ts";
import type { pushRows } from "../../profiles/push-rows.ts";
import type { pushedEvents } from "../../profiles/pushed-events.ts";
import type { ReceivedPush } from "../../store/push/received-push.ts";
import { type Attribution, attribute, type Conflict, namesOf } from "../senders/attribution.ts";
import type { PushSender, SenderDirectory } from "../senders/sender-directory.ts";
import { pushKeyId } from "./push-counters.ts";
import { layoutFor } from "./push-layouts.ts";
import type { PushedMessage, ReadPush, RejectedPush } from "./push-reader.ts";

/** The functions of src/profiles that turn what a meter said into values and rows. */
export interface PushMapping {
  readonly mapPush: typeof mapPush;
  readonly mapEvent: typeof mapEvent;
  readonly mapTelegram: typeof mapTelegram;
  readonly pushIdentity: typeof pushIdentity;
  readonly pushedEvents: typeof pushedEvents;
  readonly pushRows: typeof pushRows;
}

/** Where a push came from; of a serial line `host` is the path of the port, and there is no port number. */
export interface PushOrigin extends TcpAddress {
  readonly transport: ReceivedPush["transport"];
}

/** The sender's address for people. */
export function peerName(origin: PushOrigin): string {
  return origin.transport === "serial" ? origin.host : hostPort(origin);
}

export interface PushRecord {
  readonly push: ReceivedPush;
  readonly batches: readonly ProfileBatch[];
  readonly sender: PushSender | undefined;
  /** Other meters that the push points to. */
  readonly conflicts?: readonly Conflict[];
}

export interface RecordOptions {
  readonly directory: SenderDirectory;
  readonly mapping: PushMapping;
  readonly receivedAt: Date;
}

export function recordOf(read: ReadPush, origin: PushOrigin, options: RecordOptions): PushRecord {
  const { mapped, attribution, context } = mapAndAttribute(read, origin, options);
  const { sender } = attribution;
  const weakness = weaknessOf(read, sender);
  if (weakness !== undefined) return { ...refused(read, attribution, { origin, options, weakness }), sender };
  doubtUnfitting(read, mapped, { directory: options.directory, sender, context });
  const { batches, setAside } = rowsOf(mapped, sender, { mapping: options.mapping, context });
  const values = mapped.values.map(({ captureObject, value, isNumber, unit }) => {
    return { captureObject, value, isNumber, unit };
  });
  const nameless = mapped.values.filter((value) => value.logicalName === undefined).length;
  const reasons = [
    ...(sender === undefined ? ["the sender is not known"] : []),
    ...(nameless > 0 ? [`${nameless} of ${values.length} values have no name`] : []),
    ...setAside,
  ];
  const push: ReceivedPush = {
    ...envelope(origin, options.receivedAt, read.octets),
    meterId: sender?.meterId,
    attributedBy: attribution.by,
    senderNames: namesOf(mapped.identity),
    systemTitle: read.systemTitle,
    repeatKey: mapped.time.stamp && repeatKeyOf(read, sender?.meterId ?? origin.host),
    counter: counterOf(read),
    pushSetup: mapped.identity.pushSetup,
    readAt: new Date(mapped.time.instantMs),
    protection: protectionOf(read.layers),
    verified: read.layers.length > 0 && read.layers.every((layer) => layer.verified),
    marks: [...read.marks, ...marksOf(read, attribution)],
    outcome: reasons.length === 0 ? "stored" : "partial",
    reason: reasons.length === 0 ? undefined : reasons.join("; "),
    values,
    seen: options.mapping.pushedEvents(mapped, context),
    rowCount: 1 + 2 * values.length,
  };
  return { push, batches, sender, conflicts: attribution.conflicts };
}

/** What came in the clear is held against what its sender owes; what was ciphered has been. */
function weaknessOf({ layers }: ReadPush, sender: PushSender | undefined): DlmsError | undefined {
  const required = sender?.least;
  if (required === undefined || layers.length > 0) return undefined;
  return new DlmsError("SECURITY_WEAKER_THAN_REQUIRED", "peer", { required, received: "none" });
}

/** Kept as the meter's with what was let pass, but nothing of it is believed. */
function refused(
  read: ReadPush,
  attribution: Attribution,
  { origin, options, weakness }: { origin: PushOrigin; options: RecordOptions; weakness: DlmsError },
): Pick<PushRecord, "push" | "batches"> {
  const { octets, systemTitle } = read;
  const rejected = { octets, systemTitle, claimed: attribution.sender, reason: weakness.message };
  const push = rejectionRecord(rejected, origin, options.receivedAt);
  return {
    push: { ...push, attributedBy: attribution.by, marks: [...read.marks, ...marksOf(read, attribution)] },
    batches: [],
  };
}

/** Of the layer that the meter's global key protects. */
function counterOf({ opened, layers }: ReadPush): ReceivedPush["counter"] {
  const key = opened?.sender.security?.blockCipherKey;
  const layer = layers.find(({ verified, keySet }) => verified && keySet === "global");
  if (key === undefined || layer === undefined) return undefined;
  const { systemTitle, invocationCounter } = layer;
  const isStrict = opened?.sender.security?.replay === "strict";
  return { keyId: pushKeyId(key), systemTitle, invocationCounter, isStrict };
}

/**
 * Ciphered anew for each repetition, a push is recognised by what it says. Not to be asked of one without a stamp: many
 * meters say that they want a confirmation, and send the same value again a few seconds later.
 */
function repeatKeyOf({ notification }: ReadPush, sender: string): Uint8Array | undefined {
  if (notification.apdu !== "data-notification" || confirmationOf(notification.body) === undefined) return undefined;
  return createHash("sha256").update(sender).update(encodeApdu(notification)).digest();
}

/** The record of what could not be read. */
export function rejectionRecord(
  rejected: Pick<RejectedPush, "systemTitle" | "claimed" | "octets"> & { readonly reason: string },
  origin: PushOrigin,
  receivedAt: Date,
): ReceivedPush {
  return {
    ...envelope(origin, receivedAt, rejected.octets),
    meterId: rejected.claimed?.meterId,
    attributedBy: rejected.claimed === undefined ? undefined : "system-title",
    senderNames: [],
    systemTitle: rejected.systemTitle,
    repeatKey: undefined,
    counter: undefined,
    pushSetup: undefined,
    readAt: undefined,
    protection: undefined,
    verified: undefined,
    marks: [],
    outcome: "rejected",
    reason: rejected.reason,
    values: [],
    seen: { events: [], words: [] },
    rowCount: 1,
  };
}

/** The same push without the values that the database refuses: its octets must not be lost with them. */
export function withoutValues(push: ReceivedPush, reason: string): ReceivedPush {
  return {
    ...push,
    readAt: undefined,
    values: [],
    seen: { events: [], words: [] },
    marks: [],
    outcome: "rejected",
    reason,
    rowCount: 1,
  };
}

/** The record of somebody who called in and is no meter of ours: there is no push, only who it is. */
export function callRecord(
  { systemTitle, names }: { readonly systemTitle?: Uint8Array | undefined; readonly names: readonly string[] },
  origin: PushOrigin,
  receivedAt: Date,
): ReceivedPush {
  const nothing = { systemTitle: undefined, claimed: undefined, octets: new Uint8Array(0) };
  const reason = "called in, and is no meter that we know";
  const record = rejectionRecord({ ...nothing, reason }, origin, receivedAt);
  return { ...record, systemTitle, senderNames: names, outcome: "partial" };
}

function envelope(origin: PushOrigin, receivedAt: Date, octets: Uint8Array) {
  return { receivedAt, peer: peerName(origin), transport: origin.transport, octets };
}

/** Whoever opened the push is its sender; else the payload is asked who it is from before it is mapped. */
function mapAndAttribute(
  read: ReadPush,
  { host }: PushOrigin,
  { directory, mapping, receivedAt }: RecordOptions,
): { mapped: MappedPush; context: PushContext; attribution: Attribution } {
  const { notification } = read;
  const byTitle = read.opened?.sender;
  if (byTitle !== undefined) {
    const context = contextOf(byTitle, receivedAt, notification);
    const mapped = mapNotification(notification, mapping, context);
    return { mapped, context, attribution: attribute({ byTitle, identity: mapped.identity, host }, directory) };
  }
  const identity = identityOf(notification, mapping, contextOf(undefined, receivedAt, notification));
  const attribution = attribute({ byTitle, identity, host }, directory);
  const context = contextOf(attribution.sender, receivedAt, notification);
  return { mapped: mapNotification(notification, mapping, context), context, attribution };
}

function identityOf(notification: PushedMessage, mapping: PushMapping, context: PushContext): PushIdentity {
  if (notification.apdu === "data-notification") return mapping.pushIdentity(notification.body, context);
  return mapNotification(notification, mapping, context).identity;
}

function contextOf(sender: PushSender | undefined, receivedAt: Date, notification: PushedMessage): PushContext {
  if (sender === undefined) return { companion: "none", clock: { deviation: "standard", zone: UTC }, receivedAt };
  const { companion, clock, layouts = [] } = sender;
  const known = layoutFor(layouts, receivedAt, widthOf(notification));
  return {
    companion,
    clock,
    receivedAt,
    ...(known && { scalers: known.scalers, pushLists: known.lists, profiles: known.profiles }),
  };
}

/** How many values there are. */
function widthOf(notification: PushedMessage): number | undefined {
  if (notification.apdu !== "data-notification") return undefined;
  const { body } = notification.body;
  return body.type === "structure" || body.type === "array" ? body.value.length : undefined;
}

/** Tells that a list is missing, or not that of this push. */
function doubtUnfitting({ notification }: ReadPush, { identity }: MappedPush, options: DoubtOptions): void {
  const { directory, sender, context } = options;
  const { pushSetup } = identity;
  const width = widthOf(notification);
  if (sender === undefined || pushSetup === undefined || width === undefined) return;
  if (context.pushLists?.get(pushSetup)?.length !== width) directory.doubt?.(sender.meterKey, pushSetup);
}

interface DoubtOptions {
  readonly directory: SenderDirectory;
  readonly sender: PushSender | undefined;
  readonly context: PushContext;
}

function mapNotification(notification: PushedMessage, mapping: PushMapping, context: PushContext): MappedPush {
  switch (notification.apdu) {
    case "data-notification": {
      const { dateTime, body } = notification.body;
      return mapping.mapPush({ dateTime, body }, context);
    }
    case "event-notification-request": {
      const { dateTime, attribute, value } = notification.body;
      return mapping.mapEvent({ dateTime, attribute, value }, context);
    }
    case "p1-telegram":
      return mapping.mapTelegram(notification.body, context);
    case "information-report-request":
      return mapping.mapPush({ body: { type: "structure", value: notification.body.values } }, context);
  }
}

function rowsOf(
  mapped: MappedPush,
  sender: PushSender | undefined,
  { mapping, context }: { readonly mapping: PushMapping; readonly context: PushContext },
): { batches: ProfileBatch[]; setAside: string[] } {
  if (sender === undefined) return { batches: [], setAside: [] };
  const profiles = mapping.pushRows(mapped, sender.meterKey, context);
  return {
    batches: profiles.map(({ batch }) => batch).filter((batch) => batch.rowCount > 0),
    setAside: profiles.flatMap(({ batch, setAside }) =>
      setAside.map(({ index, reason }) => {
        return `row ${index} of ${batch.profile}: ${typeof reason === "string" ? reason : reason.message}`;
      }),
    ),
  };
}

function protectionOf(layers: readonly ProtectionLayer[]): NonNullable<ReceivedPush["protection"]> {
  return protectionName({
    authenticated: layers.some(({ securityControl }) => securityControl.authenticated),
    encrypted: layers.some(({ securityControl }) => securityControl.encrypted),
  });
}

const SAYS: Readonly<Record<Conflict["by"], string>> = {
  "system-title": "the system title is that of",
  identity: "the payload names",
  address: "the address is that of",
  number: "the number is, with another maker's letters, that of",
};

function marksOf({ layers }: ReadPush, { by, conflicts, sender }: Attribution): string[] {
  return [
    ...(layers.some((layer) => !layer.verified && !layer.securityControl.authenticated) ? ["no-tag"] : []),
    ...(by === "address" ? ["sender-by-address"] : []),
    ...(layers.length === 0 && sender?.security !== undefined ? ["in-the-clear"] : []),
    ...(conflicts.length > 0 ? ["sender-conflict"] : []),
    ...conflicts.map((conflict) => `sender-conflict: ${SAYS[conflict.by]} ${conflict.sender.name}`),
  ];
}
