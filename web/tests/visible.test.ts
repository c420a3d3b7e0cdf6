import { expect, test } from "vitest";
import { terminal } from "../src/lib/terminal";
import { hiddenIn, nameOf, partsOf, visible } from "../src/lib/visible";
// As text: half a surrogate pair is no JSON to the build tools.
import source from "./support/hidden.json?raw";

const RLO = "\u202e";
const golden = JSON.parse(source) as { hidden: [number, number][]; texts: [string, string][] };

test("exactly the characters that the terminal marks are hidden here", () => {
  const found: number[][] = [];
  for (let code = 0; code <= 0x10ffff; code++) {
    if (partsOf(`a${String.fromCodePoint(code)}a`).length === 1) continue;
    const last = found.at(-1);
    if (last?.[1] === code - 1) last[1] = code;
    else found.push([code, code]);
  }
  expect(found).toEqual(golden.hidden);
});

test.each(golden.texts)("the text %j is marked as in the terminal", (text, marked) => {
  expect(visible(text)).toBe(marked);
});

test("a text is cut into what can be seen and what cannot", () => {
  expect(partsOf(`user${RLO} admin`)).toEqual(["user", 0x202e, " admin"]);
  expect(partsOf("")).toEqual([]);
  expect(nameOf(0xe0041)).toBe("U+E0041");
});

test("hidden characters are counted over several texts", () => {
  expect([...hiddenIn([`${RLO}a${RLO}`, "b", "\u200b"])]).toEqual([
    [0x202e, 2],
    [0x200b, 1],
  ]);
});

const ESC = "\u001b";
const texts = (text: string) => terminal(text).map((stretch) => stretch.text);

test("a link of the terminal is a link, and one that leads nowhere on the web is its text", () => {
  const link = (address: string) => `see ${ESC}]8;;${address}${ESC}\\the docs${ESC}]8;;${ESC}\\ now`;
  expect(terminal(link("https://example.org/a"))).toEqual([
    { text: "see ", href: undefined, over: 0 },
    { text: "the docs", href: "https://example.org/a", over: 0 },
    { text: " now", href: undefined, over: 0 },
  ]);
  expect(terminal(link("javascript:alert(1)"))[1]?.href).toBeUndefined();
  expect(texts(`${ESC}]8;id=1;https://example.org\u0007x${ESC}]8;;\u0007`)).toEqual(["x"]);
});

test("of a line that was written over, the last version is shown, and how many went before it", () => {
  expect(terminal("begin\nprogress 10%\rprogress 50%\rprogress 100%\nend")).toEqual([
    { text: "begin\n", href: undefined, over: 0 },
    { text: "progress 100%", href: undefined, over: 2 },
    { text: "\nend", href: undefined, over: 0 },
  ]);
  expect(texts("a\r\nb\r\n")).toEqual(["a\nb\n"]);
  expect(terminal("done\r")).toEqual([{ text: "done", href: undefined, over: 0 }]);
});

test("a colour goes on over a link and over a line's earlier version, up to its reset", () => {
  const [red, reset] = [`${ESC}[31m`, `${ESC}[0m`];
  expect(texts(`${red}a${ESC}]8;;https://example.org${ESC}\\b${ESC}]8;;${ESC}\\${reset}c`)).toEqual([
    `${red}a`,
    `${red}b`,
    `${red}${reset}c`,
  ]);
  expect(texts(`${red}10%\r20%${reset}`)).toEqual([`${red}20%${reset}`]);
});

test("moving the cursor and naming the window leave nothing behind", () => {
  expect(texts(`${ESC}[2K${ESC}[1Ga${ESC}]0;title\u0007b`)).toEqual(["ab"]);
});
