/**
 * Foreign text without invisible characters: what could reorder a line, or hide from a reader, becomes a mark. Which
 * characters these are is the rule of shared/ops/visible.py; web/tests/support/hidden.json keeps both to it.
 */

const INVISIBLE =
  "\\0-\\x08\\x0b-\\x1f\\x7f-\\x9f" + // C0 without tab and line feed, DEL, C1
  "\\u00ad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u3164\\ufeff\\uffa0" + // soft hyphen, fillers, BOM …
  "\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f" + // zero width, line and paragraph separators, bidi controls
  "\\ufe00-\\ufe0f\\ufff0-\\ufffb" + // variation selectors, interlinear annotation
  "\\u{1bca0}-\\u{1bca3}\\u{1d173}-\\u{1d17a}\\u{e0000}-\\u{e0fff}" + // shorthand, music, tags
  "\\ud800-\\udfff"; // a surrogate alone

/** The scripts that join their letters: a joiner between two of their letters is spelling. */
const JOINING =
  "\\u0600-\\u08ff\\u0900-\\u0dff\\u1000-\\u109f\\u1780-\\u17b3\\u17b6-\\u17d3\\u1820-\\u1878\\ufb50-\\ufdff\\ufe70-\\ufefc";
const EMOJI = "\\u2190-\\u21ff\\u2300-\\u27bf\\u2900-\\u297f\\u2b00-\\u2bff\\u{1f000}-\\u{1faff}";
/** Signs that a variation selector makes a text or an emoji of. */
const TWO_FORMS = `#*0-9\\u00a9\\u00ae\\u203c\\u2049\\u2122\\u2139\\u3030\\u303d\\u3297\\u3299${EMOJI}`;

const HIDDEN = new RegExp(
  `(?<=[${JOINING}])[\\u200c\\u200d](?=[${JOINING}])` +
    `|(?<=[${EMOJI}\\ufe0f])\\u200d(?=[${EMOJI}])` +
    `|(?<=[${TWO_FORMS}])[\\ufe0e\\ufe0f]` +
    `|(?<hidden>[${INVISIBLE}])`,
  "gu",
);
/** Whether it is worth looking closer; most texts have nothing of it. */
const SUSPECT = new RegExp(`[${INVISIBLE}]`, "u");

/** Visible text, or one hidden character by its code point. */
export type Part = string | number;

/** The text in pieces, in order, with LF line ends; most texts are one piece. */
export function partsOf(text: string): Part[] {
  if (!SUSPECT.test(text)) return text ? [text] : [];
  const lines = text.replaceAll("\r\n", "\n");
  const parts: Part[] = [];
  let from = 0;
  for (const found of lines.matchAll(HIDDEN)) {
    const hidden = found.groups?.hidden;
    if (hidden === undefined) continue;
    if (found.index > from) parts.push(lines.slice(from, found.index));
    parts.push(hidden.codePointAt(0) ?? 0);
    from = found.index + hidden.length;
  }
  if (from < lines.length) parts.push(lines.slice(from));
  return parts;
}

/** What a hidden character is called: U+202E. */
export const nameOf = (code: number): string => `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;

function markOf(code: number): string {
  if (code < 0x20) return String.fromCodePoint(0x2400 + code);
  return code === 0x7f ? "\u2421" : `<${nameOf(code)}>`;
}

/** The text with a mark in plain characters for each hidden one: for a tooltip, a label, the document's title. */
export const visible = (text: string): string =>
  partsOf(text)
    .map((part) => (typeof part === "string" ? part : markOf(part)))
    .join("");

/** How often each hidden character occurs in the texts, by code point in the order of appearance. */
export function hiddenIn(texts: Iterable<string>): Map<number, number> {
  const found = new Map<number, number>();
  for (const text of texts)
    for (const part of partsOf(text))
      if (typeof part === "number") found.set(part, (found.get(part) ?? 0) + 1);
  return found;
}
