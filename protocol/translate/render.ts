import { toHex } from "../bytes/hex.ts";
import type { TreeNode } from "./tree.ts";

const SHOWN_OCTETS = 8;
const INDENT = "  ";
const GAP = "  ";

/** A tree in the form of JSON: octets in hexadecimal, absent members left out. */
export interface TreeJson {
  readonly name: string;
  readonly offset: number;
  readonly length: number;
  readonly value?: string;
  readonly octets?: string;
  readonly error?: true;
  readonly children?: readonly TreeJson[];
}

export function treeJson(node: TreeNode): TreeJson {
  const { name, offset, length, value, octets, error, children } = node;
  return {
    name,
    offset,
    length,
    ...(value === undefined ? {} : { value }),
    ...(octets === undefined ? {} : { octets: toHex(octets) }),
    ...(error === undefined ? {} : { error }),
    ...(children === undefined ? {} : { children: children.map(treeJson) }),
  };
}

/** A line per node: its offset in decimal, its octets (the first eight), its name indented by depth, its value. */
export function treeLines(nodes: readonly TreeNode[]): string[] {
  const rows = nodes.flatMap((node) => rowsOf(node, 0));
  const widths = [0, 1, 2].map((column) => rows.reduce((widest, row) => Math.max(widest, row[column]?.length ?? 0), 0));
  return rows.map(([offset, octets, name, value]) => {
    const cells = [offset.padStart(widths[0] ?? 0), octets.padEnd(widths[1] ?? 0), name.padEnd(widths[2] ?? 0), value];
    return cells
      .filter((_, column) => widths[column] !== 0)
      .join(GAP)
      .trimEnd();
  });
}

type Row = readonly [offset: string, octets: string, name: string, value: string];

function rowsOf(node: TreeNode, depth: number): Row[] {
  const name = `${INDENT.repeat(depth)}${node.name}`;
  const row: Row = [`${node.offset}`, shortened(node.octets), name, node.value ?? ""];
  return [row, ...(node.children ?? []).flatMap((child) => rowsOf(child, depth + 1))];
}

function shortened(octets: Uint8Array | undefined): string {
  if (octets === undefined) return "";
  const shown = Array.from(octets.subarray(0, SHOWN_OCTETS), (octet) => octet.toString(16).padStart(2, "0")).join(" ");
  return octets.length > SHOWN_OCTETS ? `${shown} …` : shown;
}
