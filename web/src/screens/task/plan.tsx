import { getRouteApi, useNavigate } from "@tanstack/react-router";
import clsx from "clsx";
import { Check } from "lucide-react";
import { type FormEvent, useRef, useState } from "react";
import type { ActionName, PlanVersion, TaskDetail } from "../../api/types";
import { Ago } from "../../components/ago";
import { CopyButton, Hash } from "../../components/copy";
import { EmptyState } from "../../components/empty-state";
import { Markdown } from "../../components/markdown";
import { Spinner } from "../../components/spinner";
import { Button } from "../../components/ui/button";
import { Field, TextArea } from "../../components/ui/field";
import { ChoiceMenu } from "../../components/ui/menu";
import { t } from "../../i18n/task";
import { buttonOf } from "../../lib/actions";
import { useDraft } from "../../lib/draft";
import { shortHash } from "../../lib/format";
import { useShortcuts } from "../../lib/shortcuts";
import { latestPlan } from "../../lib/status-text";
import { useCommand } from "./command";

const route = getRouteApi("/tasks/$id");

/**
 * The plan somebody is reading stays the plan on the screen: a version that arrives meanwhile is announced, never
 * swapped in, because what is approved must be what was read.
 */
function useShownPlan(task: TaskDetail): { shown: PlanVersion | undefined; show: (version: number) => void } {
  const { plan: asked } = route.useSearch();
  const navigate = useNavigate({ from: "/tasks/$id" });
  const [first, setFirst] = useState(() => latestPlan(task)?.version);
  if (first === undefined && task.plans.length > 0) setFirst(latestPlan(task)?.version);
  const wanted = asked ?? first;
  const shown = task.plans.find((plan) => plan.version === wanted) ?? latestPlan(task);
  const show = (version: number) =>
    void navigate({ search: (old) => ({ ...old, plan: version }), replace: true });
  return { shown, show };
}

export function PlanPanel({ task }: { task: TaskDetail }) {
  const { shown, show } = useShownPlan(task);
  const latest = latestPlan(task);
  if (!shown || !latest) return <NoPlan task={task} />;
  const newest = shown.version === latest.version;
  return (
    <div className="flex min-h-full flex-col">
      <div className="mx-auto w-full max-w-3xl flex-1 px-3 py-4 sm:px-6">
        <div className="mb-4 flex flex-wrap items-center gap-x-3 gap-y-1.5 text-mini text-ink-3">
          {task.plans.length > 1 ? (
            <ChoiceMenu
              label={t("plan.version")}
              value={String(shown.version)}
              choices={task.plans
                .map((plan) => ({
                  value: String(plan.version),
                  label: `v${plan.version}`,
                  hint: plan.approved_at ? t("plan.approvedShort") : shortHash(plan.digest),
                }))
                .reverse()}
              onChange={(version) => show(Number(version))}
            />
          ) : (
            <span className="font-medium text-ink-2">v{shown.version}</span>
          )}
          <span>
            {t("plan.digest")} <Hash value={shown.digest} label={t("plan.digest")} />
          </span>
          <span>
            {t("plan.base")} <Hash value={shown.base_commit} label={t("plan.base")} />
          </span>
          <Ago at={shown.at} />
          <span className="flex-1" />
          {shown.approved_at && (
            <span className="inline-flex items-center gap-1 font-medium text-good">
              <Check size={13} aria-hidden />
              {shown.approved_by ? t("plan.approvedBy", { who: shown.approved_by }) : t("plan.approvedShort")}
            </span>
          )}
          <CopyButton text={shown.markdown} label={t("plan.copy")} />
        </div>
        {!newest && (
          <p
            role="status"
            className="mb-4 flex flex-wrap items-center gap-3 rounded-md border border-need-line bg-need-soft px-3 py-2 text-need"
          >
            {t("plan.older", { version: latest.version })}
            <Button size="sm" onClick={() => show(latest.version)}>
              {t("plan.showLatest", { version: latest.version })}
            </Button>
          </p>
        )}
        {task.plan_status === "drafting" && task.status === "planning" && (
          <p
            role="status"
            className="mb-4 flex items-center gap-2 rounded-md border bg-panel px-3 py-2 text-ink-2"
          >
            <Spinner /> {t("plan.revising", { version: latest.version + 1 })}
          </p>
        )}
        <article className="rounded-lg border bg-panel px-5 py-5 sm:px-7">
          <Markdown text={shown.markdown} warn="plan" />
        </article>
      </div>
      {task.status === "awaiting-approval" && newest && <Decision task={task} plan={shown} />}
    </div>
  );
}

function NoPlan({ task }: { task: TaskDetail }) {
  const drafting = task.status === "planning";
  return (
    <EmptyState title={drafting ? t("plan.drafting") : t("plan.none")}>
      {drafting
        ? t("plan.draftingHint")
        : task.verdict === "implement"
          ? t("plan.skipped")
          : t("plan.noneHint")}
    </EmptyState>
  );
}

type Mode = "decide" | "revise" | "reject";

/** Approve, ask for changes, or reject: each bound to exactly this version, digest and base commit. */
function Decision({ task, plan }: { task: TaskDetail; plan: PlanVersion }) {
  const [mode, setMode] = useState<Mode>("decide");
  const [words, setWords] = useDraft(`decision.${task.id}`);
  const approve = useRef<HTMLButtonElement>(null);
  const send = useCommand(task.id);
  useShortcuts({ a: () => approve.current?.focus() });

  const off = (action: ActionName) => {
    const button = buttonOf(task, action);
    return { ...button, disabled: button.disabled || send.isPending || send.off };
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const text = words.trim();
    const sent = { onSuccess: () => setWords("") };
    if (mode === "revise" && text) send.mutate({ verb: "reject", feedback: text }, sent);
    if (mode === "reject") send.mutate({ verb: "reject", ...(text && { reason: text }) }, sent);
  };
  const bound = t("plan.bound", {
    version: plan.version,
    digest: shortHash(plan.digest),
    base: shortHash(plan.base_commit),
  });

  return (
    <section
      aria-label={t("plan.decision")}
      className="sticky bottom-0 z-10 border-t bg-panel py-3 shadow-[0_-8px_24px_-16px_rgb(0_0_0/25%)]"
    >
      <div className="mx-auto max-w-3xl px-3 sm:px-6">
        {mode === "decide" ? (
          <div className="flex flex-wrap items-center gap-2">
            <Button
              ref={approve}
              look="primary"
              busy={send.isPending}
              {...off("approve")}
              aria-keyshortcuts="a"
              onClick={() =>
                send.mutate({
                  verb: "approve",
                  version: plan.version,
                  digest: plan.digest,
                  base_commit: plan.base_commit,
                })
              }
            >
              <Check size={14} aria-hidden />
              {send.isPending ? t("plan.approving") : t("plan.approve", { version: plan.version })}
            </Button>
            <Button {...off("revise")} onClick={() => setMode("revise")}>
              {t("plan.requestChanges")}
            </Button>
            <Button look="danger" {...off("reject")} onClick={() => setMode("reject")}>
              {t("plan.reject")}
            </Button>
            <p className="min-w-0 flex-1 text-mini text-ink-3 sm:text-right">
              {off("approve").title ?? bound}
            </p>
          </div>
        ) : (
          <form onSubmit={submit} className="space-y-3">
            <Field
              label={mode === "revise" ? t("plan.feedback") : t("plan.rejectReason")}
              hint={mode === "revise" ? t("plan.feedbackHint") : t("plan.rejectHint")}
              {...(mode === "reject" && { optional: t("form.optional") })}
            >
              {(ids) => (
                <TextArea
                  {...ids}
                  autoFocus
                  rows={3}
                  value={words}
                  onChange={(event) => setWords(event.target.value)}
                  onKeyDown={(event) => {
                    if (event.key === "Escape") setMode("decide");
                    if (event.key === "Enter" && (event.metaKey || event.ctrlKey)) submit(event);
                  }}
                />
              )}
            </Field>
            <div className="flex flex-wrap gap-2">
              <Button
                type="submit"
                look={mode === "revise" ? "primary" : "danger"}
                busy={send.isPending}
                {...off(mode)}
                disabled={off(mode).disabled || (mode === "revise" && !words.trim())}
                className={clsx(mode === "reject" && "border-transparent! bg-bad-fill! text-white!")}
              >
                {mode === "revise" ? t("plan.sendFeedback") : t("plan.confirmReject")}
              </Button>
              <Button onClick={() => setMode("decide")}>{t("action.back")}</Button>
            </div>
          </form>
        )}
      </div>
    </section>
  );
}
