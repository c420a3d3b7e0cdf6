import clsx from "clsx";
import { WifiOff } from "lucide-react";
import { REPLAY } from "../api/replay";
import { t } from "../i18n";
import { useNow } from "../lib/clock";
import { clockMinutes } from "../lib/format";
import { type Feed, useFeedState, useLive } from "../live/provider";
import { Button } from "./ui/button";

const DOT: Record<Feed["state"], string> = {
  live: "bg-good",
  connecting: "bg-ink-3",
  polling: "bg-need-dot",
  reconnecting: "bg-need-dot",
  offline: "bg-bad",
};

function useSentence(feed: Feed): string {
  const now = useNow();
  switch (feed.state) {
    case "live":
      return t(REPLAY ? "replay.pill" : "link.live");
    case "connecting":
      return t("link.connecting");
    case "polling":
      return t("link.polling");
    case "offline":
      return t("link.offline", { at: clockMinutes(feed.since) });
    case "reconnecting": {
      const seconds = Math.ceil((feed.retryAt - now) / 1_000);
      return seconds > 0 ? t("link.reconnecting", { seconds }) : t("link.reconnectingNow");
    }
  }
}

/** Says in one glance whether what is on the screen is what is true. */
export function ConnectionPill() {
  const feed = useFeedState();
  const { client } = useLive();
  const sentence = useSentence(feed);
  const look =
    "inline-flex h-7 items-center gap-2 rounded-full px-2.5 text-mini font-medium whitespace-nowrap";
  const inside = (
    <>
      <span
        aria-hidden
        className={clsx("size-2 rounded-full", REPLAY && feed.fresh ? "bg-accent-fill" : DOT[feed.state])}
      />
      <span className={clsx(feed.state === "live" && !REPLAY && "max-sm:sr-only")}>{sentence}</span>
    </>
  );
  if (feed.state === "live" || feed.state === "connecting")
    return (
      <span className={clsx(look, "text-ink-2")} title={t(REPLAY ? "replay.pillHint" : "link.liveHint")}>
        {inside}
      </span>
    );
  return (
    <button
      type="button"
      onClick={() => client.retryNow()}
      title={t("link.retryHint")}
      className={clsx(look, "border border-need-line bg-need-soft text-need hover:bg-hover")}
    >
      {inside}
    </button>
  );
}

/** Only after a drop that lasts; the page stays readable, and nothing on it ticks. */
export function ConnectionBanner() {
  const feed = useFeedState();
  const { client } = useLive();
  const shown = feed.state === "offline" || (feed.state === "reconnecting" && feed.banner);
  return (
    <div role="status">
      {shown && (
        <div className="flex flex-wrap items-center gap-x-3 gap-y-1 border-b border-need-line bg-need-soft px-4 py-2 text-need">
          <WifiOff size={15} aria-hidden />
          <span className="flex-1">{t("link.banner", { at: clockMinutes(feed.since) })}</span>
          <Button size="sm" onClick={() => client.retryNow()}>
            {t("link.retry")}
          </Button>
        </div>
      )}
    </div>
  );
}
