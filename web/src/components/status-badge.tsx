import clsx from "clsx";
import {
  Ban,
  CircleCheck,
  CircleDashed,
  CircleDot,
  CirclePause,
  CircleX,
  Hand,
  type LucideIcon,
  MessageCircleQuestion,
  Upload,
} from "lucide-react";
import type { Status, TaskRow } from "../api/types";
import { t } from "../i18n";
import { groupOf } from "../lib/status";

type Tone = "need" | "run" | "idle" | "good" | "bad";

const LOOK: Record<Status, { icon: LucideIcon; tone: Tone }> = {
  received: { icon: CircleDashed, tone: "idle" },
  triaged: { icon: CircleDashed, tone: "idle" },
  planning: { icon: CircleDot, tone: "run" },
  "awaiting-approval": { icon: Hand, tone: "need" },
  executing: { icon: CircleDot, tone: "run" },
  "waiting-input": { icon: MessageCircleQuestion, tone: "need" },
  paused: { icon: CirclePause, tone: "idle" },
  publishing: { icon: Upload, tone: "run" },
  completed: { icon: CircleCheck, tone: "good" },
  failed: { icon: CircleX, tone: "bad" },
  cancelled: { icon: Ban, tone: "idle" },
  declined: { icon: Ban, tone: "idle" },
};

const TEXT: Record<Tone, string> = {
  need: "text-need",
  run: "text-accent",
  idle: "text-ink-3",
  good: "text-good",
  bad: "text-bad",
};

const BADGE: Record<Tone, string> = {
  need: "border-need-line bg-need-soft text-need",
  run: "border-transparent bg-accent-soft text-accent",
  idle: "border-line bg-sunken text-ink-2",
  good: "border-good-line bg-good-soft text-good",
  bad: "border-bad-line bg-bad-soft text-bad",
};

export function StatusIcon({ status, size = 15 }: { status: Status; size?: number }) {
  const look = LOOK[status] ?? LOOK.received;
  const Icon = look.icon;
  return <Icon size={size} strokeWidth={2.2} aria-hidden className={clsx("shrink-0", TEXT[look.tone])} />;
}

export const statusLabel = (status: Status, stopping = false): string =>
  stopping ? t("status.stopping") : t(`status.${status}`);

/** What to call a task's state: an execution that nobody has taken yet is queued. */
export function stateOf(task: Pick<TaskRow, "status" | "stopping" | "worker">): {
  icon: Status;
  label: string;
} {
  const queued = !task.stopping && task.status === "executing" && groupOf(task) === "queued";
  return {
    icon: queued ? "received" : task.status,
    label: queued ? t("status.queued") : statusLabel(task.status, task.stopping),
  };
}

export function StatusBadge({ task }: { task: Pick<TaskRow, "status" | "stopping" | "worker"> }) {
  const { icon, label } = stateOf(task);
  const tone = LOOK[icon]?.tone ?? "idle";
  return (
    <span
      className={clsx(
        "inline-flex h-6 shrink-0 items-center gap-1.5 rounded-full border px-2 text-mini font-medium whitespace-nowrap",
        BADGE[tone],
      )}
    >
      <StatusIcon status={icon} size={13} />
      {label}
    </span>
  );
}
