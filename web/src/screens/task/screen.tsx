import { Tabs } from "@base-ui/react/tabs";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import clsx from "clsx";
import { useEffect, useMemo, useState } from "react";
import { ApiError } from "../../api/client";
import { isExpected, taskQuery } from "../../api/queries";
import { REPLAY } from "../../api/replay";
import type { TaskDetail } from "../../api/types";
import { EmptyState } from "../../components/empty-state";
import { Spinner } from "../../components/spinner";
import { Button } from "../../components/ui/button";
import { t } from "../../i18n/task";
import { count, money } from "../../lib/format";
import { brokenOf } from "../../lib/proof";
import { useShortcuts } from "../../lib/shortcuts";
import { useWaiting } from "../../lib/system";
import { useTitle } from "../../lib/title";
import { useLive } from "../../live/provider";
import { Callouts } from "./callouts";
import { Changes } from "./changes";
import { Checks } from "./checks";
import { CostTable } from "./cost";
import { Details } from "./details";
import { Header } from "./header";
import { OutputPanel } from "./output/panel";
import { useLog } from "./output/use-log";
import { PlanPanel } from "./plan";
import { TimelinePanel } from "./timeline";
import { firstTab, type Tab, tabsOf } from "./view";

const route = getRouteApi("/tasks/$id");
const ASK_AGAIN_MS = 1_000;

export function TaskScreen() {
  const { id } = route.useParams();
  // Another task is another page: nothing of the one before may linger in it.
  return <TaskPage key={id} id={id} />;
}

function TaskPage({ id }: { id: string }) {
  const { client, refresher } = useLive();
  const query = useQuery({
    ...taskQuery(refresher, id),
    refetchInterval: ({ state }) => (!state.data && isExpected(id) ? ASK_AGAIN_MS : false),
  });
  useEffect(() => client.watchTask(id), [client, id]);
  const task = query.data?.task;
  useTitle(task ? t("title.task", { title: task.title || t("task.untitled") }) : t("app.name"), useWaiting());

  if (task) return <Loaded task={task} />;
  const missing = query.error instanceof ApiError && query.error.status === 404;
  const failed = query.isError && !(missing && isExpected(id));
  return (
    <main id="main" className="flex-1">
      <h1 className="sr-only">{t("task.heading")}</h1>
      {failed ? (
        <EmptyState title={missing ? t(REPLAY ? "replay.noTask" : "task.notFound") : t("task.failedToLoad")}>
          <p role="alert">
            {missing ? t(REPLAY ? "replay.noTaskHint" : "task.notFoundHint") : query.error?.message}
          </p>
          <p className="mt-4 flex justify-center gap-3">
            <Link to="/" className="text-accent underline">
              {t("notFound.back")}
            </Link>
            {!missing && (
              <Button size="sm" onClick={() => void query.refetch()}>
                {t("action.tryAgain")}
              </Button>
            )}
          </p>
        </EmptyState>
      ) : (
        <p className="flex items-center gap-2 p-8 text-ink-3">
          <Spinner /> {t("task.loading")}
        </p>
      )}
    </main>
  );
}

function useTab(task: TaskDetail): [Tab, (tab: Tab) => void] {
  const search = route.useSearch();
  const navigate = useNavigate({ from: "/tasks/$id" });
  // Chosen once: a plan that arrives while somebody reads the output must not take the page away from them.
  const [first] = useState(() => firstTab(task));
  const go = (tab: Tab) => void navigate({ search: (old) => ({ ...old, tab }), replace: true });
  const asked = search.tab && tabsOf(task).includes(search.tab) ? search.tab : undefined;
  return [asked ?? first, go];
}

function tabNote(tab: Tab, task: TaskDetail): { text: string; bad?: boolean } | null {
  switch (tab) {
    case "plan":
      return task.plans.length > 1 ? { text: `v${task.plans.at(-1)?.version ?? ""}` } : null;
    case "changes":
      return task.run?.files.length ? { text: count(task.run.files.length) } : null;
    case "checks": {
      const failed = brokenOf(task.run).length;
      if (failed > 0) return { text: t("checks.failedShort", { n: failed }), bad: true };
      return task.run?.checks.length ? { text: count(task.run.checks.length) } : null;
    }
    case "cost":
      return task.cost_microusd > 0 ? { text: money(task.cost_microusd) } : null;
    default:
      return null;
  }
}

function Loaded({ task }: { task: TaskDetail }) {
  const [tab, go] = useTab(task);
  const navigate = useNavigate();
  const tabs = tabsOf(task);
  const numbered = useMemo(
    () => Object.fromEntries(tabs.slice(0, 6).map((each, index) => [String(index + 1), each])),
    [tabs],
  );
  useShortcuts({
    ...Object.fromEntries(Object.entries(numbered).map(([key, each]) => [key, () => go(each)])),
    u: () => void navigate({ to: "/" }),
  });
  const [wantsLog, setWantsLog] = useState(tab === "output");
  if (tab === "output" && !wantsLog) setWantsLog(true);
  const log = useLog(task.id, wantsLog);

  return (
    <main id="main" className="flex min-h-0 flex-1 flex-col">
      <Header task={task} turns={log.turns} />
      <Callouts task={task} tab={tab} go={go} />
      <div className="flex min-h-0 flex-1">
        <Tabs.Root
          value={tab}
          onValueChange={(next) => go(next as Tab)}
          className="flex min-h-0 min-w-0 flex-1 flex-col"
        >
          <Tabs.List
            aria-label={t("tabs.label")}
            activateOnFocus
            className="sticky top-12 z-10 flex shrink-0 gap-4 overflow-x-auto border-b bg-page px-3 [scrollbar-width:none] sm:px-6 lg:static"
          >
            {tabs.map((each) => {
              const note = tabNote(each, task);
              return (
                <Tabs.Tab
                  key={each}
                  value={each}
                  className={clsx(
                    "-mb-px flex h-10 shrink-0 items-center gap-1.5 border-b-2 border-transparent px-0.5 font-medium text-ink-3 hover:text-ink",
                    "focus-visible:-outline-offset-2 data-[active]:border-accent data-[active]:text-ink",
                    each === "details" && "xl:hidden",
                  )}
                >
                  {t(`tab.${each}`)}
                  {note && (
                    <span
                      className={clsx(
                        "text-mini font-normal tabular-nums",
                        note.bad ? "text-bad" : "text-ink-3",
                      )}
                    >
                      {note.text}
                    </span>
                  )}
                </Tabs.Tab>
              );
            })}
          </Tabs.List>
          <Panel tab="plan">
            <PlanPanel task={task} />
          </Panel>
          <Panel tab="output" fill>
            <OutputPanel task={task} log={log} />
          </Panel>
          <Panel tab="changes">
            <Changes task={task} />
          </Panel>
          <Panel tab="checks">
            <Checks task={task} />
          </Panel>
          <Panel tab="timeline">
            <TimelinePanel task={task} />
          </Panel>
          <Panel tab="cost">
            <CostTable task={task} />
          </Panel>
          <Panel tab="details">
            <div className="px-3 py-4 sm:px-6">
              <Details task={task} />
            </div>
          </Panel>
        </Tabs.Root>
        <aside
          aria-label={t("tab.details")}
          className="hidden w-80 shrink-0 overflow-y-auto border-l px-5 py-4 xl:block"
        >
          <Details task={task} />
        </aside>
      </div>
    </main>
  );
}

/** A tab's content scrolls by itself on large screens; `fill` panels bring their own scroller. */
function Panel({ tab, fill, children }: { tab: Tab; fill?: boolean; children: React.ReactNode }) {
  return (
    <Tabs.Panel
      value={tab}
      className={clsx("min-h-0 flex-1 outline-none", fill ? "flex flex-col" : "lg:overflow-y-auto")}
    >
      <h2 className="sr-only">{t(`tab.${tab}`)}</h2>
      {children}
    </Tabs.Panel>
  );
}
