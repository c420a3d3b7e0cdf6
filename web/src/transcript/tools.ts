import { type Key, t } from "../i18n/task";
import type { ToolEntry } from "./entries";

const VERBS: Record<string, Key> = {
  Bash: "tool.bash",
  Read: "tool.read",
  Write: "tool.write",
  Edit: "tool.edit",
  MultiEdit: "tool.edit",
  NotebookEdit: "tool.edit",
  Glob: "tool.glob",
  Grep: "tool.grep",
  LS: "tool.list",
  WebFetch: "tool.fetch",
  WebSearch: "tool.websearch",
  Agent: "tool.agent",
  Task: "tool.agent",
  TodoWrite: "tool.todo",
  StructuredOutput: "tool.structured",
  AskUserQuestion: "tool.ask",
};

const text = (value: unknown): string => (typeof value === "string" ? value : "");

/** What the call does, in one word; a tool we do not know keeps its own name. */
export function verbOf(tool: ToolEntry): string {
  const known = VERBS[tool.name];
  if (known) return t(known);
  const [, server, name] = /^mcp__(.+?)__(.+)$/.exec(tool.name) ?? [];
  return server && name ? t("tool.mcp", { server, name }) : tool.name;
}

/** Paths inside the agent's own working copy are shown as the repository's paths. */
export function shortPath(path: string, cwd: string): string {
  return cwd && path.startsWith(`${cwd}/`) ? path.slice(cwd.length + 1) : path;
}

/** What the call works on, in one line. */
export function targetOf(tool: ToolEntry, cwd: string): string {
  const { input } = tool;
  const path = text(input.file_path) || text(input.notebook_path);
  if (path) return shortPath(path, cwd);
  const first =
    text(input.command) ||
    text(input.pattern) ||
    text(input.url) ||
    text(input.query) ||
    text(input.description) ||
    text(input.path) ||
    text(input.summary);
  return shortPath(first.split("\n", 1)[0] ?? "", cwd);
}

export interface Asked {
  question: string;
  options: string[];
}

const records = (value: unknown): Record<string, unknown>[] =>
  Array.isArray(value) ? value.filter((each) => typeof each === "object" && each !== null) : [];

/** What an agent asks a person, or null for a call that asks nobody. */
export function askedOf({ name, input }: ToolEntry): Asked[] | null {
  if (name !== "AskUserQuestion") return null;
  return records(input.questions).map(({ question, options }) => ({
    question: text(question),
    options: records(options)
      .map(({ label }) => text(label))
      .filter(Boolean),
  }));
}

export interface EditLine {
  sign: "+" | "-" | " ";
  text: string;
}

/** What an edit takes out and puts in, or null for a call that is no edit. */
export function editOf(tool: ToolEntry): EditLine[] | null {
  const { input } = tool;
  const lines = (sign: "+" | "-", value: unknown): EditLine[] =>
    text(value) === ""
      ? []
      : text(value)
          .replace(/\n$/, "")
          .split("\n")
          .map((each) => ({ sign, text: each }));
  if (tool.name === "Write") return lines("+", input.content);
  if (tool.name === "Edit") return trimCommon(lines("-", input.old_string), lines("+", input.new_string));
  if (tool.name === "MultiEdit" && Array.isArray(input.edits))
    return input.edits.flatMap((edit: Record<string, unknown>) =>
      trimCommon(lines("-", edit.old_string), lines("+", edit.new_string)),
    );
  return null;
}

/** The lines that both sides begin and end with are context, not change. */
function trimCommon(before: EditLine[], after: EditLine[]): EditLine[] {
  let head = 0;
  while (head < before.length && head < after.length && before[head]?.text === after[head]?.text) head++;
  let tail = 0;
  while (
    tail < before.length - head &&
    tail < after.length - head &&
    before.at(-1 - tail)?.text === after.at(-1 - tail)?.text
  )
    tail++;
  const same = (line: EditLine): EditLine => ({ sign: " ", text: line.text });
  return [
    ...before.slice(0, head).map(same),
    ...before.slice(head, before.length - tail),
    ...after.slice(head, after.length - tail),
    ...before.slice(before.length - tail).map(same),
  ];
}
