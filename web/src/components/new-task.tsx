import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type FormEvent, type KeyboardEvent, useId, useMemo, useState } from "react";
import { keys } from "../api/keys";
import { createTask, expectTask } from "../api/queries";
import type { Directive, NewTask as Draft, TaskList } from "../api/types";
import { t } from "../i18n";
import { Attempt } from "../lib/attempt";
import { useLive } from "../live/provider";
import { Kbd } from "./kbd";
import { Button } from "./ui/button";
import { Modal } from "./ui/dialog";
import { Field, Input, TextArea } from "./ui/field";

const STORED = "journeyman.draft.new-task";
const EMPTY: Required<Draft> = { text: "", title: "", repo: "", directive: "auto" };
/** As the draft, it survives a closed dialog: what was sent and not answered is sent again with its key. */
const attempt = new Attempt();
const DIRECTIVES: readonly Directive[] = ["auto", "plan", "implement"];

/** A draft survives a reload and a closed dialog; it goes when the task is made. */
function readDraft(): Required<Draft> {
  try {
    return { ...EMPTY, ...(JSON.parse(sessionStorage.getItem(STORED) ?? "{}") as Draft) };
  } catch {
    return EMPTY;
  }
}

/** The repositories seen in the lists that are already here: names to choose from, without asking for more. */
function useKnownRepos(open: boolean): string[] {
  const queries = useQueryClient();
  return useMemo(() => {
    if (!open) return [];
    const pages = queries
      .getQueriesData<{ pages: TaskList[] }>({ queryKey: keys.lists })
      .flatMap(([, data]) => data?.pages ?? []);
    return [...new Set(pages.flatMap((page) => page.items.map((task) => task.repo)))].filter(Boolean).sort();
  }, [queries, open]);
}

export function NewTask({ open, onOpenChange }: { open: boolean; onOpenChange: (open: boolean) => void }) {
  return (
    <Modal
      open={open}
      onOpenChange={onOpenChange}
      title={t("newTask.title")}
      description={t("newTask.description")}
    >
      <Form open={open} done={() => onOpenChange(false)} />
    </Modal>
  );
}

function Form({ open, done }: { open: boolean; done: () => void }) {
  const [draft, setDraft] = useState(readDraft);
  const { changed } = useLive();
  const navigate = useNavigate();
  const repos = useKnownRepos(open);
  const repoList = useId();
  const create = useMutation({
    mutationFn: (task: Draft) => createTask(task, attempt.keyOf(task)),
    onSuccess: ({ id, seq }) => {
      attempt.done();
      sessionStorage.removeItem(STORED);
      setDraft(EMPTY);
      done();
      expectTask(id);
      changed(id, seq);
      void navigate({ to: "/tasks/$id", params: { id } });
    },
  });

  const edit = (change: Partial<Draft>) => {
    const next = { ...draft, ...change };
    setDraft(next);
    try {
      sessionStorage.setItem(STORED, JSON.stringify(next));
    } catch {
      // Then the draft lasts as long as the dialog.
    }
  };
  const submit = (event?: FormEvent) => {
    event?.preventDefault();
    if (!draft.text.trim() || create.isPending) return;
    create.mutate({
      text: draft.text.trim(),
      ...(draft.title.trim() && { title: draft.title.trim() }),
      ...(draft.repo.trim() && { repo: draft.repo.trim() }),
      ...(draft.directive !== "auto" && { directive: draft.directive }),
    });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Enter" && (event.metaKey || event.ctrlKey)) submit();
  };

  return (
    <form onSubmit={submit} onKeyDown={onKeyDown} className="space-y-4">
      <Field label={t("newTask.text")}>
        {(ids) => (
          <TextArea
            {...ids}
            required
            rows={6}
            value={draft.text}
            placeholder={t("newTask.textPlaceholder")}
            onChange={(event) => edit({ text: event.target.value })}
          />
        )}
      </Field>
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label={t("newTask.titleField")} optional={t("form.optional")}>
          {(ids) => (
            <Input
              {...ids}
              value={draft.title}
              placeholder={t("newTask.titlePlaceholder")}
              onChange={(event) => edit({ title: event.target.value })}
            />
          )}
        </Field>
        <Field label={t("newTask.repo")} optional={t("form.optional")}>
          {(ids) => (
            <>
              <Input
                {...ids}
                list={repoList}
                value={draft.repo}
                placeholder="owner/name"
                autoCapitalize="none"
                spellCheck={false}
                onChange={(event) => edit({ repo: event.target.value })}
              />
              <datalist id={repoList}>
                {repos.map((repo) => (
                  <option key={repo} value={repo} />
                ))}
              </datalist>
            </>
          )}
        </Field>
      </div>
      <fieldset>
        <legend className="mb-1 font-medium">{t("newTask.directive")}</legend>
        <div className="grid gap-2 sm:grid-cols-3">
          {DIRECTIVES.map((directive) => (
            <label
              key={directive}
              className="flex cursor-pointer gap-2 rounded-md border border-line-strong p-2.5 hover:bg-hover has-checked:border-accent has-checked:bg-accent-soft has-focus-visible:outline-2 has-focus-visible:outline-accent"
            >
              <input
                type="radio"
                name="directive"
                className="mt-0.5 accent-(--accent-fill)"
                checked={draft.directive === directive}
                onChange={() => edit({ directive })}
              />
              <span>
                <span className="block font-medium">{t(`directive.${directive}`)}</span>
                <span className="block text-mini text-ink-2">{t(`directive.${directive}.hint`)}</span>
              </span>
            </label>
          ))}
        </div>
      </fieldset>
      {create.isError && (
        <p role="alert" className="rounded-md border border-bad-line bg-bad-soft px-3 py-2 text-bad">
          {create.error.message}
        </p>
      )}
      <div className="flex items-center justify-end gap-3">
        <span className="flex items-center gap-1 text-mini text-ink-3 max-sm:hidden">
          <Kbd>Ctrl</Kbd>
          <Kbd>↵</Kbd>
        </span>
        <Button type="submit" look="primary" busy={create.isPending} disabled={!draft.text.trim()}>
          {create.isPending ? t("newTask.sending") : t("newTask.send")}
        </Button>
      </div>
    </form>
  );
}
