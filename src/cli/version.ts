import packageJson from "../../package.json" with { type: "json" };

/** Version of the gateway, as its package says. */
export const VERSION = packageJson.version;
