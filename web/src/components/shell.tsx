import { type AnyRoute, type AnyRouter, Link, Outlet, useRouter } from "@tanstack/react-router";
import clsx from "clsx";
import { CircleUser, Keyboard, Monitor, Moon, Plus, Sun, TriangleAlert } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { REPLAY } from "../api/replay";
import { t } from "../i18n";
import { compact, money } from "../lib/format";
import { useMay, useMe, useRoleChanges } from "../lib/me";
import { useShortcuts } from "../lib/shortcuts";
import { useSystem, useWaiting } from "../lib/system";
import { setTheme, type Theme, useTheme } from "../lib/theme";
import { visible } from "../lib/visible";
import { ConnectionBanner, ConnectionPill } from "./connection";
import { ReplayBanner } from "./replay";
import { Button, IconButton } from "./ui/button";
import { Tip } from "./ui/tip";

/** Dialogs come when they are first opened, and stay: their drafts and their way out are theirs. */
const loadNewTask = () => import("./new-task");
const NewTask = lazy(() => loadNewTask().then((module) => ({ default: module.NewTask })));
const ShortcutHelp = lazy(() =>
  import("./shortcut-help").then((module) => ({ default: module.ShortcutHelp })),
);

/** Whether it has ever been true. */
function useOnce(now: boolean): boolean {
  const [ever, setEver] = useState(now);
  if (now && !ever) setEver(true);
  return ever;
}

const NAV =
  "h-8 shrink-0 items-center gap-2 rounded-md px-1 max-sm:text-mini sm:px-2.5 font-medium text-ink-2 hover:bg-hover hover:text-ink aria-[current=page]:text-ink";
const NEXT_THEME: Record<Theme, Theme> = { system: "light", light: "dark", dark: "system" };
const THEME_ICON = { system: Monitor, light: Sun, dark: Moon };

function ThemeToggle() {
  const theme = useTheme();
  const Icon = THEME_ICON[theme];
  return (
    <IconButton
      label={t("theme.toggle", { theme: t(`theme.${theme}`) })}
      onClick={() => setTheme(NEXT_THEME[theme])}
    >
      <Icon size={16} aria-hidden />
    </IconButton>
  );
}

/** What the system cannot do just now, and how to mend it. */
function Troubles() {
  const system = useSystem();
  if (REPLAY) return null;
  return (
    <>
      {system?.projector_problem && (
        <Trouble title={t("system.projectorAway")} problem={system.projector_problem} />
      )}
      {system?.agents_ready === false && (
        <Trouble title={t("agents.notReady")} problem={system.agents_problem} />
      )}
      {system && system.parked > 0 && (
        <Trouble title={t("system.parked", { n: system.parked })} problem={t("system.parkedHint")} />
      )}
    </>
  );
}

function Trouble({ title, problem }: { title: string; problem: string }) {
  return (
    <div
      role="status"
      className="flex items-start gap-3 border-b border-need-line bg-need-soft px-4 py-2 text-need"
    >
      <TriangleAlert size={15} aria-hidden className="mt-0.5 shrink-0" />
      <p>
        <strong className="font-semibold">{title}</strong> {problem}
      </p>
    </div>
  );
}

/** The screens that have words in the navigation (`staticData` of their routes), in the order of the routes. */
const navigation = (router: AnyRouter) =>
  Object.values<AnyRoute>(router.routesById).flatMap(({ fullPath, options }) =>
    options.staticData?.nav
      ? [{ path: fullPath, words: options.staticData.nav, needs: options.staticData.needs }]
      : [],
  );

/** Who one is here, and the way to one's account. */
function AccountLink() {
  const me = useMe();
  const label = me ? t("nav.accountOf", { who: visible(me.name), role: me.role }) : t("nav.account");
  return (
    <Tip label={label}>
      <Link
        to="/account"
        aria-label={label}
        className="grid size-8 shrink-0 place-items-center rounded-md text-ink-2 hover:bg-hover hover:text-ink aria-[current=page]:text-ink"
      >
        <CircleUser size={16} aria-hidden />
      </Link>
    </Tip>
  );
}

export function Shell() {
  const router = useRouter();
  const [creating, setCreating] = useState(false);
  const [helping, setHelping] = useState(false);
  const [created, helped] = [useOnce(creating), useOnce(helping)];
  const system = useSystem();
  const waiting = useWaiting();
  const may = useMay();
  useRoleChanges();
  const opens = may("openTask");
  const me = useMe();
  const screens = navigation(router).filter(({ needs }) => !needs || me?.may.includes(needs));
  useShortcuts({ c: () => setCreating(opens && !REPLAY), "?": () => setHelping(true) });

  return (
    <div className="flex min-h-dvh flex-col lg:h-dvh">
      <a
        href="#main"
        className="sr-only z-50 rounded-md bg-accent-fill px-3 py-2 text-white focus:not-sr-only focus:absolute focus:top-2 focus:left-2"
      >
        {t("nav.skip")}
      </a>
      <header className="sticky top-0 z-30 flex h-12 shrink-0 items-center gap-1 border-b bg-panel px-3 sm:px-4">
        <Link to="/" className="mr-1 flex shrink-0 items-center gap-2 font-semibold tracking-tight sm:mr-3">
          <img src="/favicon.svg" alt="" width={22} height={22} />
          <span className="text-sm max-sm:sr-only">{t("app.name")}</span>
        </Link>
        <nav
          aria-label={t("nav.label")}
          className="flex min-w-0 items-center overflow-x-auto [scrollbar-width:none]"
        >
          {screens.map(({ path, words, needs }) => (
            <Link
              key={path}
              to={path}
              activeOptions={{ includeSearch: false }}
              // A phone has no room for what few need: the account page leads there.
              className={clsx(needs ? "hidden sm:flex" : "flex", NAV)}
            >
              {t(words)}
              {path === "/" && waiting > 0 && (
                <span
                  title={t("needsYou.count", { n: waiting })}
                  className="grid h-[1.125rem] min-w-[1.125rem] place-items-center rounded-full bg-need-soft px-1 text-[0.6875rem] font-semibold text-need tabular-nums"
                >
                  {waiting}
                </span>
              )}
            </Link>
          ))}
        </nav>
        <div className="flex-1" />
        {system && (
          <p className="mr-2 hidden text-mini text-ink-3 tabular-nums md:block">
            {system.demo && (
              <span
                title={t("system.demoHint")}
                className="mr-3 rounded border border-line-strong px-1.5 py-0.5 font-medium text-ink-2"
              >
                {t("system.demo")}
              </span>
            )}
            <span title={t("cost.title", { tokens: compact(system.tokens_today) })}>
              {t(REPLAY ? "system.costThatDay" : "system.costToday", {
                cost: money(system.cost_today_microusd),
              })}
            </span>
          </p>
        )}
        <ConnectionPill />
        <span className="max-sm:hidden">
          <IconButton label={t("shortcuts.open")} onClick={() => setHelping(true)}>
            <Keyboard size={16} aria-hidden />
          </IconButton>
        </span>
        <span className="max-sm:hidden">
          <ThemeToggle />
        </span>
        <AccountLink />
        {opens && (
          <Button
            look="primary"
            size="sm"
            className="ml-1.5"
            disabled={REPLAY !== ""}
            onPointerEnter={() => void loadNewTask()}
            onClick={() => setCreating(true)}
          >
            <Plus size={14} aria-hidden />
            <span className="max-sm:sr-only">{t("newTask.open")}</span>
          </Button>
        )}
      </header>
      <ReplayBanner />
      <ConnectionBanner />
      <Troubles />
      <Outlet />
      <Suspense>
        {created && <NewTask open={creating} onOpenChange={setCreating} />}
        {helped && <ShortcutHelp open={helping} onOpenChange={setHelping} />}
      </Suspense>
    </div>
  );
}
