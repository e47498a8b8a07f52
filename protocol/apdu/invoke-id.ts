/** Invoke-Id-And-Priority and its long form: which request an answer belongs to, and how it wants to be treated. */

export interface InvokeIdAndPriority {
  /** 0..15. */
  readonly invokeId: number;
  readonly confirmed: boolean;
  readonly highPriority: boolean;
}

export function invokeIdAndPriority(octet: number): InvokeIdAndPriority {
  return { invokeId: octet & 0x0f, confirmed: (octet & 0x40) !== 0, highPriority: (octet & 0x80) !== 0 };
}

export function invokeIdAndPriorityOctet(fields: InvokeIdAndPriority): number {
  return (fields.invokeId & 0x0f) | (fields.confirmed ? 0x40 : 0) | (fields.highPriority ? 0x80 : 0);
}

export interface LongInvokeIdAndPriority {
  /** 0..16777215. */
  readonly longInvokeId: number;
  readonly selfDescriptive: boolean;
  readonly breakOnError: boolean;
  readonly confirmed: boolean;
  readonly highPriority: boolean;
}

export function longInvokeIdAndPriority(field: number): LongInvokeIdAndPriority {
  return {
    longInvokeId: field & 0xff_ffff,
    selfDescriptive: (field & 0x1000_0000) !== 0,
    breakOnError: (field & 0x2000_0000) !== 0,
    confirmed: (field & 0x4000_0000) !== 0,
    highPriority: (field & 0x8000_0000) !== 0,
  };
}

export function longInvokeIdAndPriorityField(fields: LongInvokeIdAndPriority): number {
  const flags =
    (fields.selfDescriptive ? 0x1000_0000 : 0) |
    (fields.breakOnError ? 0x2000_0000 : 0) |
    (fields.confirmed ? 0x4000_0000 : 0) |
    (fields.highPriority ? 0x8000_0000 : 0);
  return (flags | (fields.longInvokeId & 0xff_ffff)) >>> 0;
}
