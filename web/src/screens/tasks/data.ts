import { keepPreviousData, useInfiniteQuery, useQueries, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { keys } from "../../api/keys";
import { type ListFilters, meQuery, taskListPage } from "../../api/queries";
import type { TaskRow } from "../../api/types";
import { isFiltered, ME } from "../../lib/filters";
import { OPEN } from "../../lib/status";
import { useLive } from "../../live/provider";

/**
 * The list as far as it is loaded, newest first, plus every open task however old: what needs somebody must not hide
 * on the tenth page. The counts of the first page say whether an open task is missing from it.
 */
export function useTasks(filters: ListFilters) {
  const { refresher } = useLive();
  const me = useQuery({ ...meQuery, enabled: filters.requester === ME });
  // Nobody is called "user:": where it cannot be known who looks, no task is theirs.
  const asked = filters.requester === ME ? { ...filters, requester: `user:${me.data?.name ?? ""}` } : filters;
  const list = useInfiniteQuery({
    queryKey: keys.list(asked),
    enabled: filters.requester !== ME || !me.isPending,
    queryFn: ({ pageParam, signal }) => taskListPage(refresher, asked, pageParam, signal),
    initialPageParam: "",
    getNextPageParam: (page) => page.next_cursor,
    placeholderData: keepPreviousData,
  });
  const loaded = useMemo(() => list.data?.pages.flatMap((page) => page.items) ?? [], [list.data]);
  const counts = list.data?.pages[0]?.counts ?? {};
  const missing =
    list.hasNextPage && !isFiltered(filters)
      ? OPEN.filter(
          (status) => (counts[status] ?? 0) > loaded.filter((task) => task.status === status).length,
        )
      : [];
  const older = useQueries({
    queries: missing.map((status) => ({
      queryKey: keys.list({ status, all: true }),
      queryFn: ({ signal }: { signal: AbortSignal }) => taskListPage(refresher, { status }, "", signal),
    })),
  });
  const extra = older.flatMap((query) => query.data?.items ?? []);
  return { list, tasks: merge(loaded, extra) };
}

function merge(loaded: readonly TaskRow[], extra: readonly TaskRow[]): TaskRow[] {
  if (extra.length === 0) return [...loaded];
  const known = new Set(loaded.map((task) => task.id));
  return [...loaded, ...extra.filter((task) => !known.has(task.id))];
}
