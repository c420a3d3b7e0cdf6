// Checks that no folder of src imports one above it: `node dev/check-layers.mjs [src]`. Part of `npm run check`.
import { readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { fileURLToPath } from "node:url";

/** From the bottom to the top: a folder may import itself and what stands before it. */
const LAYERS = ["i18n", "api", "live", "lib", "transcript", "components", "screens", "."];

// `import … from "x"`, `export … from "x"`, `import "x"` and `import("x")`; only relative paths lead into src.
const IMPORT = /\b(?:from|import)\s*\(?\s*["'](\.[^"']*)["']/g;

/** The folder of src that a file is in, or that a folder's index stands for; "." for the files of the root. */
const folderOf = (path) => {
  const [first] = path.split("/");
  return path.includes("/") || LAYERS.includes(first) ? first : ".";
};

/** The sentences about one file: what it imports from above, or that its folder has no place in the order. */
function problemsOf(file, text) {
  const own = LAYERS.indexOf(folderOf(file));
  if (own < 0)
    return [`src/${file}: ${folderOf(file)}/ has no place in the order (${LAYERS.join(", ")}): add it`];
  return [...text.matchAll(IMPORT)]
    .map(([, path]) => posix.join(posix.dirname(file), path))
    .filter((target) => LAYERS.indexOf(folderOf(target)) > own)
    .map(
      (target) =>
        `src/${file} imports ${target}, which is above it (${LAYERS.join(" < ")}): move what both need to the lower one`,
    );
}

const src = process.argv[2] ?? fileURLToPath(new URL("../src", import.meta.url));
const problems = readdirSync(src, { recursive: true })
  .map((file) => file.replaceAll("\\", "/"))
  .filter((file) => /\.tsx?$/.test(file))
  .sort()
  .flatMap((file) => problemsOf(file, readFileSync(posix.join(src, file), "utf8")));
for (const problem of problems) console.error(problem);
process.exitCode = problems.length > 0 ? 1 : 0;
