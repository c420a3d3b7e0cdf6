import {
  createRootRoute,
  createRoute,
  createRouter,
  type ErrorComponentProps,
  Link,
  lazyRouteComponent,
  redirect,
  retainSearchParams,
} from "@tanstack/react-router";
import { REPLAY } from "./api/replay";
import { Nothing } from "./components/bits";
import { Shell } from "./components/shell";
import { Button } from "./components/ui/button";
import { t } from "./i18n";
import { parseFilters } from "./lib/filters";
import { parseView } from "./screens/task/view";
import { TasksScreen } from "./screens/tasks/screen";

function Lost() {
  return (
    <main id="main">
      <Nothing title={t("lost.title")}>
        <h1 className="sr-only">{t("lost.title")}</h1>
        <Link to="/" className="text-accent underline">
          {t("lost.back")}
        </Link>
      </Nothing>
    </main>
  );
}

/** A fault in one screen leaves the shell standing and says what to do. */
function Broken({ error }: ErrorComponentProps) {
  return (
    <main id="main" className="flex-1">
      <h1 className="sr-only">{t("broken.title")}</h1>
      <Nothing title={t("broken.title")}>
        <p>{t("broken.text")}</p>
        <pre className="my-4 rounded-md border bg-sunken p-3 text-left font-mono text-mini wrap-anywhere whitespace-pre-wrap">
          {error instanceof Error ? error.message : String(error)}
        </pre>
        <Button onClick={() => location.reload()}>{t("broken.reload")}</Button>
      </Nothing>
    </main>
  );
}

const root = createRootRoute({
  component: Shell,
  notFoundComponent: Lost,
  // Every link leads on within the replay; an address that is shared or reloaded is still in it.
  validateSearch: (): { replay?: string } => (REPLAY ? { replay: REPLAY } : {}),
  search: { middlewares: [retainSearchParams(["replay"])] },
});

const tasks = createRoute({
  getParentRoute: () => root,
  path: "/",
  validateSearch: parseFilters,
  component: TasksScreen,
});

const tasksAlias = createRoute({
  getParentRoute: () => root,
  path: "/tasks",
  beforeLoad: () => {
    throw redirect({ to: "/", replace: true });
  },
});

const task = createRoute({
  getParentRoute: () => root,
  path: "/tasks/$id",
  validateSearch: parseView,
  component: lazyRouteComponent(() => import("./screens/task/screen"), "TaskScreen"),
});

export const router = createRouter({
  routeTree: root.addChildren([tasks, tasksAlias, task]),
  defaultPreload: "intent",
  defaultErrorComponent: Broken,
  defaultPreloadStaleTime: 0,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
