import { defineConfig } from "vitest/config";

// Whether a page is one of a replay is decided once, when it is loaded.
const REPLAYED = "tests/replay.test.tsx";

export default defineConfig({
  test: {
    restoreMocks: true,
    unstubGlobals: true,
    // happy-dom does not know the element yet, and React says so in every file.
    onConsoleLog: (text) => !text.includes("The tag <search> is unrecognized"),
    // A machine that stands still for a moment decides no test.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    projects: [
      { extends: true, test: { name: "parts", include: ["tests/**/*.test.ts"], environment: "node" } },
      {
        extends: true,
        test: {
          name: "pages",
          include: ["tests/**/*.test.tsx"],
          exclude: [REPLAYED],
          environment: "happy-dom",
          setupFiles: ["tests/support/setup.ts"],
          // To load the whole dashboard anew for each file took twice as long as the tests.
          isolate: false,
        },
      },
      {
        extends: true,
        test: {
          name: "replay",
          include: [REPLAYED],
          environment: "happy-dom",
          setupFiles: ["tests/support/setup.ts"],
        },
      },
    ],
  },
});
