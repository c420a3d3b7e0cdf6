import { useMutation } from "@tanstack/react-query";
import { REPLAY } from "../../api/replay";
import { decideProposal } from "../../api/talks";
import { Button } from "../../components/ui/button";
import { Title, Visible } from "../../components/visible";
import { t } from "../../i18n/chat";
import { personOf } from "../../lib/format";
import { useMay } from "../../lib/me";
import { useSystem } from "../../lib/system";
import { visible } from "../../lib/visible";
import { useLive } from "../../live/provider";
import { TaskLink } from "./task-link";
import type { Proposal } from "./turns";

function heading({ action, repo }: Proposal): string {
  if (action !== "submit") return t(`proposal.${action}`);
  return repo ? t("proposal.submitIn", { repo: visible(repo) }) : t("proposal.submit");
}

/** What is proposed, whole: what is confirmed is what stands here. */
export function ProposalCard({ talk, proposal }: { talk: string; proposal: Proposal }) {
  const { talked } = useLive();
  const may = useMay();
  const system = useSystem();
  const decide = useMutation({
    mutationFn: (verb: "confirm" | "dismiss") => decideProposal(talk, proposal.id, verb),
    onSuccess: ({ seq }) => talked(talk, seq),
  });
  const { action, decided, text, title } = proposal;
  const open = decided === null;
  const decides = may("confirmProposal");
  const title_ = heading(proposal);
  return (
    <section
      aria-label={`${t("proposal.label")}: ${title_}`}
      className={
        open ? "rounded-lg border border-need-line bg-need-soft p-3" : "rounded-lg border bg-sunken p-3"
      }
    >
      <h3 className="font-semibold">{title_}</h3>
      {action === "submit" ? (
        <>
          <p className="mt-1 font-medium wrap-anywhere">
            <Title text={title} />
          </p>
          {text.trim() !== title.trim() && <Whole text={text} />}
          {open && (
            <p className="mt-1 text-mini text-ink-2">
              {t(system?.approval === "auto" ? "proposal.approvalAuto" : "proposal.approvalRequired")}
            </p>
          )}
        </>
      ) : (
        <>
          <div className="mt-2">
            <TaskLink id={proposal.taskId} />
          </div>
          {text &&
            (action === "message" ? (
              <Whole text={text} />
            ) : (
              <p className="mt-2 wrap-anywhere text-ink-2">{t("proposal.why", { reason: visible(text) })}</p>
            ))}
        </>
      )}
      {open ? (
        <div className="mt-3 flex flex-wrap items-center gap-2">
          {!REPLAY && decides && (
            <Button
              look="primary"
              size="sm"
              busy={decide.isPending || decide.isSuccess}
              onClick={() => decide.mutate("confirm")}
            >
              {t("proposal.confirm")}
            </Button>
          )}
          {!REPLAY && may("dismissProposal") && (
            <Button
              size="sm"
              busy={decide.isPending || decide.isSuccess}
              onClick={() => decide.mutate("dismiss")}
            >
              {t("proposal.dismiss")}
            </Button>
          )}
          <span className="text-mini text-ink-2">{t(decides ? "proposal.waits" : "proposal.mayNot")}</span>
        </div>
      ) : (
        <p role="status" className="mt-2 text-mini text-ink-2">
          {t(decided.confirmed ? "proposal.confirmed" : "proposal.dismissed", {
            who: visible(personOf(decided.by)),
          })}
        </p>
      )}
      {action === "submit" && decided?.confirmed && (
        <div className="mt-2">
          <TaskLink id={proposal.taskId} />
        </div>
      )}
      {decide.error && (
        <p role="alert" className="mt-2 text-bad">
          {visible(decide.error.message)}
        </p>
      )}
    </section>
  );
}

function Whole({ text }: { text: string }) {
  return (
    <p className="mt-2 max-h-80 overflow-y-auto rounded-md border bg-panel p-2.5 wrap-anywhere whitespace-pre-wrap">
      <Visible text={text} />
    </p>
  );
}
