import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type FormEvent, type KeyboardEvent, useId, useMemo, useState } from "react";
import { keys } from "../api/keys";
import { createTask, expectTask, reposQuery } from "../api/queries";
import type { Directive, NewTask as Draft, Repos, TaskList } from "../api/types";
import { t } from "../i18n/dialogs";
import { Attempt } from "../lib/attempt";
import { namesRepo } from "../lib/mends";
import { useSystem } from "../lib/system";
import { visible } from "../lib/visible";
import { useLive } from "../live/provider";
import { Command } from "./copy";
import { Kbd } from "./kbd";
import { Button } from "./ui/button";
import { Modal } from "./ui/dialog";
import { Field, Input, Select, TextArea } from "./ui/field";

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
  // Without an answer (of an older gateway) any name may be right.
  const configured = useQuery(reposQuery).data;
  const repo = configured ? chosen(configured, draft.repo) : draft.repo.trim();
  const ready = draft.text.trim() !== "" && (!configured || repo !== "");
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
    if (!ready || create.isPending) return;
    create.mutate({
      text: draft.text.trim(),
      ...(draft.title.trim() && { title: draft.title.trim() }),
      ...(repo && { repo }),
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
        <RepoField
          configured={configured}
          value={repo}
          onChange={(next) => edit({ repo: next })}
          open={open}
        />
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
        <p role="status" className="mt-2 text-ink-2">
          <Then directive={draft.directive} />
        </p>
      </fieldset>
      {create.isError && (
        <p role="alert" className="rounded-md border border-bad-line bg-bad-soft px-3 py-2 text-bad">
          {visible(create.error.message)}
        </p>
      )}
      <div className="flex items-center justify-end gap-3">
        <span className="flex items-center gap-1 text-mini text-ink-3 max-sm:hidden">
          <Kbd>Ctrl</Kbd>
          <Kbd>↵</Kbd>
        </span>
        <Button type="submit" look="primary" busy={create.isPending} disabled={!ready}>
          {create.isPending ? t("newTask.sending") : t("newTask.send")}
        </Button>
      </div>
    </form>
  );
}

/** What comes after "Create task", in the words of this system's rules. */
function Then({ directive }: { directive: Directive }) {
  const approval = useSystem()?.approval === "auto" ? "auto" : "required";
  return directive === "implement" ? t("newTask.then.implement") : t(`newTask.then.${directive}.${approval}`);
}

/** The repository that the draft names among the configured ones, else the only one, else none. */
const chosen = ({ items }: Repos, name: string): string =>
  items.find((repo) => repo.name === name)?.name ?? (items.length === 1 ? (items[0]?.name ?? "") : "");

interface RepoProps {
  value: string;
  onChange: (repo: string) => void;
  open: boolean;
}

function RepoField({ configured, ...props }: RepoProps & { configured: Repos | undefined }) {
  if (!configured) return <AnyRepo {...props} />;
  const { items } = configured;
  if (items.length === 0)
    return (
      <div className="min-w-0 sm:col-span-2" role="alert">
        <p className="mb-1 font-medium">{t("newTask.repo")}</p>
        <p className="mb-2 text-need">{t("mend.repo.text")}</p>
        <Command text={namesRepo(configured.config_path)} />
      </div>
    );
  const repo = items.find((each) => each.name === props.value);
  const hint =
    repo &&
    [repo.base, t(`repo.setup.${repo.setup}`), t(`repo.checks.${repo.checks}`)].filter(Boolean).join(" · ");
  return (
    <Field label={t("newTask.repo")} {...(hint && { hint })}>
      {(ids) => (
        <Select
          {...ids}
          required
          value={props.value}
          onChange={(event) => props.onChange(event.target.value)}
        >
          {items.length > 1 && <option value="">{t("newTask.repoChoose")}</option>}
          {items.map(({ name }) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </Select>
      )}
    </Field>
  );
}

/** Free text, with the names that the lists have: for a gateway that does not say which repositories there are. */
function AnyRepo({ value, onChange, open }: RepoProps) {
  const repos = useKnownRepos(open);
  const repoList = useId();
  return (
    <Field label={t("newTask.repo")} optional={t("form.optional")}>
      {(ids) => (
        <>
          <Input
            {...ids}
            list={repoList}
            value={value}
            placeholder="owner/name"
            autoCapitalize="none"
            spellCheck={false}
            onChange={(event) => onChange(event.target.value)}
          />
          <datalist id={repoList}>
            {repos.map((repo) => (
              <option key={repo} value={repo} />
            ))}
          </datalist>
        </>
      )}
    </Field>
  );
}
