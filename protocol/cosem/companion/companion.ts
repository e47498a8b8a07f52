/** The companion specifications that objects, profiles, pushes and events are known by; `none` is a meter of unknown kind. */
export const COMPANIONS = ["is15959", "idis", "dsmr", "nordic", "spodes", "none"] as const;

export type Companion = (typeof COMPANIONS)[number];
