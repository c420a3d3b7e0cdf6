import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const lock = JSON.parse(readFileSync(new URL("../package-lock.json", import.meta.url), "utf8")) as {
  packages: Record<string, { resolved?: string; integrity?: string; inBundle?: boolean }>;
};

test("the lock names no download address, and a checksum for every package", () => {
  for (const [name, { resolved, integrity, inBundle }] of Object.entries(lock.packages)) {
    expect(resolved, name).toBeUndefined();
    // What comes inside another package is covered by that one's checksum.
    if (name && !inBundle) expect(integrity, name).toMatch(/^sha512-/);
  }
});

test.each(["darwin-arm64", "linux-x64", "linux-arm64", "win32-x64"])("the lock serves %s", (platform) => {
  const names = Object.keys(lock.packages).join("\n");
  for (const tool of [
    "@rolldown/binding",
    "@biomejs/cli",
    "@tailwindcss/oxide",
    "lightningcss",
    "@typescript/typescript",
  ])
    expect(names).toContain(`${tool}-${platform}`);
});
