import { useLocation } from "@tanstack/react-router";
import { History } from "lucide-react";
import { REPLAY } from "../api/replay";
import type { Moment } from "../api/types";
import { t } from "../i18n";
import { absolute, count } from "../lib/format";
import { useMoment } from "../live/provider";

/** What may be said of it: a session that never told where it is has nothing to show. */
const stateOf = (moment: Moment | null) =>
  moment?.state === "over" && moment.last === 0 ? "none" : (moment?.state ?? "joining");

/** Says on every page of a replay that it is one, where it is, and how to get out of it. */
export function ReplayBanner() {
  const moment = useMoment();
  const path = useLocation({ select: ({ pathname }) => pathname });
  if (!REPLAY) return null;
  return (
    <section
      aria-label={t("replay.label")}
      className="flex flex-wrap items-center gap-x-4 gap-y-1 border-b border-accent bg-accent-soft px-4 py-2"
    >
      <p role="status" className="flex items-center gap-2 font-semibold text-accent">
        <History size={15} aria-hidden className="shrink-0" />
        {t(`replay.${stateOf(moment)}`)}
      </p>
      {moment && moment.last > 0 && (
        <p className="flex items-center gap-x-3 text-ink-2 tabular-nums">
          <span>{t("replay.position", { seq: count(moment.seq), last: count(moment.last) })}</span>
          <span aria-hidden className="h-1.5 w-24 overflow-hidden rounded-full bg-sunken max-sm:hidden">
            <span
              className="block h-full rounded-full bg-accent-fill"
              style={{ width: `${(moment.seq / moment.last) * 100}%` }}
            />
          </span>
          {moment.speed !== 1 && <span>{t("replay.speed", { speed: moment.speed })}</span>}
          {moment.time && (
            <time dateTime={moment.time} title={t("replay.momentHint")}>
              {absolute(Date.parse(moment.time))}
            </time>
          )}
        </p>
      )}
      <a
        href={path}
        className="ml-auto rounded font-medium text-accent underline underline-offset-2 focus-visible:outline-2 focus-visible:outline-accent"
      >
        {t("replay.leave")}
      </a>
    </section>
  );
}
