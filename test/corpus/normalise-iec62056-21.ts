/** Messages of IEC 62056-21 and P1 telegrams in the corpus' JSON form. */
import type { P1Telegram } from "../../protocol/link/iec62056-21/p1.ts";
import type { Identification } from "../../protocol/link/iec62056-21/sign-on.ts";
import type { Facts } from "./case.ts";

export function normaliseIdentification(found: Identification): Facts {
  const { manufacturer, baudCharacter, baud, escape, identification, mode } = found;
  return { manufacturer, baudChar: baudCharacter, baud, escape, identification, modeE: mode === "E" };
}

/** The telegram with its objects by address; of an object that comes twice, the later values, as in the corpus. */
export function normaliseTelegram(telegram: P1Telegram, computed: number): Facts {
  const { crc, identification, dataSets } = telegram;
  return {
    identification,
    crcComputed: checkText(computed),
    crcPresent: crc === undefined ? null : checkText(crc),
    crcValid: crc === undefined ? null : crc === computed,
    objects: Object.fromEntries(dataSets.map(({ address, values }) => [address, values])),
    dataLines: dataSets.length,
  };
}

function checkText(crc: number): string {
  return crc.toString(16).toUpperCase().padStart(4, "0");
}
