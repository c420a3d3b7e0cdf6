import clsx from "clsx";
import { Info, TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";
import type { Note } from "../../api/types";
import { Visible } from "../../components/visible";
import { t } from "../../i18n/task";

const WARNINGS: readonly string[] = [
  "setup-failed",
  "fewer-tests",
  "exit-code-hidden",
  "submodule-edits",
] satisfies Note["kind"][];

/** What a person should know of a result before they read it: warnings in amber first, the rest in grey. */
export function Notes({ notes }: { notes: readonly Note[] }) {
  if (notes.length === 0) return null;
  const judges = notes.filter((note) => note.kind === "judge-changed");
  const others = notes.filter((note) => note.kind !== "judge-changed");
  const isWarning = (note: Note) => WARNINGS.includes(note.kind);
  return (
    <ul aria-label={t("notes.label")} className="space-y-2 px-3 pt-4 sm:px-6">
      {judges.length > 0 && (
        <Box warning>
          <strong className="font-semibold">{t("notes.judgeChanged")}</strong>
          {judges.map((note, index) => (
            <p key={index} className="wrap-anywhere">
              <Visible text={note.sentence} />
            </p>
          ))}
        </Box>
      )}
      {[...others.filter(isWarning), ...others.filter((note) => !isWarning(note))].map((note, index) => (
        <Box key={index} warning={isWarning(note)}>
          <Visible text={note.sentence} />
        </Box>
      ))}
    </ul>
  );
}

function Box({ warning, children }: { warning: boolean; children: ReactNode }) {
  const Icon = warning ? TriangleAlert : Info;
  return (
    <li
      className={clsx(
        "flex gap-2.5 rounded-md border px-3 py-2",
        warning ? "border-need-line bg-need-soft text-need" : "bg-panel text-ink-2",
      )}
    >
      <Icon size={15} aria-hidden className="mt-0.5 shrink-0" />
      <div className="min-w-0 wrap-anywhere">{children}</div>
    </li>
  );
}
