/** Colours of words for people, where they look at a terminal that has them. */
import { styleText } from "node:util";
import { FAILURE_CAUSES } from "../../collect/causes/failure-cause.ts";

const STYLES = { good: "green", warn: "yellow", bad: "red" } as const;

/** What says by one word how something stands. */
const WORDS = new Map<string, keyof typeof STYLES>([
  ["good", "good"],
  ["read", "good"],
  ["running", "good"],
  ["alive", "good"],
  ["stored", "good"],
  ["waiting", "warn"],
  ["warning", "warn"],
  ["partial", "warn"],
  ["bad", "bad"],
  ["failed", "bad"],
  ["rejected", "bad"],
  ["alarm", "bad"],
  ...Object.keys(FAILURE_CAUSES).map((cause): [string, "bad"] => [cause, "bad"]),
]);

/** The text in the colour of the word, if that has one. */
export function coloured(word: string, text = word): string {
  const kind = WORDS.get(word);
  return kind === undefined ? text : styleText(STYLES[kind], text, { validateStream: false });
}

/** Whether a stream is looked at by somebody who wants colours. */
export function showsColours(
  stream: { readonly isTTY?: boolean },
  { NO_COLOR: unwanted = "", TERM: terminal }: NodeJS.ProcessEnv,
): boolean {
  return stream.isTTY === true && unwanted === "" && terminal !== "dumb";
}
