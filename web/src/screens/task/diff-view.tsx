import clsx from "clsx";
import { ChevronDown, ChevronRight, Columns2, Download, Rows2 } from "lucide-react";
import { useMemo, useState } from "react";
import {
  Decoration,
  Diff,
  type FileData,
  Hunk,
  type HunkTokens,
  parseDiff,
  type RenderToken,
  type TokenNode,
} from "react-diff-view";
import type { TaskDetail } from "../../api/types";
import { CopyButton, Hash } from "../../components/copy";
import { Button } from "../../components/ui/button";
import { HiddenMark, HiddenWarning, Visible } from "../../components/visible";
import { t } from "../../i18n/task";
import { count, shortId } from "../../lib/format";
import { useMedia } from "../../lib/media";
import { save } from "../../lib/save";
import { hiddenIn, partsOf, visible } from "../../lib/visible";

/** A file with more changed lines than this is rendered only when asked for. */
const LARGE_FILE_LINES = 1_500;

interface FileView {
  file: FileData;
  path: string;
  added: number;
  removed: number;
  /** How often each hidden character occurs in its lines and names. */
  hidden: Map<number, number>;
  /** The lines that have hidden characters, in pieces. */
  tokens: HunkTokens;
}

/** A line without what ends it: the CR of a CRLF is none of its characters. */
const lineOf = ({ content }: { content: string }): string => content.replace(/\r$/, "");

/** Only what has something hidden is cut into pieces; the view shows all other lines as they are. */
function tokensOf(file: FileData): HunkTokens {
  const tokens: HunkTokens = { old: [], new: [] };
  for (const change of file.hunks.flatMap((hunk) => hunk.changes)) {
    const parts = partsOf(lineOf(change));
    if (!parts.some((part) => typeof part === "number")) continue;
    const line = parts.map(
      (part): TokenNode =>
        typeof part === "string" ? { type: "text", value: part } : { type: "hidden", code: part },
    );
    if (change.type !== "insert")
      tokens.old[(change.type === "normal" ? change.oldLineNumber : change.lineNumber) - 1] = line;
    if (change.type !== "delete")
      tokens.new[(change.type === "normal" ? change.newLineNumber : change.lineNumber) - 1] = line;
  }
  return tokens;
}

const renderToken: RenderToken = (token, renderDefault, index) =>
  token.type === "hidden" ? (
    <HiddenMark key={index} code={Number(token.code)} />
  ) : (
    renderDefault(token, index)
  );

function viewOf(file: FileData): FileView {
  const changes = file.hunks.flatMap((hunk) => hunk.changes);
  return {
    file,
    path: file.type === "delete" ? file.oldPath : file.newPath,
    added: changes.filter((change) => change.type === "insert").length,
    removed: changes.filter((change) => change.type === "delete").length,
    hidden: hiddenIn([...new Set([file.oldPath, file.newPath]), ...changes.map(lineOf)]),
    tokens: tokensOf(file),
  };
}

function together(files: readonly FileView[]): Map<number, number> {
  const all = new Map<number, number>();
  for (const { hidden } of files) for (const [code, n] of hidden) all.set(code, (all.get(code) ?? 0) + n);
  return all;
}

function Counts({ added, removed }: { added: number; removed: number }) {
  return (
    <span className="shrink-0 font-mono text-mini tabular-nums">
      <span className="text-good">+{count(added)}</span> <span className="text-bad">−{count(removed)}</span>
    </span>
  );
}

export function DiffView({ task, text }: { task: TaskDetail; text: string }) {
  const files = useMemo(() => parseDiff(text).map(viewOf), [text]);
  const wide = useMedia("(min-width: 1024px)");
  const [split, setSplit] = useState(false);
  const added = files.reduce((sum, file) => sum + file.added, 0);
  const removed = files.reduce((sum, file) => sum + file.removed, 0);
  const view = split && wide ? "split" : "unified";
  const hidden = useMemo(() => together(files), [files]);

  return (
    <div className="px-3 py-4 sm:px-6">
      <div className="mb-3 flex flex-wrap items-center gap-x-4 gap-y-2">
        <h3 className="font-medium">{t("changes.files", { n: files.length })}</h3>
        <Counts added={added} removed={removed} />
        {task.commit && (
          <span className="flex max-w-full min-w-0 items-center gap-1 text-ink-3">
            {t("details.commit")} <Hash value={task.commit} label={t("details.commit")} />
            {task.branch && (
              <span className="max-w-72 min-w-0 truncate font-mono text-mini">
                <Visible text={task.branch} />
              </span>
            )}
          </span>
        )}
        <span className="flex-1" />
        {wide && (
          <Button size="sm" look="quiet" aria-pressed={split} onClick={() => setSplit(!split)}>
            {split ? <Rows2 size={14} aria-hidden /> : <Columns2 size={14} aria-hidden />}
            {split ? t("changes.unified") : t("changes.split")}
          </Button>
        )}
        <Button size="sm" look="quiet" onClick={() => save(text, `${shortId(task.id)}.diff`, "text/x-diff")}>
          <Download size={14} aria-hidden />
          {t("action.download")}
        </Button>
      </div>
      <HiddenWarning what="diff" found={hidden}>
        <ul className="mt-1">
          {files.map(
            ({ path, hidden: here }, index) =>
              here.size > 0 && (
                <li key={path}>
                  <a href={`#file-${index}`} className="font-mono text-mini wrap-anywhere underline">
                    <Visible text={path} />
                  </a>
                </li>
              ),
          )}
        </ul>
      </HiddenWarning>
      <div className="flex items-start gap-5">
        {files.length > 1 && (
          <nav aria-label={t("changes.fileList")} className="sticky top-4 hidden w-60 shrink-0 lg:block">
            <ul>
              {files.map(({ path, added: plus, removed: minus }, index) => (
                <li key={path}>
                  <a
                    href={`#file-${index}`}
                    title={visible(path)}
                    className="flex items-baseline gap-2 rounded-md px-2 py-1 hover:bg-hover"
                  >
                    <span className="min-w-0 flex-1 truncate font-mono text-mini [direction:rtl] text-left">
                      <bdi>
                        <Visible text={path} />
                      </bdi>
                    </span>
                    <Counts added={plus} removed={minus} />
                  </a>
                </li>
              ))}
            </ul>
          </nav>
        )}
        <div className="min-w-0 flex-1 space-y-3">
          {files.map((file, index) => (
            <FileDiff key={file.path} view={file} id={`file-${index}`} layout={view} />
          ))}
        </div>
      </div>
    </div>
  );
}

function FileDiff({ view, id, layout }: { view: FileView; id: string; layout: "unified" | "split" }) {
  const { file, path, added, removed } = view;
  const [open, setOpen] = useState(added + removed <= LARGE_FILE_LINES);
  const binary = file.isBinary || file.hunks.length === 0;
  return (
    <section
      id={id}
      aria-label={visible(path)}
      className="scroll-mt-24 overflow-hidden rounded-lg border bg-panel lg:scroll-mt-4"
    >
      <div className={clsx("flex items-center gap-2 bg-sunken py-1 pr-2 pl-1.5", open && "border-b")}>
        <button
          type="button"
          aria-expanded={open}
          aria-label={t(open ? "changes.collapse" : "changes.expand", { path: visible(path) })}
          onClick={() => setOpen(!open)}
          className="grid size-6 place-items-center rounded text-ink-3 hover:bg-hover"
        >
          {open ? <ChevronDown size={14} aria-hidden /> : <ChevronRight size={14} aria-hidden />}
        </button>
        <h4 className="min-w-0 flex-1 font-mono text-mini font-medium break-all">
          {file.type === "rename" && file.oldPath !== file.newPath && (
            <span className="text-ink-3">
              <Visible text={file.oldPath} />
              {" → "}
            </span>
          )}
          <Visible text={path} />
        </h4>
        <CopyButton text={path} label={t("copy.path")} />
        {file.type !== "modify" && <span className="text-mini text-ink-3">{t(`changes.${file.type}`)}</span>}
        <Counts added={added} removed={removed} />
      </div>
      {open && binary && <p className="px-4 py-3 text-ink-3">{t("changes.noText")}</p>}
      {open && !binary && (
        <div className="overflow-x-auto">
          <Diff
            viewType={layout}
            diffType={file.type}
            hunks={file.hunks}
            tokens={view.tokens}
            renderToken={renderToken}
          >
            {(hunks) =>
              hunks.flatMap((hunk) => [
                <Decoration key={`at:${hunk.content}`}>
                  <span className="font-mono">
                    <Visible text={hunk.content} />
                  </span>
                </Decoration>,
                <Hunk key={hunk.content} hunk={hunk} />,
              ])
            }
          </Diff>
        </div>
      )}
    </section>
  );
}
