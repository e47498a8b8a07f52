/** Host and port of one end of a connection. */
export interface TcpAddress {
  readonly host: string;
  readonly port: number;
}

/** `host:port`, with brackets around an IPv6 address. */
export function hostPort(address: TcpAddress): string {
  return address.host.includes(":") ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

/** Reads `host:port` or `[IPv6]:port`, whose form has been checked. */
export function tcpAddress(text: string): TcpAddress {
  const colon = text.lastIndexOf(":");
  const host = text.startsWith("[") ? text.slice(1, colon - 1) : text.slice(0, colon);
  return { host, port: Number(text.slice(colon + 1)) };
}
