import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Download } from "lucide-react";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { timelineQuery } from "../../../api/queries";
import type { TaskDetail, TimelineItem } from "../../../api/types";
import { EmptyState } from "../../../components/empty-state";
import { Spinner } from "../../../components/spinner";
import { Button } from "../../../components/ui/button";
import { ChoiceMenu } from "../../../components/ui/menu";
import { t } from "../../../i18n/task";
import { isAllowed } from "../../../lib/actions";
import { clock, count, shortId } from "../../../lib/format";
import { save } from "../../../lib/save";
import { isOver } from "../../../lib/status";
import { useLive } from "../../../live/provider";
import { attemptsOf, withAttempts } from "../../../transcript/attempts";
import { attemptName, stopsOf } from "../../../transcript/endings";
import { type Entry, isError, type Row, rowsOf, searchText } from "../../../transcript/entries";
import { inputsOf, withInputs } from "../../../transcript/inputs";
import { findAll, patternOf, type Query } from "../../../transcript/search";
import type { LogView } from "../../../transcript/store";
import { Composer } from "./composer";
import { estimateHeight } from "./height";
import { highlight } from "./highlight";
import { RawLine } from "./raw-line";
import { LogRow, type RowContext } from "./rows";
import { SearchBar } from "./search-bar";
import { VirtualList } from "./virtual-list";

const NO_ITEMS: readonly TimelineItem[] = [];

type Mode = "conversation" | "raw";

/** The cwd of the agent that speaks at each point, for showing paths as the repository's. */
const cwdOf = (entries: readonly Entry[]): string =>
  entries.findLast((entry) => entry.kind === "phase")?.cwd ?? "";

export function OutputPanel({ task, log }: { task: TaskDetail; log: LogView }) {
  const { refresher } = useLive();
  const queries = useQueryClient();
  const timeline = useQuery(timelineQuery(refresher, queries, task.id)).data;
  const [mode, setMode] = useState<Mode>("conversation");
  const [errorsOnly, setErrorsOnly] = useState(false);
  const [query, setQuery] = useState<Query>({ text: "", regex: false });
  const [at, setAt] = useState(0);
  const [toggled, setToggled] = useState<ReadonlySet<string>>(new Set());
  const toggle = useCallback(
    (key: string) =>
      setToggled((old) => {
        const next = new Set(old);
        if (!next.delete(key)) next.add(key);
        return next;
      }),
    [],
  );

  const atRest = isOver(task.status) || task.status === "in-review";
  const live = !atRest && task.status !== "awaiting-approval";
  const items = timeline?.items ?? NO_ITEMS;
  const entries = useMemo(
    () => withInputs(withAttempts(log.entries, attemptsOf(items)), inputsOf(items)),
    [log.entries, items],
  );
  const stops = useMemo(() => stopsOf(items), [items]);
  const shown = useMemo(() => (errorsOnly ? entries.filter(isError) : entries), [entries, errorsOnly]);
  const rows = useMemo(() => rowsOf(shown, toggled), [shown, toggled]);

  const pattern = useMemo(() => patternOf(query), [query]);
  const texts = useMemo(() => {
    if (!pattern) return [];
    return mode === "raw" ? log.lines.map(({ line }) => JSON.stringify(line)) : shown.map(searchText);
  }, [pattern, mode, log.lines, shown]);
  const matches = useMemo(() => findAll(texts, pattern), [texts, pattern]);
  const match = matches[Math.min(at, matches.length - 1)];

  const wanted = useRef<string | null>(null);
  const [target, setTarget] = useState<{ index: number } | null>(null);
  const step = (by: number) => {
    if (matches.length === 0) return;
    const next = (Math.min(at, matches.length - 1) + by + matches.length) % matches.length;
    setAt(next);
    reveal(next);
  };
  /** Brings a match on the screen: out of its group, out of its folded card, into the middle. */
  const reveal = (nth: number) => {
    const found = matches[nth];
    if (!found) return;
    if (mode === "raw") return setTarget({ index: found.index });
    const key = shown[found.index]?.key;
    if (!key) return;
    const group = rows.find((row) => row.kind === "group" && row.tools.some((tool) => tool.key === key));
    wanted.current = key;
    setToggled((old) => {
      const next = new Set([...old, `open:${key}`, ...(group ? [group.key] : [])]);
      next.delete(`closed:${key}`);
      return next;
    });
  };
  useEffect(() => {
    if (!wanted.current) return;
    const index = rows.findIndex((row) => row.key === wanted.current);
    if (index < 0) return;
    wanted.current = null;
    setTarget({ index });
  }, [rows]);

  const onPaint = useCallback((scroller: HTMLElement) => highlight(scroller, pattern), [pattern]);
  useEffect(() => () => highlight(null, null), []);

  const context: RowContext = {
    cwd: useMemo(() => cwdOf(log.entries), [log.entries]),
    live,
    toggled,
    toggle,
    stops,
    current: match && mode === "conversation" ? (shown[match.index]?.key ?? "") : "",
  };
  const hidden = errorsOnly ? entries.length - shown.length : 0;
  const empty = mode === "raw" ? log.lines.length === 0 : rows.length === 0;
  const startAtEnd = live || task.status === "failed";

  return (
    <div className="flex min-h-0 flex-1 flex-col max-lg:h-[calc(100dvh-5.5rem)] max-lg:flex-none">
      <div className="flex shrink-0 flex-wrap items-center gap-x-2 gap-y-2 border-b px-3 py-2 sm:px-6">
        <Segments
          value={mode}
          onChange={(next) => {
            setMode(next);
            setAt(0);
            setTarget(null);
          }}
        />
        {mode === "conversation" && (
          <Button
            size="sm"
            look="quiet"
            aria-pressed={errorsOnly}
            onClick={() => setErrorsOnly(!errorsOnly)}
            className="aria-pressed:bg-bad-soft aria-pressed:text-bad"
          >
            {t("output.errorsOnly")}
          </Button>
        )}
        {mode === "conversation" && <AttemptJump rows={rows} go={(index) => setTarget({ index })} />}
        <span className="flex-1" />
        <SearchBar
          query={query}
          onQuery={(next) => {
            setQuery(next);
            setAt(0);
          }}
          count={matches.length}
          at={match ? Math.min(at, matches.length - 1) + 1 : 0}
          valid={!query.text || pattern !== null}
          step={step}
          first={() => reveal(Math.min(at, matches.length - 1))}
        />
        <Button
          size="sm"
          look="quiet"
          disabled={log.lines.length === 0}
          onClick={() => save(asJsonLines(log), `${shortId(task.id)}.jsonl`, "application/jsonl")}
        >
          <Download size={14} aria-hidden />
          <span className="max-sm:sr-only">{t("action.download")}</span>
        </Button>
      </div>
      {hidden > 0 && (
        <p role="status" className="shrink-0 border-b px-3 py-1.5 text-mini text-ink-2 sm:px-6">
          {t("output.hidden", { n: hidden })}{" "}
          <button
            type="button"
            onClick={() => setErrorsOnly(false)}
            className="font-medium text-accent underline underline-offset-2"
          >
            {t("filters.clear")}
          </button>
        </p>
      )}
      {empty ? (
        <div className="min-h-0 flex-1">
          <Empty log={log} live={live} errorsOnly={errorsOnly} />
        </div>
      ) : mode === "raw" ? (
        <VirtualList
          key="raw"
          label={t("output.rawLabel")}
          count={log.lines.length}
          lines={log.lines.length}
          keyOf={(index) => String(log.lines[index]?.seq ?? index)}
          estimate={() => 24}
          startAtEnd={startAtEnd}
          target={target}
          onPaint={onPaint}
          render={(index) => {
            const line = log.lines[index];
            return line && <RawLine line={line} open={toggled.has(`raw:${line.seq}`)} toggle={toggle} />;
          }}
        />
      ) : (
        <VirtualList
          key="conversation"
          label={t("output.label")}
          count={rows.length}
          lines={log.lines.length}
          keyOf={(index) => rows[index]?.key ?? String(index)}
          estimate={(index) => estimateHeight(rows[index])}
          startAtEnd={startAtEnd}
          target={target}
          onPaint={onPaint}
          render={(index) => {
            const row = rows[index];
            return row && <LogRow row={row} context={context} />;
          }}
        />
      )}
      <Announcer log={log} />
      {(task.status === "executing" || (atRest && isAllowed(task, "follow-up"))) && <Composer task={task} />}
    </div>
  );
}

const asJsonLines = (log: LogView): string =>
  log.lines.map(({ seq, actor, line }) => JSON.stringify({ seq, actor, line })).join("\n");

/** Leads to the beginning of an attempt; one alone is no choice. */
function AttemptJump({ rows, go }: { rows: readonly Row[]; go: (index: number) => void }) {
  const attempts = rows.flatMap((row, index) => (row.kind === "attempt" ? [{ row, index }] : []));
  if (attempts.length < 2) return null;
  return (
    <ChoiceMenu
      label={t("attempt.jump")}
      value=""
      choices={[
        { value: "", label: t("attempt.choose") },
        ...attempts.map(({ row, index }) => ({
          value: String(index),
          label: attemptName(row),
          ...(row.at !== null && { hint: clock(row.at) }),
        })),
      ]}
      onChange={(index) => index && go(Number(index))}
    />
  );
}

function Segments({ value, onChange }: { value: Mode; onChange: (mode: Mode) => void }) {
  return (
    <fieldset className="flex rounded-md border border-line-strong bg-panel p-0.5">
      <legend className="sr-only">{t("output.view")}</legend>
      {(["conversation", "raw"] as const).map((mode) => (
        <button
          key={mode}
          type="button"
          aria-pressed={value === mode}
          onClick={() => onChange(mode)}
          className="h-6 rounded px-2 text-mini font-medium text-ink-3 hover:text-ink aria-pressed:bg-hover aria-pressed:text-ink"
        >
          {t(`output.${mode}`)}
        </button>
      ))}
    </fieldset>
  );
}

function Empty({ log, live, errorsOnly }: { log: LogView; live: boolean; errorsOnly: boolean }) {
  if (log.state === "loading")
    return (
      <p className="flex items-center gap-2 p-6 text-ink-3">
        <Spinner /> {t("output.loading")}
      </p>
    );
  if (errorsOnly && log.entries.length > 0) return <EmptyState title={t("output.noErrors")} />;
  if (log.state === "lost") return <EmptyState title={t("output.lost")}>{t("output.lostHint")}</EmptyState>;
  if (log.state === "failed")
    return <EmptyState title={t("output.failed")}>{t("output.failedHint")}</EmptyState>;
  return (
    <EmptyState title={live ? t("output.waiting") : t("output.none")}>
      {live ? t("output.waitingHint") : t("output.noneHint")}
    </EmptyState>
  );
}

const ANNOUNCE_EVERY_MS = 15_000;

/** Tells a screen reader now and then how much came, instead of every line of it. */
function Announcer({ log }: { log: LogView }) {
  const latest = useRef(log);
  latest.current = log;
  const [said, setSaid] = useState("");
  useEffect(() => {
    let lines = latest.current.lines.length;
    let errors = latest.current.entries.filter(isError).length;
    const timer = setInterval(() => {
      const now = latest.current;
      const moreLines = now.lines.length - lines;
      const nowErrors = now.entries.filter(isError).length;
      if (moreLines > 0)
        setSaid(t("output.announce", { n: count(moreLines), errors: count(nowErrors - errors) }));
      lines = now.lines.length;
      errors = nowErrors;
    }, ANNOUNCE_EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  return (
    <p role="status" className="sr-only">
      {said}
    </p>
  );
}
