import { useMutation, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { CircleCheck, CircleX, Send, TriangleAlert } from "lucide-react";
import { type ReactNode, useEffect, useState } from "react";
import { expectTask, reposQuery, sendTestEvent, taskQuery } from "../../api/queries";
import type { Delivered } from "../../api/types";
import { Command, Hash } from "../../components/copy";
import { Spinner } from "../../components/spinner";
import { statusLabel } from "../../components/status-badge";
import { Button } from "../../components/ui/button";
import { Select } from "../../components/ui/field";
import { Title, Visible } from "../../components/visible";
import { type Key, t } from "../../i18n/dialogs";
import { useMay } from "../../lib/me";
import { namesRepo, SETS_KEY, sendsWebhook, setsSecret, submits } from "../../lib/mends";
import { longStatusText } from "../../lib/status-text";
import { useSystem } from "../../lib/system";
import { useLive } from "../../live/provider";

const ASK_AGAIN_MS = 1_000;

function Card({ title, hint, children }: { title: Key; hint: string; children: ReactNode }) {
  return (
    <section className="min-w-0 rounded-lg border bg-panel p-4">
      <h3 className="font-semibold">{t(title)}</h3>
      <p className="mt-0.5 mb-3 text-ink-2">{hint}</p>
      {children}
    </section>
  );
}

function Missing({
  title,
  text,
  command,
  restart,
}: {
  title: Key;
  text: string;
  command: string;
  restart?: boolean;
}) {
  return (
    <li className="flex gap-3">
      <TriangleAlert size={15} aria-hidden className="mt-0.5 shrink-0 text-need" />
      <div className="min-w-0 flex-1">
        <h3 className="font-semibold text-need">{t(title)}</h3>
        <p className="mt-0.5 mb-2 text-ink-2">{text}</p>
        {command && <Command text={command} />}
        {restart && command && <p className="mt-1.5 text-mini text-ink-2">{t("mend.restart")}</p>}
      </div>
    </li>
  );
}

/** The first thing a newcomer sees: what this system still lacks, and how a task gets here. */
export function FirstSteps({ keep, done }: { keep: () => void; done: (() => void) | undefined }) {
  const may = useMay();
  const system = useSystem();
  const repos = useQuery(reposQuery).data;
  const names = repos?.items.map(({ name }) => name) ?? [];
  const webhook = system?.webhooks?.find(({ ready }) => ready);
  const unready = webhook ? undefined : system?.webhooks?.[0];
  const noRepo = repos?.items.length === 0;
  const noAgents = system?.agents_ready === false;
  const first = names[0];
  return (
    <div className="py-6">
      <div className="flex items-start gap-3">
        <h2 className="flex-1 text-base font-semibold tracking-tight">
          {t(done ? "empty.steps" : "empty.title")}
        </h2>
        {done && (
          <Button size="sm" onClick={done}>
            {t("action.close")}
          </Button>
        )}
      </div>
      <p className="mt-1 mb-4 max-w-prose text-ink-2">{t("empty.text")}</p>
      {(noRepo || unready || noAgents) && (
        <section
          aria-label={t("empty.missing")}
          className="mb-3 rounded-lg border border-need-line bg-need-soft p-4"
        >
          <ul className="grid items-start gap-4 lg:grid-cols-2">
            {noRepo && (
              <Missing
                title="mend.repo"
                text={t("mend.repo.text")}
                command={namesRepo(repos?.config_path ?? "")}
              />
            )}
            {noAgents && (
              <Missing
                title="mend.agents"
                text={system?.agents_problem ?? ""}
                command={system?.agents_problem.includes("ANTHROPIC_API_KEY") ? SETS_KEY : ""}
                restart
              />
            )}
            {unready && (
              <Missing
                title="mend.secret"
                text={t("mend.secret.text")}
                command={setsSecret(unready.sender)}
                restart
              />
            )}
          </ul>
        </section>
      )}
      <div className="grid items-start gap-3 lg:grid-cols-2">
        {first && webhook && may("sendTestEvent") && <TestEvent repos={names} keep={keep} />}
        {first && (
          <Card title="empty.cli" hint={t("empty.cliHint")}>
            <Command text={submits(first)} />
          </Card>
        )}
        {first && webhook && (
          <Card
            title="empty.webhook"
            hint={t(webhook.secret_file ? "empty.webhookHint" : "empty.webhookHintSecret")}
          >
            <Command
              text={sendsWebhook(webhook, {
                origin: location.origin,
                repo: first,
                mention: repos?.mention ?? "",
              })}
            />
          </Card>
        )}
      </div>
    </div>
  );
}

/** One click from here through signature, log and triage, and what became of it. */
function TestEvent({ repos, keep }: { repos: readonly string[]; keep: () => void }) {
  const [repo, setRepo] = useState(repos[0] ?? "");
  const send = useMutation({
    mutationFn: () => sendTestEvent(repo),
    // The list is not empty for long; this must outlive that.
    onMutate: keep,
    onSuccess: ({ task_id }) => task_id && expectTask(task_id),
  });
  return (
    <Card title="testEvent.title" hint={t("testEvent.hint")}>
      <div className="flex flex-wrap items-center gap-2">
        {repos.length > 1 && (
          <Select
            aria-label={t("newTask.repo")}
            value={repo}
            className="w-auto! max-w-full"
            onChange={(event) => setRepo(event.target.value)}
          >
            {repos.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </Select>
        )}
        <Button look="primary" busy={send.isPending} onClick={() => send.mutate()}>
          <Send size={14} aria-hidden />
          {t("testEvent.send")}
        </Button>
      </div>
      <div role="status" aria-label={t("testEvent.outcome")} className="mt-3 space-y-1.5 empty:hidden">
        {send.isError && <Told good={false}>{send.error.message}</Told>}
        {send.data && <Outcome told={send.data} />}
      </div>
    </Card>
  );
}

function Told({ good, children }: { good: boolean; children: ReactNode }) {
  const Icon = good ? CircleCheck : CircleX;
  return (
    <div className="flex gap-2">
      <Icon size={15} aria-hidden className={`mt-0.5 shrink-0 ${good ? "text-good" : "text-bad"}`} />
      <div className="min-w-0">{children}</div>
    </div>
  );
}

function Outcome({ told }: { told: Delivered }) {
  if (!told.delivery)
    return (
      <Told good={false}>
        {t("testEvent.refused", { status: told.status })} <Visible text={told.reason} />
      </Told>
    );
  return (
    <>
      <Told good>
        {t("testEvent.stored", { status: told.status })}{" "}
        <Hash value={told.delivery} label={t("testEvent.delivery")} />
      </Told>
      <TaskOf id={told.task_id} />
    </>
  );
}

/** The task that the delivery has become, as it stands. */
function TaskOf({ id }: { id: string }) {
  const { client, refresher } = useLive();
  useEffect(() => client.watchTask(id), [client, id]);
  const task = useQuery({
    ...taskQuery(refresher, id),
    refetchInterval: ({ state }) => (state.data ? false : ASK_AGAIN_MS),
  }).data?.task;
  if (!task)
    return (
      <div className="flex items-center gap-2 text-ink-3">
        <Spinner /> {t("testEvent.waiting")}
      </div>
    );
  return (
    <Told good={task.status !== "declined" && task.status !== "failed"}>
      {t("testEvent.task")}{" "}
      <Link to="/tasks/$id" params={{ id }} className="font-medium text-accent underline">
        <Title text={task.title} />
      </Link>
      <span className="block text-ink-2">
        {statusLabel(task.status)}: <Visible text={longStatusText(task)} />
      </span>
    </Told>
  );
}
