/**
 * Pushes of DSMR 4 meters, which have no APDU around them: 17 characters of equipment identifier, a comma, and either
 * the alarm register (4 octets) or the logical name of what triggered the push (6 octets).
 */
import type { Data } from "../../../protocol/axdr/data.ts";

const IDENTIFIER_LENGTH = 17;
const IDENTIFIER = /^[A-Z0-9]{17}$/;
const COMMA = 0x2c;
const ALARM_LENGTH = 4;
const TRIGGER_LENGTH = 6;
/** Push setup of alarms: with it the body is what SMR 5 meters push. */
const ALARM_SETUP = Uint8Array.of(0, 1, 25, 9, 0, 255);

/** Whether octets begin as such a push. */
export function beginsBarePush(octets: Uint8Array): boolean {
  const identifier = octets.subarray(0, IDENTIFIER_LENGTH);
  return octets[IDENTIFIER_LENGTH] === COMMA && IDENTIFIER.test(String.fromCharCode(...identifier));
}

/** The body of the data-notification that a newer meter would have sent, or undefined when the octets are no such push. */
export function bodyOfBarePush(octets: Uint8Array): Data | undefined {
  if (!beginsBarePush(octets)) return undefined;
  const rest = octets.subarray(IDENTIFIER_LENGTH + 1);
  const sender: Data = { type: "octet-string", value: octets.subarray(0, IDENTIFIER_LENGTH) };
  if (rest.length === TRIGGER_LENGTH) {
    return { type: "structure", value: [sender, { type: "octet-string", value: rest }] };
  }
  if (rest.length !== ALARM_LENGTH) return undefined;
  const value = new DataView(rest.buffer, rest.byteOffset, ALARM_LENGTH).getUint32(0);
  const setup: Data = { type: "octet-string", value: ALARM_SETUP };
  return { type: "structure", value: [sender, setup, { type: "double-long-unsigned", value }] };
}
