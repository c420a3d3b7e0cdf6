import { SendHorizontal } from "lucide-react";
import type { FormEvent } from "react";
import type { TaskDetail } from "../../../api/types";
import { Button } from "../../../components/ui/button";
import { TextArea } from "../../../components/ui/field";
import { t } from "../../../i18n/task";
import { buttonOf } from "../../../lib/actions";
import { useDraft } from "../../../lib/draft";
import { isJudged } from "../../../lib/proof";
import { isOver } from "../../../lib/status";
import { useCommand } from "../command";

/**
 * Says something to the agent at work, which hears it at its next step; of a task that is over, wishes something
 * further. A draft is kept per task.
 */
export function Composer({ task }: { task: TaskDetail }) {
  const [text, edit] = useDraft(task.id);
  const send = useCommand(task.id);
  const verb = isOver(task.status) ? "follow-up" : "input";
  const judged = verb === "input" && isJudged(task.run);
  const words = verb === "input" ? "composer" : task.verdict === "review" ? "reviewAgain" : "followUp";
  const input = buttonOf(task, verb);
  const submit = (event?: FormEvent) => {
    event?.preventDefault();
    const message = text.trim();
    if (message && !send.isPending) send.mutate({ verb, message }, { onSuccess: () => edit("") });
  };
  return (
    <form onSubmit={submit} className="shrink-0 border-t bg-panel px-3 py-2.5 sm:px-6">
      <div className="flex items-end gap-2">
        <TextArea
          rows={1}
          aria-label={t(`${words}.label`)}
          placeholder={t(`${words}.placeholder`)}
          value={text}
          disabled={input.disabled || send.off}
          className="field-sizing-content max-h-40 min-h-8 resize-none! py-1.5!"
          onChange={(event) => edit(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) {
              event.preventDefault();
              submit();
            }
          }}
        />
        <Button
          type="submit"
          look="primary"
          busy={send.isPending}
          {...input}
          disabled={input.disabled || send.off || !text.trim()}
        >
          <SendHorizontal size={14} aria-hidden />
          {t(`${words}.send`)}
        </Button>
      </div>
      <p className="mt-1 text-mini text-ink-3">
        {input.title ??
          (send.isSuccess && !text
            ? t(judged ? "composer.sentJudged" : `${words}.sent`)
            : t(judged ? "composer.hintJudged" : `${words}.hint`))}
      </p>
    </form>
  );
}
