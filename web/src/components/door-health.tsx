import clsx from "clsx";
import type { Health } from "../api/types";
import { t } from "../i18n/webhooks";

const LOOK: Record<Health, string> = {
  well: "border-good-line bg-good-soft text-good",
  refusing: "border-bad-line bg-bad-soft text-bad",
  quiet: "border-line bg-sunken text-ink-2",
  off: "border-line bg-sunken text-ink-2",
  "not-set-up": "border-need-line bg-need-soft text-need",
  "not-asked": "border-bad-line bg-bad-soft text-bad",
};

export function DoorHealth({ health }: { health: Health }) {
  return (
    <span
      className={clsx(
        "inline-flex h-6 shrink-0 items-center rounded-full border px-2 text-mini font-medium whitespace-nowrap",
        LOOK[health] ?? LOOK.quiet,
      )}
    >
      {t(`doors.health.${health}`)}
    </span>
  );
}
