import type { ListFilters } from "../api/queries";
import { STATUSES, type Status } from "../api/types";

const text = (value: unknown): string | undefined => {
  const trimmed = typeof value === "string" || typeof value === "number" ? String(value).trim() : "";
  return trimmed || undefined;
};

/** In an address, whoever opens it: one that is passed on shows everybody their own tasks. */
export const ME = "me";

/** Reads the list's filters out of a URL's search; what does not make sense is left out. */
export function parseFilters(search: Record<string, unknown>): ListFilters {
  const status = text(search.status);
  return {
    status: STATUSES.includes(status as Status) ? (status as Status) : undefined,
    source: text(search.source)?.toLowerCase(),
    q: text(search.q),
    requester: text(search.requester),
  };
}

export const isFiltered = (filters: ListFilters): boolean =>
  Boolean(filters.status || filters.source || filters.q || filters.requester);

/** The kinds of source to choose from: those that there are tasks of, and the chosen one even when no task has it. */
export const sourceKinds = (existing: readonly string[], chosen: string | undefined): string[] => [
  ...new Set([...existing, ...(chosen ? [chosen] : [])].filter(Boolean)),
];

/** How many tasks the filters hide; null while the answer may still be on another page. */
export function hiddenBy(filters: ListFilters, all: number, shown: number, complete: boolean): number | null {
  if (!isFiltered(filters)) return 0;
  return complete ? Math.max(0, all - shown) : null;
}
