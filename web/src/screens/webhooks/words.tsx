import { useMutation, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { draftQuery, draftWebhook } from "../../api/queries";
import type { WebhookDraft } from "../../api/types";
import { Spinner } from "../../components/spinner";
import { Button } from "../../components/ui/button";
import { Field, TextArea } from "../../components/ui/field";
import { Visible } from "../../components/visible";
import { t } from "../../i18n/webhooks";
import { visible } from "../../lib/visible";

interface Props {
  /** What was pasted; the model sees it without secrets. */
  sample: string;
  /** Gets a draft once, when it is there. */
  fill: (draft: WebhookDraft) => void;
}

/** A description in words, out of which a model drafts the form. */
export function DraftByWords({ sample, fill }: Props) {
  const [words, setWords] = useState("");
  const ask = useMutation({ mutationFn: () => draftWebhook(words, sample) });
  const task = ask.data?.task_id ?? "";
  const draft = useQuery(draftQuery(task));
  const filled = useRef("");
  const told = task ? draft.data : undefined;
  useEffect(() => {
    if (told?.state !== "done" || filled.current === told.task_id) return;
    filled.current = told.task_id;
    fill(told);
  });
  const working = ask.isPending || (task !== "" && (!told || told.state === "working"));
  const failed = ask.error?.message ?? draft.error?.message;

  return (
    <div className="rounded-md border border-line bg-sunken p-3">
      <Field label={t("hookDraft.words")} hint={t("hookDraft.hint")} optional={t("form.optional")}>
        {(ids) => (
          <TextArea {...ids} rows={3} value={words} onChange={(event) => setWords(event.target.value)} />
        )}
      </Field>
      <div className="mt-2 flex flex-wrap items-center gap-3">
        <Button size="sm" busy={working} disabled={words.trim() === ""} onClick={() => ask.mutate()}>
          {t(told?.state === "done" ? "hookDraft.again" : "hookDraft.draft")}
        </Button>
        {working && (
          <span role="status" className="flex items-center gap-2 text-ink-2">
            <Spinner /> {t("hookDraft.working")}
          </span>
        )}
        {task && (
          <Link to="/tasks/$id" params={{ id: task }} className="text-mini text-accent hover:underline">
            {t("hookDraft.task")}
          </Link>
        )}
      </div>
      {ask.data?.removed && <p className="mt-2 text-need">{t("hookDraft.removed")}</p>}
      {failed && (
        <p role="alert" className="mt-2 text-bad">
          {visible(failed)}
        </p>
      )}
      {told?.state === "waiting" && (
        <p role="status" className="mt-2 text-need">
          {t("hookDraft.waiting", { problem: visible(told.problem) })}
        </p>
      )}
      {told?.state === "failed" && (
        <p role="alert" className="mt-2 text-bad">
          {t("hookDraft.failed", { problem: visible(told.problem) })}
        </p>
      )}
      {told?.state === "done" && (
        <div role="status" className="mt-2">
          <p className="text-good">{t("hookDraft.done")}</p>
          <ul className="mt-1 list-disc space-y-0.5 pl-5 text-need">
            {told.notes.map((note) => (
              <li key={note} className="wrap-anywhere">
                <Visible text={note} />
              </li>
            ))}
          </ul>
        </div>
      )}
    </div>
  );
}
