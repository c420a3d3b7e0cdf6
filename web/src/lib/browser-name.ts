/** Edge and Opera call themselves Chrome as well, and Chrome calls itself Safari: the first that fits is it. */
const BROWSERS: readonly [RegExp, string][] = [
  [/\bEdgA?\//, "Edge"],
  [/\bOPR\//, "Opera"],
  [/\bFirefox\/|\bFxiOS\//, "Firefox"],
  [/Chrom(?:e|ium)\/|\bCriOS\//, "Chrome"],
  [/\bSafari\//, "Safari"],
];
const SYSTEMS: readonly [RegExp, string][] = [
  [/\bAndroid\b/, "Android"],
  [/\biPhone\b|\biPad\b/, "iOS"],
  [/\bWindows\b/, "Windows"],
  [/\bMac OS X\b/, "macOS"],
  [/\bLinux\b|\bX11\b/, "Linux"],
];

const first = (agent: string, names: typeof BROWSERS): string =>
  names.find(([pattern]) => pattern.test(agent))?.[1] ?? "";

/** "Firefox, Linux" of a User-Agent; what is no browser that we know is called as it calls itself. */
export function browserName(agent: string): string {
  const browser = first(agent, BROWSERS);
  if (!browser) return agent.slice(0, 60);
  return [browser, first(agent, SYSTEMS)].filter(Boolean).join(", ");
}
