import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { doorsQuery } from "../../api/queries";
import type { Call, Door } from "../../api/types";
import { Ago } from "../../components/ago";
import { DoorCalls } from "../../components/door-calls";
import { DoorHealth } from "../../components/door-health";
import { EmptyState } from "../../components/empty-state";
import { Spinner } from "../../components/spinner";
import { Button } from "../../components/ui/button";
import { Title, Visible } from "../../components/visible";
import { t } from "../../i18n/webhooks";
import { useWaiting } from "../../lib/system";
import { useTitle } from "../../lib/title";
import { visible } from "../../lib/visible";

/** How the system fares at its doors. */
export function SystemScreen() {
  const doors = useQuery(doorsQuery);
  useTitle(t("doors.documentTitle"), useWaiting());
  return (
    <main id="main" className="min-h-0 flex-1 lg:overflow-y-auto">
      <div className="mx-auto max-w-[60rem] px-3 pb-16 sm:px-6">
        <h1 className="pt-5 pb-3 text-lg font-semibold tracking-tight">{t("doors.title")}</h1>
        <h2 className="font-semibold">{t("doors.senders")}</h2>
        <p className="pb-4 text-ink-2">{t("doors.what")}</p>
        {doors.isPending && (
          <div className="flex items-center gap-2 py-16 text-ink-3">
            <Spinner /> {t("doors.senders")}
          </div>
        )}
        {doors.isError && !doors.data && (
          <EmptyState title={t("doors.failed")}>
            <p role="alert">{visible(doors.error.message)}</p>
            <Button className="mt-4" onClick={() => void doors.refetch()}>
              {t("action.tryAgain")}
            </Button>
          </EmptyState>
        )}
        {doors.data?.incomplete && (
          <p
            role="status"
            className="mb-3 rounded-md border border-need-line bg-need-soft px-3 py-2 text-need"
          >
            <Visible text={doors.data.incomplete} />
          </p>
        )}
        <ul className="space-y-3">
          {doors.data?.items.map((door) => (
            <DoorItem key={door.name} door={door} />
          ))}
        </ul>
      </div>
    </main>
  );
}

function DoorItem({ door }: { door: Door }) {
  const unsigned = door.refusals_today["signature-invalid"] ?? 0;
  return (
    <li className="rounded-lg border bg-panel p-4">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <h3 className="min-w-0 font-semibold wrap-anywhere">
          {door.custom ? (
            <Link to="/hooks" className="hover:underline">
              {door.name}
            </Link>
          ) : (
            door.title
          )}
        </h3>
        <DoorHealth health={door.health} />
        {door.custom && <span className="text-mini text-ink-3">{t("doors.custom")}</span>}
      </div>
      {door.custom && door.title !== door.name && (
        <p className="mt-1 wrap-anywhere">
          <Title text={door.title} />
        </p>
      )}
      {door.problem && <p className="mt-1 text-need">{visible(door.problem)}</p>}
      <dl className="mt-2 grid gap-x-4 gap-y-1 text-mini sm:grid-cols-[9rem_1fr]">
        <dt className="text-ink-3">{t("doors.lastSuccess")}</dt>
        <dd>
          {door.last_success ? <Ago at={door.last_success} /> : t("doors.never")}
          {door.last_accepted?.task_id && (
            <Link
              to="/tasks/$id"
              params={{ id: door.last_accepted.task_id }}
              className="ml-2 text-accent hover:underline"
            >
              {t("doors.task")}
            </Link>
          )}
        </dd>
        <Last name={t("doors.lastRefused")} call={door.last_refused} ink="text-bad" />
        <Last name={t("doors.lastIgnored")} call={door.last_ignored} ink="text-ink-2" />
        <dt className="text-ink-3">{t("doors.today")}</dt>
        <dd>
          {t("doors.counts", {
            accepted: door.accepted_today,
            duplicates: door.duplicates_today,
            ignored: door.ignored_today,
            refused: door.refused_today,
          })}
          {unsigned > 0 && <span className="block text-bad">{t("doors.unsigned", { n: unsigned })}</span>}
        </dd>
      </dl>
      <DoorCalls door={door.name} label={t("doors.calls")} />
    </li>
  );
}

function Last({ name, call, ink }: { name: string; call: Call | null; ink: string }) {
  if (!call) return null;
  return (
    <>
      <dt className="text-ink-3">{name}</dt>
      <dd className="min-w-0 wrap-anywhere">
        <Ago at={call.at} /> · {call.status}{" "}
        <span className={ink}>
          <Visible text={call.reason} />
        </span>
      </dd>
    </>
  );
}
