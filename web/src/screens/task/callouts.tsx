import {
  Archive,
  CircleX,
  GitPullRequest,
  Hand,
  MessageCircleQuestion,
  MessageSquareText,
} from "lucide-react";
import type { FormEvent } from "react";
import type { TaskDetail } from "../../api/types";
import { Command } from "../../components/copy";
import { Markdown } from "../../components/markdown";
import { SourceLink } from "../../components/source-link";
import { Button } from "../../components/ui/button";
import { Input } from "../../components/ui/field";
import { Visible } from "../../components/visible";
import { t } from "../../i18n/task";
import { buttonOf } from "../../lib/actions";
import { useDraft } from "../../lib/draft";
import { brokenOf, keptOf } from "../../lib/proof";
import { Callout } from "./callout";
import { useCommand } from "./command";
import { KeptResult } from "./kept-result";
import { ProofCallout } from "./proof-callout";
import type { Tab } from "./view";

/** What the page has to say before anything else: a question, a decision to make, a failure, an answer. */
export function Callouts({ task, tab, go }: { task: TaskDetail; tab: Tab; go: (tab: Tab) => void }) {
  if (task.stopping) return null;
  switch (task.status) {
    case "waiting-input":
      return <Question task={task} />;
    case "awaiting-approval":
      if (tab === "plan") return null;
      return (
        <Callout
          tone="need"
          icon={<Hand size={16} aria-hidden />}
          title={t("callout.planReady", { version: task.plan_version })}
        >
          <p className="mt-0.5 text-ink-2">{t("callout.planReadyText")}</p>
          <Button look="primary" size="sm" className="mt-2.5" onClick={() => go("plan")}>
            {t("action.reviewPlan")}
          </Button>
        </Callout>
      );
    case "in-review":
      return (
        <Callout
          tone={task.attention ? "need" : "plain"}
          icon={<GitPullRequest size={16} aria-hidden />}
          title={t(task.attention ? "callout.attention" : "callout.inReview", { number: task.pull_request })}
        >
          {task.attention && (
            <p className="mt-0.5 text-ink-2">
              <Visible text={task.attention} />
            </p>
          )}
          <p className="mt-1">
            <SourceLink
              name={t("callout.openPullRequest")}
              url={task.result_url}
              className="inline-flex items-center gap-0.5 text-accent hover:underline"
            />
          </p>
        </Callout>
      );
    case "failed":
      return <Failure task={task} tab={tab} go={go} />;
    case "cancelled":
      if (!keptOf(task)) return null;
      return (
        <Callout tone="plain" icon={<Archive size={16} aria-hidden />} title={t("kept.title")}>
          <KeptResult task={task} />
        </Callout>
      );
    case "completed":
      if (task.outcome === "reviewed") return <ReviewMade task={task} />;
      if (!task.answer) return <ProofCallout task={task} tab={tab} go={go} />;
      return (
        <Callout tone="plain" icon={<MessageSquareText size={16} aria-hidden />} title={t("callout.answer")}>
          <div className="mt-1">
            <Markdown text={task.answer} />
          </div>
        </Callout>
      );
    default:
      return null;
  }
}

/** What the review says as a whole; its findings stand at the lines that they are about. */
function ReviewMade({ task }: { task: TaskDetail }) {
  return (
    <Callout tone="plain" icon={<MessageSquareText size={16} aria-hidden />} title={t("callout.review")}>
      {task.summary && (
        <div className="mt-1">
          <Markdown text={task.summary} />
        </div>
      )}
      <p className="mt-1">
        <SourceLink
          name={t("callout.openReview")}
          url={task.result_url}
          className="inline-flex items-center gap-0.5 text-accent hover:underline"
        />
      </p>
    </Callout>
  );
}

function Question({ task }: { task: TaskDetail }) {
  const [answer, setAnswer] = useDraft(`answer.${task.id}`);
  const send = useCommand(task.id);
  const input = buttonOf(task, "input");
  const question = task.question || task.run?.question || t("callout.questionUnknown");
  const options = task.run?.options ?? [];
  const reply = (message: string) => {
    if (message.trim())
      send.mutate({ verb: "input", message: message.trim() }, { onSuccess: () => setAnswer("") });
  };
  return (
    <Callout tone="need" icon={<MessageCircleQuestion size={16} aria-hidden />} title={t("callout.question")}>
      <div className="mt-1 text-ink">
        <Markdown text={question} warn="text" />
      </div>
      {options.length > 0 && (
        <ul className="mt-3 flex flex-wrap gap-2" aria-label={t("callout.options")}>
          {options.map((option) => (
            <li key={option}>
              <Button
                size="sm"
                {...input}
                disabled={input.disabled || send.isPending || send.off}
                onClick={() => reply(option)}
                className="whitespace-normal! text-left"
              >
                <Visible text={option} />
              </Button>
            </li>
          ))}
        </ul>
      )}
      <form
        className="mt-3 flex max-w-2xl gap-2"
        onSubmit={(event: FormEvent) => {
          event.preventDefault();
          reply(answer);
        }}
      >
        <Input
          aria-label={t("callout.answerLabel")}
          placeholder={options.length > 0 ? t("callout.answerOther") : t("callout.answerPlaceholder")}
          value={answer}
          disabled={input.disabled || send.off}
          onChange={(event) => setAnswer(event.target.value)}
        />
        <Button
          type="submit"
          look="primary"
          busy={send.isPending}
          {...input}
          disabled={input.disabled || send.off || !answer.trim()}
        >
          {t("action.sendAnswer")}
        </Button>
      </form>
    </Callout>
  );
}

function Failure({ task, tab, go }: { task: TaskDetail; tab: Tab; go: (tab: Tab) => void }) {
  const failedChecks = brokenOf(task.run).length;
  return (
    <Callout
      tone="bad"
      icon={<CircleX size={16} aria-hidden />}
      title={task.error_message || t("why.failed")}
    >
      {task.error_code && (
        <p className="mt-0.5 text-ink-2">
          {t("callout.code")} <code className="font-mono text-mini">{task.error_code}</code>
        </p>
      )}
      {keptOf(task) && <KeptResult task={task} />}
      <div className="mt-2.5 flex flex-wrap items-center gap-2">
        {failedChecks > 0 && tab !== "checks" && (
          <Button size="sm" onClick={() => go("checks")}>
            {t("callout.showChecks", { n: failedChecks })}
          </Button>
        )}
        {tab !== "output" && (
          <Button size="sm" onClick={() => go("output")}>
            {t("callout.showOutput")}
          </Button>
        )}
        <div className="min-w-0 max-w-full">
          <Command text={`journeyman events --task ${task.id}`} />
        </div>
      </div>
    </Callout>
  );
}
