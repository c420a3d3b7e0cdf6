import { useSyncExternalStore } from "react";
import { useFeedState, useMoment } from "../live/provider";

/** One timer for every ticking thing on the page. */
const listeners = new Set<() => void>();
let now = Date.now();
let timer: ReturnType<typeof setInterval> | undefined;

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  if (!timer) now = Date.now();
  timer ??= setInterval(() => {
    now = Date.now();
    for (const each of listeners) each();
  }, 1_000);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

/** The time now, once a second. */
export const useNow = (): number => useSyncExternalStore(subscribe, () => now);

/** The present of what is shown: now, or the moment of the replay. */
export function usePresent(): number {
  const ticking = useNow();
  const time = useMoment()?.time;
  return time ? Date.parse(time) : ticking;
}

/** The time until which the page knows what it shows: it stands still while the feed is stale. */
export function useKnownNow(): number {
  const feed = useFeedState();
  const ticking = usePresent();
  return feed.fresh || !("since" in feed) ? ticking : Math.min(ticking, feed.since);
}
