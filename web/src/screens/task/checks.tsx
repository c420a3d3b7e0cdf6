import clsx from "clsx";
import {
  CircleCheck,
  CircleMinus,
  CircleQuestionMark,
  CircleX,
  Download,
  type LucideIcon,
} from "lucide-react";
import { outputPath } from "../../api/queries";
import type { Check, TaskDetail } from "../../api/types";
import { Ansi } from "../../components/ansi";
import { CopyButton, Hash } from "../../components/copy";
import { EmptyState } from "../../components/empty-state";
import { Visible } from "../../components/visible";
import { t } from "../../i18n/task";
import { bytes, duration, shortHash } from "../../lib/format";
import { isJudged, isOfLook, type Look, lookOf } from "../../lib/proof";
import { isOver } from "../../lib/status";
import { Claim, Says } from "./claim";

const LOOK: Record<Look, { icon: LucideIcon; ink: string }> = {
  passed: { icon: CircleCheck, ink: "text-good" },
  failed: { icon: CircleX, ink: "text-bad" },
  "failed-before": { icon: CircleMinus, ink: "text-ink-3" },
  "could-not-run": { icon: CircleQuestionMark, ink: "text-need" },
  doubted: { icon: CircleQuestionMark, ink: "text-need" },
};
/** Which command's whole output can be had. */
interface Whole {
  id: string;
  of: "checks" | "setup";
  number: number;
}

const LOOKS = Object.keys(LOOK) as Look[];

/** What the checks say together: what the work broke first, because nothing else is a failure of it. */
function heading(checks: readonly Check[]): string {
  const failed = checks.filter(isOfLook("failed")).length;
  if (failed > 0) return t("checks.someFailed", { n: failed, of: checks.length });
  if (checks.every(isOfLook("passed"))) return t("checks.allPassed", { n: checks.length });
  return LOOKS.map((look) => ({ look, n: checks.filter(isOfLook(look)).length }))
    .filter(({ n }) => n > 0)
    .map(({ look, n }) => `${n} ${t(`verdict.${look}`)}`)
    .join(", ");
}

/** What was observed: each step of the set-up and each check with its verdict, and what it wrote. */
export function Checks({ task }: { task: TaskDetail }) {
  const { run } = task;
  if (run && isJudged(run))
    return (
      <EmptyState title={t("checks.run")}>
        {t("checks.run.hint", { commit: shortHash(run.commit) })}
      </EmptyState>
    );
  if (!run || run.checks.length + run.setup.length === 0)
    return (
      <EmptyState title={isOver(task.status) ? t("checks.none") : t("checks.notYet")}>
        {run?.observed ? <Visible text={run.observed} /> : t("checks.hint")}
      </EmptyState>
    );
  return (
    <div className="mx-auto max-w-4xl space-y-5 px-3 py-4 sm:px-6">
      <Claim run={run} says={<Says text={run.summary} />} />
      {run.checks.length > 0 && (
        <section>
          <h3 className="mb-3 font-medium">{heading(run.checks)}</h3>
          <ul className="space-y-2">
            {run.checks.map((check, index) => (
              <CheckCard
                key={index}
                check={check}
                whole={check.output ? { id: task.id, of: "checks", number: index + 1 } : null}
              />
            ))}
          </ul>
        </section>
      )}
      {run.setup.length > 0 && (
        <section>
          <h3 className="mb-3 font-medium">{t("checks.setup")}</h3>
          <ul className="space-y-2">
            {run.setup.map((check, index) => (
              <CheckCard
                key={index}
                check={check}
                whole={check.output ? { id: task.id, of: "setup", number: index + 1 } : null}
              />
            ))}
          </ul>
        </section>
      )}
      <p className="text-mini text-ink-3">
        {run.checked_commit ? (
          <>
            {t("checks.observedAt")} <Hash value={run.checked_commit} label={t("details.commit")} />
          </>
        ) : (
          t("checks.observed")
        )}
      </p>
    </div>
  );
}

function CheckCard({ check, whole }: { check: Check; whole: Whole | null }) {
  const look = lookOf(check);
  const { icon: Icon, ink } = LOOK[look];
  return (
    <li>
      <details
        open={look === "failed" || look === "could-not-run"}
        className="group overflow-hidden rounded-lg border bg-panel"
      >
        <summary className="flex cursor-pointer list-none items-start gap-2.5 px-3 py-2.5 hover:bg-hover">
          <Icon size={16} aria-hidden className={clsx("shrink-0", ink)} />
          <div className="min-w-0 flex-1">
            <code className="block truncate font-mono text-mini group-open:whitespace-pre-wrap">
              <Visible text={check.command} />
            </code>
            {check.reason && (
              <p className="mt-0.5 text-mini text-ink-2">
                <Visible text={check.reason} />
              </p>
            )}
          </div>
          <span className={clsx("shrink-0 text-mini font-medium", ink)}>
            {t(`verdict.${look}`)}
            {look === "failed" && (
              <span className="font-normal"> ({t("checks.exit", { code: check.exit_code })})</span>
            )}
          </span>
          <span className="w-14 shrink-0 text-right text-mini text-ink-3 tabular-nums">
            {duration(check.duration_ms)}
          </span>
        </summary>
        <Names label={t("checks.newFailures")} names={check.new_failures} ink="text-bad" />
        <Names label={t("checks.flaky")} names={check.flaky} ink="text-need" />
        {look !== "passed" && look !== "doubted" && (
          <Names
            label={t("checks.failingLines")}
            names={check.failing_lines}
            ink={look === "failed" ? "text-bad" : "text-ink-2"}
          />
        )}
        <Output check={check} whole={whole} />
      </details>
    </li>
  );
}

function Names({ label, names, ink }: { label: string; names: readonly string[]; ink: string }) {
  if (names.length === 0) return null;
  return (
    <div className="border-t px-3 py-2">
      <p className="text-mini font-medium text-ink-3">{label}</p>
      <ul aria-label={label} className={clsx("mt-0.5 font-mono text-mini leading-5", ink)}>
        {names.map((name, index) => (
          <li key={index} className="wrap-anywhere">
            <Ansi text={name} />
          </li>
        ))}
      </ul>
    </div>
  );
}

const sizeOf = (text: string): number => new TextEncoder().encode(text).length;

/** The two ends of what a check wrote, with a line between them that says how much is not shown. */
function Output({ check, whole }: { check: Check; whole: Whole | null }) {
  const { output_head: head, output_tail: tail } = check;
  const leftOut = head ? Math.max(0, check.output_size - sizeOf(head) - sizeOf(tail)) : 0;
  const between = t("checks.leftOut", { size: bytes(leftOut) });
  return (
    <div className="border-t bg-sunken">
      <div className="relative">
        <pre
          tabIndex={0}
          className="max-h-96 overflow-auto px-3 py-2.5 pr-9 font-mono text-mini leading-5 wrap-anywhere whitespace-pre-wrap"
        >
          {head && <Ansi text={head} />}
          {head && leftOut > 0 && (
            <span className="my-1 block border-y border-line-strong py-1 text-center font-sans text-ink-3">
              {between}
            </span>
          )}
          {tail ? <Ansi text={tail} /> : <span className="text-ink-3">{t("checks.noOutput")}</span>}
        </pre>
        {tail && (
          <CopyButton
            text={head && leftOut > 0 ? `${head}\n${between}\n${tail}` : `${head}${tail}`}
            label={t("copy.output")}
            className="absolute top-1.5 right-1.5"
          />
        )}
      </div>
      {whole && (
        <p className="flex flex-wrap items-center gap-x-3 border-t px-3 py-2 text-mini">
          <a
            href={outputPath(whole.id, whole.of, whole.number)}
            download
            className="inline-flex items-center gap-1 text-accent hover:underline"
          >
            <Download size={13} aria-hidden />
            {t("checks.download", { size: bytes(check.output_size) })}
          </a>
          {check.output_cut && <span className="text-need">{t("checks.cut")}</span>}
        </p>
      )}
    </div>
  );
}
