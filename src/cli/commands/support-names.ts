/** What says whose meter it is, to be kept out of a bundle. */
import { isIP } from "node:net";
import type { z } from "zod";
import { tcpAddress } from "../../../drivers/tcp/address.ts";
import type { meter } from "../../api/answers/meters.ts";

type Settings = Readonly<Record<string, string | number | boolean>>;
type NamedMeter = Pick<z.output<typeof meter>, "name" | "number" | "systemTitle">;

/** What the meter and its place are called, there and in what went wrong; shorter words stand everywhere. */
export function namesOf({ name, number, systemTitle }: NamedMeter, settings: Settings, evidence: string): string[] {
  const places = ["tcp", "udp", "serial", "caller", "line", "pool"].flatMap((field) => {
    const place = settings[`connection.${field}`];
    if (typeof place !== "string") return [];
    return /:\d+$/.test(place) ? [place, tcpAddress(place).host] : [place];
  });
  const known = Object.entries(settings).flatMap(([path, value]) =>
    /^attributes\.|SystemTitle$/.test(path) && typeof value === "string" ? [value] : [],
  );
  const all = [
    name,
    number,
    ...places,
    ...known,
    ...addressesIn(evidence),
    ...(systemTitle === null ? [] : [systemTitle]),
  ];
  return all.filter((each) => each.length > 2);
}

/** A meter that calls in may have another address each time: no setting has it. */
function addressesIn(text: string): string[] {
  const words = text.match(/[\da-f.:]*[\da-f]/gi) ?? [];
  return words.flatMap((word) => [word, word.replace(/:\d+$/, "")]).filter((word) => isIP(word) !== 0);
}
