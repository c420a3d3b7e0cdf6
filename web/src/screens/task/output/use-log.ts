import { useEffect, useState, useSyncExternalStore } from "react";
import { REPLAY } from "../../../api/replay";
import { useFeedState, useLive } from "../../../live/provider";
import { LogStore, type LogView } from "../../../transcript/store";

const EMPTY: LogView = { lines: [], entries: [], turns: 0, state: "loading" };
const POLL_EVERY_MS = 5_000;
const nothing = () => () => {};
const empty = () => EMPTY;

/** The task's output from the moment it is first wanted; it stays while other tabs are shown. */
export function useLog(id: string, wanted: boolean): LogView {
  const { client } = useLive();
  const feed = useFeedState();
  const [store, setStore] = useState<LogStore | null>(null);

  useEffect(() => {
    if (!wanted) return;
    const opened = new LogStore(id, client);
    setStore(opened);
    void opened.open();
    return () => opened.close();
  }, [id, client, wanted]);

  useEffect(() => {
    if (!store || !REPLAY) return;
    return client.onEvent((event) => event.task_id === id && void store.load());
  }, [store, client, id]);

  useEffect(() => {
    if (!store || feed.state !== "polling") return;
    const timer = setInterval(() => void store.load(), POLL_EVERY_MS);
    return () => clearInterval(timer);
  }, [store, feed.state]);

  return useSyncExternalStore(store?.subscribe ?? nothing, store?.getView ?? empty);
}
