import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["tests/**/*.test.{ts,tsx}"],
    environment: "node",
    restoreMocks: true,
    // A machine that stands still for a moment decides no test.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
