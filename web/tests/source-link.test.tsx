import { renderToStaticMarkup } from "react-dom/server";
import { describe, expect, test } from "vitest";
import { SourceLink } from "../src/components/source-link";
import { webLink } from "../src/lib/link";

const NO_LINKS = [
  "",
  "javascript:alert(1)",
  " JavaScript:alert(1)",
  "java\nscript:alert(1)",
  "data:text/html,<script>alert(1)</script>",
  "vbscript:x",
  "file:///etc/passwd",
  "/relative",
  "//example.com",
  "https://",
];

describe("the link to where a task came from", () => {
  test.each(["https://github.com/octo/app/issues/7", "http://jira.internal:8080/browse/APP-1"])(
    "leads to %s",
    (url) => {
      expect(webLink(url)).toBe(url);
      expect(renderToStaticMarkup(<SourceLink name="octo/app#7" url={url} className="" />)).toContain(
        `href="${url}"`,
      );
    },
  );

  test.each(NO_LINKS)("%j is no link, and the name still stands there", (url) => {
    const page = renderToStaticMarkup(<SourceLink name="octo/app#7" url={url} className="" />);
    expect(page).toContain("octo/app#7");
    expect(page).not.toContain("href");
  });
});

test("no screen takes an address of a sender for a link by itself", () => {
  const screens = import.meta.glob("../src/screens/**/*.tsx", {
    query: "?raw",
    import: "default",
    eager: true,
  });
  const links = Object.values(screens).flatMap(
    (text) => String(text).match(/href=\{(?!`|outputPath\().*/g) ?? [],
  );
  expect(Object.keys(screens).length).toBeGreaterThan(5);
  expect(links).toEqual([]);
});
