import { useQuery } from "@tanstack/react-query";
import { statusQuery } from "../api/queries";
import { useLive } from "../live/provider";
import { NEEDS_YOU, total } from "./status";

/** The state of the whole system; undefined until it is known. */
export function useSystem() {
  const { refresher } = useLive();
  return useQuery(statusQuery(refresher)).data;
}

/** How many tasks wait for a person, over all tasks and not only those on the screen. */
export function useWaiting(): number {
  return total(useSystem()?.tasks ?? {}, NEEDS_YOU);
}
