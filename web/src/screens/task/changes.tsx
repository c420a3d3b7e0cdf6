import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense } from "react";
import { diffQuery } from "../../api/queries";
import type { TaskDetail } from "../../api/types";
import { EmptyState } from "../../components/empty-state";
import { Spinner } from "../../components/spinner";
import { t } from "../../i18n/task";
import { isOver } from "../../lib/status";
import { Notes } from "./notes";

const DiffView = lazy(() => import("./diff-view").then((module) => ({ default: module.DiffView })));

function Loading() {
  return (
    <p className="flex items-center gap-2 p-6 text-ink-3">
      <Spinner /> {t("changes.loading")}
    </p>
  );
}

export function Changes({ task }: { task: TaskDetail }) {
  const commit = task.commit || task.run?.commit || "";
  const query = useQuery({ ...diffQuery(task.id, commit), enabled: commit !== "" });
  if (!commit)
    return (
      <EmptyState title={isOver(task.status) ? t("changes.none") : t("changes.notYet")}>
        {isOver(task.status) ? t("changes.noneHint") : t("changes.notYetHint")}
      </EmptyState>
    );
  if (query.isPending) return <Loading />;
  if (query.isError)
    return (
      <EmptyState title={t("changes.failed")}>
        <p role="alert">{query.error.message}</p>
      </EmptyState>
    );
  if (!query.data.trim()) return <EmptyState title={t("changes.empty")}>{t("changes.emptyHint")}</EmptyState>;
  return (
    <>
      <Notes notes={task.run?.notes ?? []} />
      <Suspense fallback={<Loading />}>
        <DiffView task={task} text={query.data} />
      </Suspense>
    </>
  );
}
