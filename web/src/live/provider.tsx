import { type QueryKey, useQueryClient } from "@tanstack/react-query";
import {
  createContext,
  type ReactNode,
  useCallback,
  useContext,
  useEffect,
  useMemo,
  useState,
  useSyncExternalStore,
} from "react";
import { keys, nameOf, staleAfter, staleAfterTalk } from "../api/keys";
import { Refresher } from "../api/refresher";
import { REPLAY } from "../api/replay";
import type { Moment } from "../api/types";
import { type Link, LiveClient, type Socket } from "./client";
import { openSocket } from "./socket";

/** A drop shorter than this is nobody's business; after `BANNER_AFTER_MS` it is everybody's. */
const QUIET_MS = 1_000;
const BANNER_AFTER_MS = 5_000;
const POLL_EVERY_MS = 5_000;

/** What the user is told. `fresh` means that what is on the screen is what is true. */
export type Feed =
  | { state: "live"; fresh: true }
  | { state: "connecting"; fresh: false }
  | { state: "reconnecting"; fresh: false; retryAt: number; banner: boolean; since: number }
  | { state: "polling"; fresh: true; since: number }
  | { state: "offline"; fresh: false; since: number };

interface Live {
  client: LiveClient;
  refresher: Refresher;
  /** Fetches what this command's event changed, without waiting for the socket. */
  changed: (taskId: string, seq: number) => void;
  /** The same of a conversation. */
  talked: (id: string, seq: number) => void;
}

const LiveContext = createContext<Live | null>(null);
const FeedContext = createContext<Feed>({ state: "connecting", fresh: false });

export function LiveProvider({
  children,
  connect = openSocket,
}: {
  children: ReactNode;
  connect?: () => Socket;
}) {
  const queries = useQueryClient();
  const [client] = useState(() => new LiveClient({ connect, replay: REPLAY }));
  const [refresher] = useState(() => new Refresher());

  const refetch = useCallback(
    async (queryKey: QueryKey): Promise<number | null> => {
      const cache = queries.getQueryCache();
      const active = cache.findAll({ queryKey, type: "active" });
      await queries.invalidateQueries({ queryKey, refetchType: "none" });
      if (active.length === 0) return null;
      await queries.refetchQueries({ queryKey, type: "active" }, { cancelRefetch: false });
      return Math.min(...active.map((query) => seenBy(query.state.data)));
    },
    [queries],
  );

  const changed = useCallback(
    (taskId: string, seq: number) => {
      for (const key of staleAfter(taskId)) refresher.want(nameOf(key), seq, () => refetch(key));
    },
    [refresher, refetch],
  );

  const talked = useCallback(
    (id: string, seq: number) => {
      for (const key of staleAfterTalk(id)) refresher.want(nameOf(key), seq, () => refetch(key));
    },
    [refresher, refetch],
  );

  useEffect(() => {
    const stopTalks = client.onTalk((event) => talked(event.session_id, event.seq));
    const stopEvents = client.onEvent((event) => changed(event.task_id, event.seq));
    const stopCaughtUp = client.onCaughtUp((seq) => {
      for (const query of queries.getQueryCache().findAll({ type: "active" })) {
        const seen = seenBy(query.state.data);
        if (seen > seq + RESET_SLACK) refresher.reset();
        if (seen < seq) refresher.want(nameOf(query.queryKey), seq, () => refetch(query.queryKey));
      }
    });
    client.start();
    const wake = () => document.visibilityState === "visible" && client.wake();
    window.addEventListener("online", wake);
    document.addEventListener("visibilitychange", wake);
    return () => {
      stopEvents();
      stopTalks();
      stopCaughtUp();
      window.removeEventListener("online", wake);
      document.removeEventListener("visibilitychange", wake);
      client.stop();
    };
  }, [client, queries, refresher, refetch, changed, talked]);

  const live = useMemo(() => ({ client, refresher, changed, talked }), [client, refresher, changed, talked]);
  const link = useSyncExternalStore(client.onLink, client.getLink);
  const feed = useFeed(link);
  return (
    <LiveContext value={live}>
      <FeedContext value={feed}>{children}</FeedContext>
    </LiveContext>
  );
}

/** Answers may be a little ahead of the feed (another gateway's clock); much ahead means that the log is another one. */
const RESET_SLACK = 10_000;

function seenBy(data: unknown): number {
  if (data && typeof data === "object") {
    if ("seq" in data && typeof data.seq === "number") return data.seq;
    if ("pages" in data && Array.isArray(data.pages)) return Math.min(...data.pages.map(seenBy));
  }
  return Number.POSITIVE_INFINITY;
}

/** Turns the socket's state into the one shown, and polls when the socket cannot be had. */
function useFeed(link: Link): Feed {
  const queries = useQueryClient();
  const [age, setAge] = useState<"new" | "seen" | "long">("new");
  const [poll, setPoll] = useState<"unknown" | "works" | "fails">("unknown");
  const since = link.phase === "live" ? 0 : link.since;

  useEffect(() => {
    setAge("new");
    setPoll("unknown");
    if (since === 0) return;
    const left = (ms: number) => Math.max(0, since + ms - Date.now());
    const seen = setTimeout(() => setAge("seen"), left(QUIET_MS));
    const long = setTimeout(() => setAge("long"), left(BANNER_AFTER_MS));
    return () => {
      clearTimeout(seen);
      clearTimeout(long);
    };
  }, [since]);

  useEffect(() => {
    if (age !== "long") return;
    let over = false;
    const tick = async () => {
      await queries.refetchQueries({ type: "active" }, { cancelRefetch: false });
      if (over) return;
      const failed = queries.getQueryCache().find({ queryKey: keys.status })?.state.status === "error";
      setPoll(failed ? "fails" : "works");
    };
    void tick();
    const timer = setInterval(tick, POLL_EVERY_MS);
    return () => {
      over = true;
      clearInterval(timer);
    };
  }, [age, queries]);

  return useMemo<Feed>(() => {
    if (link.phase === "live") return { state: "live", fresh: true };
    if (link.phase === "down" && age === "new") return { state: "live", fresh: true };
    if (poll === "works") return { state: "polling", fresh: true, since };
    if (poll === "fails") return { state: "offline", fresh: false, since };
    if (link.phase === "connecting") return { state: "connecting", fresh: false };
    return { state: "reconnecting", fresh: false, retryAt: link.retryAt, banner: age === "long", since };
  }, [link, age, poll, since]);
}

export function useLive(): Live {
  const live = useContext(LiveContext);
  if (!live) throw new Error("useLive needs a LiveProvider above it");
  return live;
}

/** Where the replay is; null while it has not said so, and outside a replay. */
export function useMoment(): Moment | null {
  const { client } = useLive();
  return useSyncExternalStore(client.onMoment, client.getMoment);
}

export const useFeedState = (): Feed => useContext(FeedContext);
