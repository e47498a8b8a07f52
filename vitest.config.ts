import { defineConfig } from "vitest/config";
import { SkipReasons } from "./test/skip-reasons.ts";

/** The tests of the store again, against other editions of the database. */
const editions = ["timescale-apache", ...("DLMS_GATEWAY_TEST_TIMESCALE_URL" in process.env ? ["timescale-given"] : [])];

/** A loaded machine takes several times as long as others; what never comes is found all the same. */
const patience = { expect: { poll: { timeout: 20_000 } }, testTimeout: 60_000, hookTimeout: 60_000 };
/** Tests that start several daemons, one after the other. */
const longPatience = { ...patience, testTimeout: 180_000, hookTimeout: 180_000 };

/** `unit` needs nothing but Node and ends in seconds; `system` starts servers, sockets and databases. */
export default defineConfig({
  test: {
    reporters: ["default", new SkipReasons()],
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: ["test/db/**", "test/e2e/**", "test/sim/**"],
          ...patience,
        },
      },
      {
        test: {
          name: "system",
          globalSetup: ["test/db/global-server.ts"],
          include: ["test/db/**/*.test.ts", "test/e2e/**/*.test.ts", "test/sim/**/*.test.ts"],
          ...longPatience,
        },
      },
      ...editions.map((name) => ({
        test: {
          name,
          globalSetup: ["test/db/global-server.ts"],
          include: ["test/db/**/*.test.ts"],
          // These start servers of their own.
          exclude: ["test/db/embedded-postgres.test.ts", "test/db/replica.test.ts", "test/db/server-crash.test.ts"],
          ...longPatience,
        },
      })),
    ],
  },
});
