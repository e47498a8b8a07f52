import { stay, usePlace } from "./route.tsx";

/** How a list begins that goes as far back as anything is kept. */
export const LONG_AGO = "2000-01-01T00:00:00Z";

/** What the address says of a list: where its page begins, and other questions that are asked of it. */
export function usePageQuery(questions: readonly string[], always: Readonly<Record<string, string>>): URLSearchParams {
  const { searchParams } = usePlace();
  const query = new URLSearchParams(always);
  for (const name of [...questions, "after"]) {
    const value = searchParams.get(name) ?? "";
    if (value !== "") query.set(name, value);
  }
  return query;
}

/** To the next page of a list, and back to its first. */
export function Pager({ next }: { next: string | null }) {
  const first = !usePlace().searchParams.has("after");
  if (first && next === null) return null;
  return (
    <nav class="pager" aria-label="pages">
      <button type="button" disabled={first} onClick={() => stay({ after: undefined })}>
        first page
      </button>
      <button type="button" disabled={next === null} onClick={() => stay({ after: next ?? undefined })}>
        next page
      </button>
    </nav>
  );
}

/** One of a few answers to a question of the address, or all. */
export function Choice({ name, answers }: { name: string; answers: readonly string[] }) {
  const chosen = usePlace().searchParams.get(name) ?? "";
  return (
    <fieldset class="choice">
      <legend>Show</legend>
      {["", ...answers].map((each) => (
        <label key={each}>
          <input
            type="radio"
            name={name}
            checked={each === chosen}
            onChange={() => stay({ [name]: each, after: undefined })}
          />
          {each === "" ? "all" : each}
        </label>
      ))}
    </fieldset>
  );
}
