import { useMutation } from "@tanstack/react-query";
import { REPLAY } from "../../api/replay";
import { interruptAnswer } from "../../api/talks";
import { Ago } from "../../components/ago";
import { CopyButton } from "../../components/copy";
import { Markdown } from "../../components/markdown";
import { Spinner } from "../../components/spinner";
import { Button } from "../../components/ui/button";
import { Visible } from "../../components/visible";
import { t } from "../../i18n/chat";
import { money, personOf } from "../../lib/format";
import { useMay, useMe } from "../../lib/me";
import { visible } from "../../lib/visible";
import { useLive } from "../../live/provider";
import { ProposalCard } from "./proposal";
import { TaskLink } from "./task-link";
import { type Answer, type Turn, tasksIn } from "./turns";

interface Props {
  talk: string;
  turn: Turn;
  /** What is being said, where this is the message that is being answered. */
  spoken: string;
  askAgain: (text: string) => void;
}

/** One message and what came of it. */
export function TurnItem({ talk, turn, spoken, askAgain }: Props) {
  const me = useMe();
  const mine = me !== undefined && turn.by === `user:${me.name}`;
  return (
    <li className="space-y-3">
      {turn.text && (
        <Bubble who={mine ? t("chat.you") : visible(personOf(turn.by))} at={turn.at} text={turn.text} />
      )}
      {turn.state === "task" && (
        <div className="space-y-1.5">
          <p className="text-mini text-ink-2">{t("turn.task")}</p>
          <TaskLink id={turn.taskId} />
        </div>
      )}
      {turn.answers.map((answer) => (
        <AnswerItem key={answer.at} answer={answer} askAgain={() => askAgain(turn.text)} />
      ))}
      {spoken && (
        <article aria-label={t("chat.brain")} aria-busy>
          <Markdown text={spoken} />
        </article>
      )}
      {turn.proposals.map((proposal) => (
        <ProposalCard key={proposal.id} talk={talk} proposal={proposal} />
      ))}
      {(turn.state === "waiting" || turn.state === "answering" || turn.state === "stopping") && (
        <UnderWay talk={talk} turn={turn} speaks={spoken !== ""} />
      )}
    </li>
  );
}

export function Bubble({ who, at, text }: { who: string; at?: string; text: string }) {
  return (
    <div className="ml-auto w-fit max-w-[90%] rounded-lg border bg-accent-soft px-3 py-2">
      <p className="flex gap-2 text-mini text-ink-2">
        <span className="font-medium">{who}</span>
        {at && <Ago at={at} />}
      </p>
      <p className="wrap-anywhere whitespace-pre-wrap">
        <Visible text={text} />
      </p>
    </div>
  );
}

function UnderWay({ talk, turn, speaks }: { talk: string; turn: Turn; speaks: boolean }) {
  const { talked } = useLive();
  const may = useMay();
  const stop = useMutation({
    mutationFn: () => interruptAnswer(talk, turn.id),
    onSuccess: ({ seq }) => talked(talk, seq),
  });
  const waits = turn.state === "waiting";
  return (
    <div role="status" className="flex flex-wrap items-center gap-2 text-ink-2">
      {!waits && <Spinner />}
      {waits && t("turn.waiting")}
      {turn.state === "stopping" && t("turn.stopping")}
      {turn.state === "answering" && !speaks && t("turn.thinking")}
      {turn.state !== "stopping" && !REPLAY && may("interruptAnswer") && (
        <Button size="sm" busy={stop.isPending} onClick={() => stop.mutate()}>
          {t(waits ? "turn.takeBack" : "turn.stop")}
        </Button>
      )}
      {stop.error && (
        <span role="alert" className="text-bad">
          {visible(stop.error.message)}
        </span>
      )}
    </div>
  );
}

function AnswerItem({ answer, askAgain }: { answer: Answer; askAgain: () => void }) {
  const may = useMay();
  const tasks = answer.outcome === "failed" ? [] : tasksIn(answer.text);
  return (
    <article aria-label={t("chat.brain")} className="space-y-2">
      {answer.outcome === "failed" ? (
        <div className="rounded-lg border border-bad-line bg-bad-soft p-3">
          <p className="font-medium text-bad">{t("turn.failed")}</p>
          <p className="mt-1 wrap-anywhere">
            <Visible text={answer.text} />
          </p>
          {!REPLAY && may("sayToBrain") && (
            <Button size="sm" className="mt-2" onClick={askAgain}>
              {t("turn.askAgain")}
            </Button>
          )}
        </div>
      ) : (
        answer.text && <Markdown text={answer.text} warn="text" />
      )}
      {tasks.length > 0 && (
        <ul aria-label={t("turn.tasks")} className="space-y-1">
          {tasks.map((id) => (
            <li key={id}>
              <TaskLink id={id} />
            </li>
          ))}
        </ul>
      )}
      <p className="flex flex-wrap items-center gap-2 text-mini text-ink-3">
        {answer.outcome === "interrupted" && (
          <span>{t(answer.text ? "turn.interrupted" : "turn.takenBack")}</span>
        )}
        {answer.costMicrousd > 0 && <span>{money(answer.costMicrousd)}</span>}
        <Ago at={answer.at} />
        {answer.text && answer.outcome !== "failed" && (
          <CopyButton text={answer.text} label={t("turn.copy")} />
        )}
      </p>
    </article>
  );
}
