/**
 * A name with `*` for any letters. Part after part is sought from the left, so that no pattern takes longer than its
 * length times the name's: a regular expression of many `.*` tries every way to share the letters out.
 */
export function namePattern(text: string): (name: string) => boolean {
  const [first = "", ...parts] = text.split("*");
  const last = parts.pop();
  if (last === undefined) return (name) => name === first;
  return (name) => {
    const end = name.length - last.length;
    if (end < first.length || !name.startsWith(first) || !name.endsWith(last)) return false;
    let at = first.length;
    for (const part of parts) {
      const found = name.indexOf(part, at);
      if (found < 0 || found + part.length > end) return false;
      at = found + part.length;
    }
    return true;
  };
}
