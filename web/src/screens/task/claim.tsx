import type { ReactNode } from "react";
import type { Run } from "../../api/types";
import { Markdown } from "../../components/markdown";
import { Visible } from "../../components/visible";
import { t } from "../../i18n/task";

const INK: Record<string, string> = {
  verified: "text-good",
  "no-new-failures": "text-good",
  unverified: "text-need",
  failing: "text-bad",
};

/** What the agent says of its work, beside what was seen of it; nothing while neither is there. */
export function Claim({ run, says }: { run: Run; says: ReactNode }) {
  if (!says && !run.observed) return null;
  return (
    <dl className="grid gap-3 sm:grid-cols-2">
      <div className="min-w-0 rounded-lg border bg-panel px-3 py-2.5">
        <dt className="mb-1 text-mini font-semibold text-ink-3">{t("claim.says")}</dt>
        <dd>{says || <span className="text-ink-3">{t("claim.nothing")}</span>}</dd>
      </div>
      <div className="min-w-0 rounded-lg border bg-panel px-3 py-2.5">
        <dt className="mb-1 text-mini font-semibold text-ink-3">{t("claim.observed")}</dt>
        <dd className={INK[run.evidence] ?? "text-ink-2"}>
          {run.observed ? <Visible text={run.observed} /> : t("claim.notYet")}
        </dd>
      </div>
    </dl>
  );
}

/** The agent's words at the size of the text around them. */
export const Says = ({ text }: { text: string }) =>
  text ? (
    <div className="[&_.prose]:text-ui [&_.prose]:leading-5">
      <Markdown text={text} warn="text" />
    </div>
  ) : null;
