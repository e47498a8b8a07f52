import { ABSTRACT_CHANNEL_NAMES } from "./obis-names/abstract-channels.ts";
import { ABSTRACT_DEVICE_NAMES } from "./obis-names/abstract-device.ts";
import { ABSTRACT_GENERAL_NAMES } from "./obis-names/abstract-general.ts";
import { MEDIA_NAMES } from "./obis-names/media.ts";
import type { NamedObject } from "./obis-names/named-object.ts";

/**
 * Objects by logical name and class, named in our own words; measured quantities of electricity are not listed, see
 * obis-dictionary.ts. Several companion specifications are joined: a name that only one of them uses says so there.
 */
export const OBIS_NAMES: readonly NamedObject[] = [
  ...ABSTRACT_DEVICE_NAMES,
  ...ABSTRACT_GENERAL_NAMES,
  ...ABSTRACT_CHANNEL_NAMES,
  ...MEDIA_NAMES,
];
