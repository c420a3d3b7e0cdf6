import { t } from "../i18n";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Micro-dollars as dollars: two digits from a cent upwards, enough digits below it, "≈" where the price was guessed. */
export function money(microusd: number, exact = true): string {
  const sign = exact ? "" : "≈\u2009";
  const dollars = microusd / 1_000_000;
  if (microusd === 0) return `${sign}$0.00`;
  if (microusd > 0 && microusd < 100) return `${sign}<$0.0001`;
  if (Math.abs(dollars) < 0.01) return `${sign}$${dollars.toFixed(4)}`;
  return sign + new Intl.NumberFormat("en", { style: "currency", currency: "USD" }).format(dollars);
}

export const count = (n: number): string => new Intl.NumberFormat("en").format(n);

/** Token counts: 950, 12.3k, 4.1M. */
export function compact(n: number): string {
  return new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 })
    .format(n)
    .replace("K", "k");
}

/** A stretch of time in its two largest units: 840 ms, 3.2 s, 4m 05s, 2h 10m, 3d 4h. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 10_000) return `${(Math.floor(ms / 100) / 10).toFixed(1)} s`;
  if (ms < MINUTE) return `${Math.floor(ms / 1_000)} s`;
  const two = (n: number) => String(n).padStart(2, "0");
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)}m ${two(Math.floor((ms % MINUTE) / 1_000))}s`;
  if (ms < DAY) return `${Math.floor(ms / HOUR)}h ${two(Math.floor((ms % HOUR) / MINUTE))}m`;
  return `${Math.floor(ms / DAY)}d ${Math.floor((ms % DAY) / HOUR)}h`;
}

/** "just now", "4m ago", "3h ago", "2d ago", then the date. */
export function ago(at: number, now: number): string {
  const age = now - at;
  if (age < 45_000) return "just now";
  if (age < HOUR) return `${Math.max(1, Math.round(age / MINUTE))}m ago`;
  if (age < DAY) return `${Math.round(age / HOUR)}h ago`;
  if (age < 7 * DAY) return `${Math.round(age / DAY)}d ago`;
  return new Intl.DateTimeFormat("en", { month: "short", day: "numeric", year: "numeric" }).format(at);
}

/** The full instant with its zone, for tooltips. */
export const absolute = (at: number): string =>
  new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "long" }).format(at);

export const clock = (at: number): string =>
  new Intl.DateTimeFormat("en", {
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hour12: false,
  }).format(at);

export const clockMinutes = (at: number): string =>
  new Intl.DateTimeFormat("en", { hour: "2-digit", minute: "2-digit", hour12: false }).format(at);

/** A moment to come: the clock time, with the date when that is not today. */
export const moment = (at: number, now: number): string =>
  new Date(at).toDateString() === new Date(now).toDateString()
    ? clockMinutes(at)
    : `${new Intl.DateTimeFormat("en", { month: "short", day: "numeric" }).format(at)}, ${clockMinutes(at)}`;

/** What to call a principal: "ada" of `user:ada`. Without a login everybody at the dashboard is `user:local`. */
export function personOf(principal: string): string {
  if (principal === "user:local") return t("who.local");
  return principal.replace(/^user:/, "") || t("who.unknown");
}

export const shortHash = (hash: string): string => hash.slice(0, 8);

const IN_REPOSITORY = /^\/([^/]+\/[^/]+)\/(?:issues|pull)\/(\d+)$/;
const BY_KEY = /\/browse\/([^/]+)$/;

/** What people call a source: "owner/name#7" and "APP-7" by its address, else its reference without the sender. */
export function sourceName(source: { kind: string; reference: string; url?: string }): string {
  const { kind, reference, url } = source;
  const path = url && URL.canParse(url) ? new URL(url).pathname : "";
  const [, repository, number] = IN_REPOSITORY.exec(path) ?? [];
  if (repository && reference.endsWith(`#${number}`)) return `${repository}#${number}`;
  const key = BY_KEY.exec(path)?.[1];
  return key ?? ((reference.startsWith(`${kind}:`) ? reference.slice(kind.length + 1) : reference) || kind);
}

/** The end of a task id is its random part, so that is the part people can tell apart. */
export const shortId = (id: string): string => id.slice(-6);

/** A size in bytes, in the largest unit that leaves a whole part. */
export function bytes(n: number): string {
  if (n < 1024) return `${n} B`;
  return n < 1024 * 1024 ? `${(n / 1024).toFixed(1)} KB` : `${(n / 1024 / 1024).toFixed(1)} MB`;
}
