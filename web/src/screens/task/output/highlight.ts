const NAME = "log-search";
const MOST_RANGES = 2_000;

let styled = false;

/** The CSS tools of our build do not know this pseudo-element yet, so its one rule is added here. */
function style(): void {
  if (styled) return;
  styled = true;
  const sheet = new CSSStyleSheet();
  sheet.insertRule(
    `::highlight(${NAME}) { background-color: color-mix(in srgb, var(--need-dot) 40%, transparent); }`,
  );
  document.adoptedStyleSheets.push(sheet);
}

/** Marks the matches in what is on the screen, without touching the document (CSS custom highlights). */
export function highlight(root: HTMLElement | null, pattern: RegExp | null): void {
  if (!("highlights" in CSS)) return;
  CSS.highlights.delete(NAME);
  if (!root || !pattern) return;
  style();
  const ranges: Range[] = [];
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node && ranges.length < MOST_RANGES; node = walker.nextNode()) {
    for (const match of (node.textContent ?? "").matchAll(pattern)) {
      if (match[0] === "") continue;
      const range = new Range();
      range.setStart(node, match.index);
      range.setEnd(node, match.index + match[0].length);
      ranges.push(range);
    }
  }
  if (ranges.length > 0) CSS.highlights.set(NAME, new Highlight(...ranges));
}
