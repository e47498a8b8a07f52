import { defineConfig } from "vitest/config";

/** `unit` needs nothing but Node and ends in seconds; `system` starts servers, sockets and databases. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: ["test/db/**", "test/e2e/**", "test/sim/**"],
        },
      },
      {
        test: {
          name: "system",
          globalSetup: ["test/db/global-server.ts"],
          include: ["test/db/**/*.test.ts", "test/e2e/**/*.test.ts", "test/sim/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
