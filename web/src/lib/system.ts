import { useQuery } from "@tanstack/react-query";
import { statusQuery } from "../api/queries";
import type { Operation, Status } from "../api/types";
import { useLive } from "../live/provider";
import { useMay } from "./me";
import { NEEDS_YOU, total } from "./status";

/** The state of the whole system; undefined until it is known. */
export function useSystem() {
  const { refresher } = useLive();
  return useQuery(statusQuery(refresher)).data;
}

/** What one has to be allowed for a task in such a status to wait for oneself; another status takes what answers a question. */
const TAKES: Partial<Record<Status, Operation>> = { "awaiting-approval": "approvePlan" };

/** The statuses in which tasks wait for whoever looks, and not for people who may do more. */
export function useNeedsYou(): readonly Status[] {
  const may = useMay();
  return NEEDS_YOU.filter((status) => may(TAKES[status] ?? "giveInput"));
}

/** How many tasks wait for whoever looks, over all tasks and not only those on the screen. */
export function useWaiting(): number {
  return total(useSystem()?.tasks ?? {}, useNeedsYou());
}
