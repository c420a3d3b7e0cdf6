import type { TimelineItem } from "../api/types";
import { type Key, t } from "../i18n/task";
import { cancelledText } from "../lib/status-text";
import type { AttemptEntry, ResultEntry } from "./entries";

/** What somebody said when they had the agent stopped. */
export interface Stop {
  at: number;
  words: string;
}

/** Clocks of two machines may differ by this much (milliseconds). */
const SLACK_MS = 5_000;

/** The stops among a task's events. */
export const stopsOf = (items: readonly TimelineItem[]): Stop[] =>
  items
    .filter((item) => item.kind === "task" && item.event === "stop-requested" && item.time)
    .map(({ time, principal, data }) => ({
      at: Date.parse(time ?? ""),
      words: cancelledText({
        cancelled_how: "stopped",
        cancelled_by: principal,
        cancelled_reason: typeof data.reason === "string" ? data.reason : "",
      }),
    }));

/** The words of the stop that ended what ended then; empty when nobody is known to have stopped it. */
export const stopAt = (stops: readonly Stop[], at: number | null): string =>
  (at === null ? stops.at(-1) : stops.findLast((stop) => stop.at <= at + SLACK_MS))?.words ?? "";

/** Why an agent ended badly, the most telling words first; never none. */
export function problemsOf(entry: ResultEntry): string[] {
  const said = [...entry.errors, ...entry.text.split("\n")].map((line) => line.trim()).filter(Boolean);
  if (entry.subtype === "success") return said.length > 0 ? said : [t("ended.unknown")];
  const known = t(`ended.${entry.subtype}` as Key);
  // A name that this build has no words for is better than nothing.
  return [known, ...said];
}

/** What to call an attempt. */
export const attemptName = ({ actor, attempt }: AttemptEntry): string =>
  t(actor === "plan" ? "attempt.planLabel" : "attempt.label", { attempt });
