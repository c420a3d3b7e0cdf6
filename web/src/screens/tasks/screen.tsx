import { getRouteApi } from "@tanstack/react-router";
import { Fragment, lazy, Suspense, useCallback, useMemo, useRef, useState } from "react";
import { REPLAY } from "../../api/replay";
import { EmptyState } from "../../components/empty-state";
import { Spinner } from "../../components/spinner";
import { Button } from "../../components/ui/button";
import { t } from "../../i18n";
import { hiddenBy, isFiltered } from "../../lib/filters";
import { count } from "../../lib/format";
import { useShortcuts } from "../../lib/shortcuts";
import { grouped, total } from "../../lib/status";
import { useNeedsYou, useSystem, useWaiting } from "../../lib/system";
import { useTitle } from "../../lib/title";
import { useTasks } from "./data";
import { Filters } from "./filters";
import { TaskItem } from "./item";

/** Only an empty list needs it, once. */
const FirstSteps = lazy(() => import("./first-steps").then((module) => ({ default: module.FirstSteps })));

const route = getRouteApi("/");
const NONE: readonly string[] = [];

/** j and k walk over the rows' links, so that Enter, middle click and screen readers work as on any link. */
function useRowKeys() {
  const list = useRef<HTMLDivElement>(null);
  const move = useCallback((step: number) => {
    const links = [...(list.current?.querySelectorAll<HTMLElement>("a[data-row]") ?? [])];
    const at = links.indexOf(document.activeElement as HTMLElement);
    const next = links[at < 0 ? (step > 0 ? 0 : links.length - 1) : at + step];
    next?.focus();
    next?.scrollIntoView({ block: "nearest" });
  }, []);
  useShortcuts({ j: () => move(1), k: () => move(-1), ArrowDown: () => move(1), ArrowUp: () => move(-1) });
  return list;
}

export function TasksScreen() {
  const filters = route.useSearch();
  const navigate = route.useNavigate();
  const { list, tasks } = useTasks(filters);
  const system = useSystem();
  const rows = useRowKeys();
  const forYou = useNeedsYou();
  const groups = useMemo(() => grouped(tasks), [tasks]);
  const [trying, setTrying] = useState(false);
  useTitle(t("title.tasks"), useWaiting());

  const all = total(system?.tasks ?? list.data?.pages[0]?.counts ?? {});
  const hidden = hiddenBy(filters, all, tasks.length, !list.hasNextPage);
  const clear = () => void navigate({ search: {}, replace: true });

  return (
    <main id="main" className="min-h-0 flex-1 lg:overflow-y-auto">
      <div className="mx-auto max-w-[76rem] px-3 pb-16 sm:px-6">
        <div className="flex flex-wrap items-center gap-x-4 gap-y-2 pt-5 pb-3">
          <h1 className="text-lg font-semibold tracking-tight">{t("tasks.title")}</h1>
          <Filters
            filters={filters}
            counts={system?.tasks ?? {}}
            sources={list.data?.pages[0]?.sources ?? NONE}
            onChange={(next) => void navigate({ search: next, replace: true })}
          />
        </div>
        {isFiltered(filters) && list.data && (
          <p role="status" className="pb-2 text-mini text-ink-2">
            {hidden === null ? t("filters.hiddenSome") : t("filters.hidden", { n: hidden })}{" "}
            <button
              type="button"
              onClick={clear}
              className="font-medium text-accent underline underline-offset-2"
            >
              {t("filters.clear")}
            </button>
          </p>
        )}

        {list.isPending && (
          <div className="flex items-center gap-2 py-16 text-ink-3">
            <Spinner /> {t("tasks.loading")}
          </div>
        )}
        {list.isError && !list.data && (
          <EmptyState title={t("tasks.failed")}>
            <p role="alert">{list.error.message}</p>
            <Button className="mt-4" onClick={() => void list.refetch()}>
              {t("action.tryAgain")}
            </Button>
          </EmptyState>
        )}
        {list.data &&
          tasks.length === 0 &&
          (isFiltered(filters) ? <NoMatch clear={clear} /> : REPLAY && <NothingYet />)}
        {list.data && !REPLAY && !isFiltered(filters) && (trying || tasks.length === 0) && (
          <Suspense>
            <FirstSteps
              keep={() => setTrying(true)}
              done={tasks.length > 0 ? () => setTrying(false) : undefined}
            />
          </Suspense>
        )}

        <div ref={rows} className="space-y-5">
          {groups.map(({ group, tasks: members }) => (
            <Fragment key={group}>
              <section aria-labelledby={`group-${group}`}>
                <h2
                  id={`group-${group}`}
                  className="sticky top-12 z-10 flex items-baseline gap-2 bg-page py-1.5 text-mini font-semibold text-ink-2 lg:top-0"
                >
                  {t(group === "needs-you" && forYou.length === 0 ? "group.needs-others" : `group.${group}`)}
                  <span className="font-normal text-ink-3 tabular-nums">
                    {count(members.length)}
                    {group === "done" && list.hasNextPage && "+"}
                  </span>
                </h2>
                <ul className="overflow-hidden rounded-lg border bg-panel">
                  {members.map((task) => (
                    <TaskItem key={task.id} task={task} />
                  ))}
                </ul>
              </section>
            </Fragment>
          ))}
        </div>
        {list.hasNextPage && (
          <div className="pt-4 text-center">
            <Button busy={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
              {t("tasks.more")}
            </Button>
          </div>
        )}
      </div>
    </main>
  );
}

function NothingYet() {
  return <EmptyState title={t("replay.nothingYet")}>{t("replay.nothingYetHint")}</EmptyState>;
}

function NoMatch({ clear }: { clear: () => void }) {
  return (
    <EmptyState title={t("filters.noMatch")}>
      <Button className="mt-3" onClick={clear}>
        {t("filters.clearAll")}
      </Button>
    </EmptyState>
  );
}
