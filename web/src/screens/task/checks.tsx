import { CircleCheck, CircleX } from "lucide-react";
import type { Check, TaskDetail } from "../../api/types";
import { Ansi } from "../../components/ansi";
import { CopyButton } from "../../components/copy";
import { EmptyState } from "../../components/empty-state";
import { Visible } from "../../components/visible";
import { t } from "../../i18n/task";
import { duration } from "../../lib/format";
import { isOver } from "../../lib/status";

export function Checks({ task }: { task: TaskDetail }) {
  const checks = task.run?.checks ?? [];
  if (checks.length === 0)
    return (
      <EmptyState title={isOver(task.status) ? t("checks.none") : t("checks.notYet")}>
        {t("checks.hint")}
      </EmptyState>
    );
  const failed = checks.filter((check) => check.exit_code !== 0).length;
  return (
    <div className="mx-auto max-w-4xl px-3 py-4 sm:px-6">
      <h3 className="mb-3 font-medium">
        {failed > 0
          ? t("checks.someFailed", { n: failed, of: checks.length })
          : t("checks.allPassed", { n: checks.length })}
      </h3>
      <ul className="space-y-2">
        {checks.map((check, index) => (
          <CheckCard key={index} check={check} />
        ))}
      </ul>
      <p className="mt-3 text-mini text-ink-3">{t("checks.observed")}</p>
    </div>
  );
}

function CheckCard({ check }: { check: Check }) {
  const passed = check.exit_code === 0;
  return (
    <li>
      <details open={!passed} className="group overflow-hidden rounded-lg border bg-panel">
        <summary className="flex cursor-pointer list-none items-center gap-2.5 px-3 py-2.5 hover:bg-hover">
          {passed ? (
            <CircleCheck size={16} aria-hidden className="shrink-0 text-good" />
          ) : (
            <CircleX size={16} aria-hidden className="shrink-0 text-bad" />
          )}
          <code className="min-w-0 flex-1 truncate font-mono text-mini group-open:whitespace-pre-wrap">
            <Visible text={check.command} />
          </code>
          <span className={passed ? "text-mini text-ink-3" : "text-mini font-medium text-bad"}>
            {passed ? t("checks.passed") : t("checks.exit", { code: check.exit_code })}
          </span>
          <span className="w-14 text-right text-mini text-ink-3 tabular-nums">
            {duration(check.duration_ms)}
          </span>
        </summary>
        <div className="relative border-t bg-sunken">
          <pre
            tabIndex={0}
            className="max-h-96 overflow-auto px-3 py-2.5 pr-9 font-mono text-mini leading-5 wrap-anywhere whitespace-pre-wrap"
          >
            {check.output_tail ? (
              <Ansi text={check.output_tail} />
            ) : (
              <span className="text-ink-3">{t("checks.noOutput")}</span>
            )}
          </pre>
          {check.output_tail && (
            <CopyButton
              text={check.output_tail}
              label={t("copy.output")}
              className="absolute top-1.5 right-1.5"
            />
          )}
        </div>
      </details>
    </li>
  );
}
