/** Frames as lines for people. */
import type { FrameLine } from "../api/answers/traces.ts";

export interface FrameTextOptions {
  /** When the session began; without it times count from there. */
  readonly startedAt?: Date;
  /** Columns of the terminal. */
  readonly width?: number | undefined;
  readonly octets?: boolean;
  /** Most lines of a frame's tree. */
  readonly mostLines: number;
}

/** A frame, or what is told as one. */
export interface ShownFrame extends Pick<FrameLine, "t" | "dir" | "from" | "to" | "says" | "octets" | "nodes"> {
  readonly link: string;
}

interface ShownNode {
  readonly name: string;
  readonly value?: string;
  readonly error?: true;
  readonly children?: readonly ShownNode[];
}

/** Fields of the link, which the first line tells. */
const LINK_FIELDS: ReadonlySet<string> = new Set([
  "version",
  "sourceWPort",
  "destinationWPort",
  "length",
  "format",
  "destination",
  "source",
  "control",
  "headerCheck",
  "frameCheck",
  "llc",
]);
/** Nodes that only hold others. */
const CONTAINERS: ReadonlySet<string> = new Set(["wrapper", "hdlc-frame", "information"]);
const JOINED = "joined ";
/** Numbers that only pair requests with answers. */
const QUIET: ReadonlySet<string> = new Set(["invokeIdAndPriority", "longInvokeIdAndPriority"]);
const INDENT = "  ";
const HANGING = 4;
const OCTETS_A_LINE = 16;
const DIGITS_A_LINE = 2 * OCTETS_A_LINE;
const TIME = { start: 11, end: 23 };

/** `05:11:47.009  17 ← 1  hdlc  get-response normal`, and what the frame holds below. */
export function frameLines(frame: ShownFrame, options: FrameTextOptions): string[] {
  const { from, to, dir, link, says } = frame;
  const [client, server] = dir === "tx" ? [from, to] : [to, from];
  const arrow = dir === "tx" ? "→" : "←";
  const ends = client === null ? arrow : `${client} ${arrow} ${server}`;
  const head = `${timeText(frame.t, options.startedAt)}  ${ends}  ${link}  ${says}`;
  const tree = frame.nodes.flatMap(apduLines);
  const left = tree.length - options.mostLines;
  const shown =
    left > 1 ? [...tree.slice(0, options.mostLines), `${INDENT}… ${left} more lines; --all shows them`] : tree;
  const octets = options.octets === true ? octetLines(frame.octets) : [];
  return [head, ...shown, ...octets].flatMap((line) => wrapped(line, options.width));
}

function timeText(tMs: number, startedAt: Date | undefined): string {
  if (startedAt === undefined) return `${(tMs / 1000).toFixed(3).padStart(9)} s`;
  return new Date(startedAt.getTime() + tMs).toISOString().slice(TIME.start, TIME.end);
}

/** An APDU is named by the first line of its frame; what it holds is shown below. */
function apduLines(node: ShownNode): string[] {
  const { name, error, children = [] } = node;
  if (error === true) return nodeLines(node, 1);
  if (LINK_FIELDS.has(name))
    return children.filter((each) => each.error === true).flatMap((each) => nodeLines(each, 1));
  if (CONTAINERS.has(name) || name.startsWith(JOINED)) return children.flatMap(apduLines);
  return children.flatMap((child) => nodeLines(child, 1));
}

function nodeLines(node: ShownNode, depth: number): string[] {
  const { name, value, error, children = [] } = node;
  if (value === "absent" || QUIET.has(name)) return [];
  if (name === "contents") return [`${INDENT.repeat(depth)}ciphered  ${protectionText(node)}`];
  const plain = name === "deciphered" ? children.find((each) => each.error !== true) : undefined;
  if (plain !== undefined) return (plain.children ?? []).flatMap((child) => nodeLines(child, depth));
  const isDescriptor = children.some((each) => each.name === "classId");
  if (isDescriptor) return [`${INDENT.repeat(depth)}${name}  ${children.map((each) => each.value).join(" ")}`];
  const label = error === true ? "!" : name;
  const own = `${INDENT.repeat(depth)}${label}${value === undefined ? "" : `  ${value}`}`;
  return [own, ...children.flatMap((child) => nodeLines(child, depth + 1))];
}

/** `suite 0, authenticated, encrypted, counter 1154` */
function protectionText({ children = [] }: ShownNode): string {
  const told = (name: string) => children.find((each) => each.name === name)?.value;
  const counter = told("invocationCounter");
  return [told("securityControl") ?? "", ...(counter === undefined ? [] : [`counter ${counter}`])].join(", ");
}

function octetLines(hex: string): string[] {
  const lines: string[] = [];
  for (let at = 0; at < hex.length; at += DIGITS_A_LINE) {
    const pairs = hex.slice(at, at + DIGITS_A_LINE).match(/../g) ?? [];
    lines.push(`${INDENT}${String(at / 2).padStart(5)}  ${pairs.join(" ")}`);
  }
  return lines;
}

/** In lines of the width; those after the first are indented further. */
export function wrapped(line: string, width: number | undefined): string[] {
  if (width === undefined || line.length <= width) return [line];
  const indent = " ".repeat(Math.min((/^ */.exec(line)?.[0].length ?? 0) + HANGING, width / 2));
  const lines: string[] = [];
  let rest = line;
  while (rest.length > width) {
    const space = rest.lastIndexOf(" ", width);
    const end = space > indent.length ? space : width;
    lines.push(rest.slice(0, end));
    rest = indent + rest.slice(end).trimStart();
  }
  return [...lines, rest];
}
