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
import type { Operation } from "./api/types";
import { EmptyState } from "./components/empty-state";
import { Shell } from "./components/shell";
import { Button } from "./components/ui/button";
import { type Key, t } from "./i18n";
import { parseFilters } from "./lib/filters";
import { parseView } from "./screens/task/view";
import { TasksScreen } from "./screens/tasks/screen";

function NotFound() {
  return (
    <main id="main">
      <EmptyState title={t("notFound.title")}>
        <h1 className="sr-only">{t("notFound.title")}</h1>
        <Link to="/" className="text-accent underline">
          {t("notFound.back")}
        </Link>
      </EmptyState>
    </main>
  );
}

/** A fault in one screen leaves the shell standing and says what to do. */
function ErrorPage({ error }: ErrorComponentProps) {
  return (
    <main id="main" className="flex-1">
      <h1 className="sr-only">{t("errorPage.title")}</h1>
      <EmptyState title={t("errorPage.title")}>
        <p>{t("errorPage.text")}</p>
        <pre className="my-4 rounded-md border bg-sunken p-3 text-left font-mono text-mini wrap-anywhere whitespace-pre-wrap">
          {error instanceof Error ? error.message : String(error)}
        </pre>
        <Button onClick={() => location.reload()}>{t("errorPage.reload")}</Button>
      </EmptyState>
    </main>
  );
}

const root = createRootRoute({
  component: Shell,
  notFoundComponent: NotFound,
  // Every link leads on within the replay; an address that is shared or reloaded is still in it.
  validateSearch: (): { replay?: string } => (REPLAY ? { replay: REPLAY } : {}),
  search: { middlewares: [retainSearchParams(["replay"])] },
});

const tasks = createRoute({
  getParentRoute: () => root,
  path: "/",
  staticData: { nav: "nav.tasks" },
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

const chat = createRoute({
  getParentRoute: () => root,
  path: "/chat",
  staticData: { nav: "nav.chat" },
  component: lazyRouteComponent(() => import("./screens/chat/screen"), "ChatScreen"),
});

const talk = createRoute({
  getParentRoute: () => root,
  path: "/chat/$id",
  component: lazyRouteComponent(() => import("./screens/chat/screen"), "TalkScreen"),
});

const webhooks = createRoute({
  getParentRoute: () => root,
  path: "/hooks",
  staticData: { nav: "nav.webhooks" },
  component: lazyRouteComponent(() => import("./screens/webhooks/screen"), "WebhooksScreen"),
});

const system = createRoute({
  getParentRoute: () => root,
  path: "/system",
  staticData: { nav: "nav.system" },
  component: lazyRouteComponent(() => import("./screens/system/screen"), "SystemScreen"),
});

const people = createRoute({
  getParentRoute: () => root,
  path: "/people",
  staticData: { nav: "nav.people", needs: "listUsers" },
  component: lazyRouteComponent(() => import("./screens/people/screen"), "PeopleScreen"),
});

const account = createRoute({
  getParentRoute: () => root,
  path: "/account",
  component: lazyRouteComponent(() => import("./screens/account/screen"), "AccountScreen"),
});

export const router = createRouter({
  routeTree: root.addChildren([tasks, tasksAlias, task, chat, talk, webhooks, system, people, account]),
  defaultPreload: "intent",
  defaultErrorComponent: ErrorPage,
  defaultPreloadStaleTime: 0,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
  /** The words that a route has in the navigation; without them it is reached from other screens only. */
  interface StaticDataRouteOption {
    nav?: Key;
    /** Whom it is for: in the navigation only of those who may do this. */
    needs?: Operation;
  }
}
