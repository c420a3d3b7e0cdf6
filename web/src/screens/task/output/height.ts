import type { Row, ToolEntry } from "../../../transcript/entries";
import { editOf } from "../../../transcript/tools";
import { OPEN_LINES, PREVIEW_LINES } from "./tool-card";

const LINE = 20;
const PROSE_LINE = 24;
const PROSE_CHARS = 110;

/** Counts lines no further than anybody wants to know. */
function linesUpTo(text: string, most: number): number {
  let lines = 1;
  for (let at = text.indexOf("\n"); at >= 0 && lines < most; at = text.indexOf("\n", at + 1)) lines++;
  return lines;
}

const block = (lines: number, limit: number): number =>
  lines === 0 ? 0 : 13 + Math.min(lines, limit) * LINE + (lines > limit ? 22 : 0);

function toolHeight(tool: ToolEntry): number {
  const header = 42;
  const edit = editOf(tool);
  if (edit) return header + block(edit.filter((line) => line.sign !== " ").length, PREVIEW_LINES) - 4;
  const text = tool.output.trimEnd();
  if (tool.state === "error" || tool.state === "denied")
    return header + block(linesUpTo(text, OPEN_LINES + 1), OPEN_LINES);
  return tool.name === "Bash" && text
    ? header + block(linesUpTo(text, PREVIEW_LINES + 1), PREVIEW_LINES)
    : header;
}

/** A row's height in pixels before anybody has measured it: the nearer, the less a long log jumps and recounts. */
export function estimateHeight(row: Row | undefined): number {
  switch (row?.kind) {
    case "tool":
      return toolHeight(row);
    case "text":
      return Math.max(
        42,
        16 + PROSE_LINE * Math.max(linesUpTo(row.text, 40), Math.ceil(row.text.length / PROSE_CHARS)),
      );
    case "phase":
      return 48;
    case "attempt":
      return 60;
    case "said":
      return row.prompt ? 24 : 44;
    case "notice":
    case "thinking":
      return 24;
    case "result":
      return row.ok || row.stopped ? 32 : 68;
    default:
      return 40;
  }
}
