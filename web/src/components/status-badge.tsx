import clsx from "clsx";
import {
  Ban,
  CircleAlert,
  CircleCheck,
  CircleDashed,
  CircleDot,
  CircleMinus,
  CirclePause,
  CircleX,
  GitPullRequest,
  Hand,
  type LucideIcon,
  MessageCircleQuestion,
  Upload,
} from "lucide-react";
import type { Status, TaskRow } from "../api/types";
import { t } from "../i18n";
import { keptOf, type Proof, proofOf } from "../lib/proof";
import { groupOf } from "../lib/status";

type Tone = "need" | "run" | "idle" | "good" | "fair" | "bad";
interface Look {
  icon: LucideIcon;
  tone: Tone;
}

const LOOK: Record<Status, Look> = {
  received: { icon: CircleDashed, tone: "idle" },
  triaged: { icon: CircleDashed, tone: "idle" },
  planning: { icon: CircleDot, tone: "run" },
  "awaiting-approval": { icon: Hand, tone: "need" },
  executing: { icon: CircleDot, tone: "run" },
  "waiting-input": { icon: MessageCircleQuestion, tone: "need" },
  paused: { icon: CirclePause, tone: "idle" },
  reviewing: { icon: CircleDot, tone: "run" },
  publishing: { icon: Upload, tone: "run" },
  "in-review": { icon: GitPullRequest, tone: "fair" },
  completed: { icon: CircleCheck, tone: "good" },
  failed: { icon: CircleX, tone: "bad" },
  cancelled: { icon: Ban, tone: "idle" },
  declined: { icon: Ban, tone: "idle" },
};

/** A task that is done is only green where that is proven. */
const PROVEN: Record<Proof, Look> = {
  verified: { icon: CircleCheck, tone: "good" },
  "no-new-failures": { icon: CircleCheck, tone: "fair" },
  unverified: { icon: CircleAlert, tone: "need" },
  failing: { icon: CircleX, tone: "bad" },
  "nothing-to-change": { icon: CircleMinus, tone: "idle" },
};

const TEXT: Record<Tone, string> = {
  need: "text-need",
  run: "text-accent",
  idle: "text-ink-3",
  good: "text-good",
  fair: "text-good",
  bad: "text-bad",
};

const BADGE: Record<Tone, string> = {
  need: "border-need-line bg-need-soft text-need",
  run: "border-transparent bg-accent-soft text-accent",
  idle: "border-line bg-sunken text-ink-2",
  good: "border-good-line bg-good-soft text-good",
  fair: "border-line bg-sunken text-good",
  bad: "border-bad-line bg-bad-soft text-bad",
};

export const statusLabel = (status: Status, stopping = false): string =>
  stopping ? t("status.stopping") : t(`status.${status}`);

type Shown = Pick<
  TaskRow,
  "status" | "stopping" | "worker" | "evidence" | "outcome" | "has_result" | "ended_in" | "attention"
>;

/** An execution that nobody has taken yet is queued; a task that is done looks as well as it is proven. */
function lookOf(task: Shown): Look {
  if (!task.stopping && task.status === "executing" && groupOf(task) === "queued") return LOOK.received;
  if (task.status === "in-review" && task.attention) return { icon: GitPullRequest, tone: "need" };
  const proof = proofOf(task);
  if (proof && task.status === "completed") return PROVEN[proof];
  return LOOK[task.status] ?? LOOK.received;
}

/** What to call a task's state, with how well its result is proven. */
export function stateLabel(task: Shown): string {
  if (!task.stopping && task.status === "executing" && groupOf(task) === "queued") return t("status.queued");
  const proof = proofOf(task);
  const label = statusLabel(task.status, task.stopping);
  if (task.outcome === "answered" && task.status === "completed") return t("proof.answered");
  if (task.outcome === "reviewed" && task.status === "completed") return t("proof.reviewed");
  if (!proof || task.stopping) return label;
  if (proof === "nothing-to-change") return t("proof.nothing-to-change");
  return `${label} · ${t(`proof.${keptOf(task) === "unpublished" ? "unpublished" : proof}`)}`;
}

/** The colour of a state's name in a line of text. */
export const stateInk = (task: Shown): string => {
  const { tone } = lookOf(task);
  return tone === "need" || tone === "bad" ? TEXT[tone] : "text-ink-2";
};

export function StateIcon({ task, size = 15 }: { task: Shown; size?: number }) {
  const { icon: Icon, tone } = lookOf(task);
  return <Icon size={size} strokeWidth={2.2} aria-hidden className={clsx("shrink-0", TEXT[tone])} />;
}

export function StatusBadge({ task }: { task: Shown }) {
  return (
    <span
      className={clsx(
        "inline-flex h-6 shrink-0 items-center gap-1.5 rounded-full border px-2 text-mini font-medium whitespace-nowrap",
        BADGE[lookOf(task).tone],
      )}
    >
      <StateIcon task={task} size={13} />
      {stateLabel(task)}
    </span>
  );
}
