import { CircleAlert, CircleCheck, CircleMinus, CircleX } from "lucide-react";
import type { TaskDetail } from "../../api/types";
import { Markdown } from "../../components/markdown";
import { Button } from "../../components/ui/button";
import { Visible } from "../../components/visible";
import { t } from "../../i18n/task";
import { proofOf } from "../../lib/proof";
import { Callout } from "./callout";
import type { Tab } from "./view";

const LOOK = {
  "no-new-failures": { tone: "plain", icon: <CircleCheck size={16} aria-hidden /> },
  unverified: { tone: "need", icon: <CircleAlert size={16} aria-hidden /> },
  failing: { tone: "bad", icon: <CircleX size={16} aria-hidden /> },
} as const;

/** Why a task that is done is not simply green; nothing for one that is verified. */
export function ProofCallout({ task, tab, go }: { task: TaskDetail; tab: Tab; go: (tab: Tab) => void }) {
  const proof = proofOf(task);
  if (proof === null || proof === "verified") return null;
  if (proof === "nothing-to-change")
    return (
      <Callout tone="plain" icon={<CircleMinus size={16} aria-hidden />} title={t("proof.nothing-to-change")}>
        {task.summary && (
          <div className="mt-1">
            <Markdown text={task.summary} />
          </div>
        )}
        <p className="mt-1 text-ink-3">{t("proof.nothing-to-change.means")}</p>
      </Callout>
    );
  const { tone, icon } = LOOK[proof];
  const hasChecks = (task.run?.checks.length ?? 0) > 0;
  return (
    <Callout tone={tone} icon={icon} title={task.run?.observed || t(`proof.${proof}.title`)}>
      <p className="mt-0.5 text-ink-2">
        <Visible
          text={t(proof === "unverified" && !hasChecks ? "proof.unchecked.means" : `proof.${proof}.means`)}
        />
      </p>
      {hasChecks && tab !== "checks" && (
        <Button size="sm" className="mt-2.5" onClick={() => go("checks")}>
          {t("proof.showChecks")}
        </Button>
      )}
    </Callout>
  );
}
