/** A number of things in words; the thing in the singular, as "reading plan". */
export function counted(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? "" : "s"}`;
}
