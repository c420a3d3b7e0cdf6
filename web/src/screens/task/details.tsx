import { Link } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import type { TaskDetail } from "../../api/types";
import { Ago } from "../../components/ago";
import { CopyButton, Hash } from "../../components/copy";
import { Markdown } from "../../components/markdown";
import { SourceLink } from "../../components/source-link";
import { Visible } from "../../components/visible";
import { t } from "../../i18n/task";
import { personOf, shortId, sourceName } from "../../lib/format";

const LONG_TEXT = 600;

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="flex gap-3 py-1">
      <dt className="w-24 shrink-0 text-ink-3">{name}</dt>
      <dd className="min-w-0 flex-1 break-words">{children}</dd>
    </div>
  );
}

/** What was asked for; long texts are cut so that they push nothing else away. */
function RequestText({ text }: { text: string }) {
  const [open, setOpen] = useState(false);
  const long = text.length > LONG_TEXT;
  return (
    <>
      <div className="[&_.prose]:text-ui [&_.prose]:leading-5">
        <Markdown text={long && !open ? `${text.slice(0, LONG_TEXT)}…` : text} warn="text" />
      </div>
      {long && (
        <button
          type="button"
          onClick={() => setOpen(!open)}
          className="mt-1 text-mini font-medium text-accent hover:underline"
        >
          {open ? t("action.showLess") : t("action.showAll")}
        </button>
      )}
    </>
  );
}

export function Details({ task }: { task: TaskDetail }) {
  const { source, run } = task;
  return (
    <div className="space-y-5">
      <section>
        <h2 className="mb-1.5 text-mini font-semibold text-ink-3">{t("details.request")}</h2>
        {task.text.trim() ? (
          <RequestText text={task.text} />
        ) : (
          <p className="text-ink-3">{t("details.noText")}</p>
        )}
      </section>
      {task.summary && (
        <section>
          <h2 className="mb-1.5 text-mini font-semibold text-ink-3">{t("claim.says")}</h2>
          <RequestText text={task.summary} />
        </section>
      )}
      {run?.observed && (
        <section>
          <h2 className="mb-1.5 text-mini font-semibold text-ink-3">{t("claim.observed")}</h2>
          <p>
            <Visible text={run.observed} />
          </p>
        </section>
      )}
      <section>
        <h2 className="mb-1 text-mini font-semibold text-ink-3">{t("details.properties")}</h2>
        <dl>
          <Fact name={t("details.source")}>
            <SourceLink
              name={sourceName(source)}
              url={source.url}
              className="inline-flex max-w-full items-center gap-0.5 text-accent hover:underline"
            />
            {source.author && (
              <span className="text-ink-3">
                {" "}
                <Visible text={t("details.by", { who: source.author })} />
              </span>
            )}
          </Fact>
          {task.requester && task.requester !== `${source.kind}:${source.author}` && (
            <Fact name={t("details.requester")}>
              <Visible text={personOf(task.requester)} />
            </Fact>
          )}
          {task.repo && (
            <Fact name={t("details.repo")}>
              <Visible text={task.repo} />
            </Fact>
          )}
          {task.base_commit && (
            <Fact name={t("details.base")}>
              <Hash value={task.base_commit} label={t("details.base")} />
            </Fact>
          )}
          {task.branch && (
            <Fact name={t("details.branch")}>
              <span className="flex items-center gap-1">
                <span className="min-w-0 font-mono text-mini break-all">
                  <Visible text={task.branch} />
                </span>
                <CopyButton text={task.branch} label={t("details.copyBranch")} className="-my-1" />
              </span>
            </Fact>
          )}
          {task.pull_request > 0 && (
            <Fact name={t("details.pullRequest")}>
              <SourceLink
                name={`#${task.pull_request}`}
                url={task.result_url}
                className="inline-flex max-w-full items-center gap-0.5 text-accent hover:underline"
              />
              {task.merged_by && (
                <span className="text-ink-3">
                  {" "}
                  <Visible text={t("details.merged", { who: task.merged_by })} />
                </span>
              )}
              {task.reverted_by && (
                <span className="text-bad">
                  {" "}
                  <Visible text={t("details.reverted", { who: task.reverted_by })} />
                </span>
              )}
            </Fact>
          )}
          {task.commit && (
            <Fact name={t("details.commit")}>
              <Hash value={task.commit} label={t("details.commit")} />
            </Fact>
          )}
          {task.work_kind && (
            <Fact name={t("details.kind")}>
              <Visible text={task.work_kind} />
            </Fact>
          )}
          {task.risk && <Fact name={t("details.risk")}>{task.risk}</Fact>}
          {task.triage_reason && (
            <Fact name={t("details.triage")}>
              <Visible text={task.triage_reason} />
              {task.decided_by && <span className="text-ink-3"> ({task.decided_by})</span>}
            </Fact>
          )}
          {run?.worker && <Fact name={t("details.worker")}>{run.worker}</Fact>}
          {task.attempt > 0 && (
            <Fact name={t("details.attempt")}>
              {t("details.attemptOf", { attempt: task.attempt, round: task.round })}
            </Fact>
          )}
          {run?.model && <Fact name={t("details.model")}>{run.model}</Fact>}
          {run?.cli_version && <Fact name={t("details.cli")}>{run.cli_version}</Fact>}
          {task.parent && (
            <Fact name={t("details.parent")}>
              <Link
                to="/tasks/$id"
                params={{ id: task.parent }}
                className="font-mono text-mini text-accent hover:underline"
              >
                …{shortId(task.parent)}
              </Link>
            </Fact>
          )}
          <Fact name={t("details.created")}>
            <Ago at={task.created_at} />
          </Fact>
          <Fact name={t("details.updated")}>
            <Ago at={task.updated_at} />
          </Fact>
        </dl>
      </section>
    </div>
  );
}
