/** A search over texts that need not be on the screen. */
export interface Query {
  text: string;
  regex: boolean;
}

export interface Match {
  /** Which text. */
  index: number;
  /** Which occurrence within it, from 0. */
  nth: number;
}

const MOST_MATCHES = 10_000;

/** The pattern to look for; null when there is nothing to look for or the expression is not one (yet). */
export function patternOf({ text, regex }: Query): RegExp | null {
  if (!text) return null;
  try {
    return new RegExp(regex ? text : text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), "giu");
  } catch {
    return null;
  }
}

/** Every occurrence in order, up to 10,000. */
export function findAll(texts: readonly string[], pattern: RegExp | null): Match[] {
  const matches: Match[] = [];
  if (!pattern) return matches;
  for (const [index, text] of texts.entries()) {
    let nth = 0;
    for (const match of text.matchAll(pattern)) {
      if (match[0] === "") continue;
      matches.push({ index, nth: nth++ });
      if (matches.length >= MOST_MATCHES) return matches;
    }
  }
  return matches;
}
