import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";

const SCRIPT = fileURLToPath(new URL("../dev/check-layers.mjs", import.meta.url));

let src: string;
beforeEach(() => {
  src = mkdtempSync(join(tmpdir(), "layers-"));
});
afterEach(() => rmSync(src, { recursive: true }));

const write = (file: string, text: string) => {
  mkdirSync(dirname(join(src, file)), { recursive: true });
  writeFileSync(join(src, file), text);
};

const check = (...args: string[]) => {
  const { status, stderr } = spawnSync(process.execPath, [SCRIPT, ...args], { encoding: "utf8" });
  return { status, stderr };
};

test("no folder of the dashboard imports one above it", () => {
  expect(check()).toEqual({ status: 0, stderr: "" });
});

test("a folder may import itself and the ones below it", () => {
  write("api/client.ts", 'import { t } from "../i18n";\nimport type { Task } from "./types";\n');
  write("screens/task/plan.tsx", 'import { keys } from "../../api/keys";\nimport "./plan.css";\n');
  write("main.tsx", 'import { Plan } from "./screens/task/plan";\n');
  expect(check(src)).toEqual({ status: 0, stderr: "" });
});

test.each([
  ["a module", 'import { keys } from "../live/keys";\n'],
  ["a type over several lines", 'import type {\n  A,\n  B,\n} from "../live/keys";\n'],
  ["what it hands on", 'export * from "../live/keys";\n'],
  ["a module for its effects", 'import "../live/keys";\n'],
  ["a module when it is needed", 'const keys = () => import("../live/keys");\n'],
])("the check names a file that imports %s from above, and how to mend it", (_, text) => {
  write("api/queries.ts", text);
  const { status, stderr } = check(src);
  expect(status).toBe(1);
  expect(stderr).toContain("src/api/queries.ts imports live/keys, which is above it");
  expect(stderr).toContain("move what both need to the lower one");
});

test("nothing imports the root, where the page is put together", () => {
  write("screens/list.tsx", 'import { router } from "../router";\n');
  expect(check(src)).toMatchObject({ status: 1, stderr: expect.stringContaining("imports router") });
});

test("a new folder must get its place in the order", () => {
  write("util/text.ts", "export {};\n");
  expect(check(src)).toMatchObject({
    status: 1,
    stderr: expect.stringContaining("has no place in the order"),
  });
});
