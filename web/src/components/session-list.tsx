import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { keys } from "../api/keys";
import { endSession, sessionsQuery } from "../api/people";
import { REPLAY } from "../api/replay";
import type { Session } from "../api/types";
import { t } from "../i18n/people";
import { browserName } from "../lib/browser-name";
import { visible } from "../lib/visible";
import { Ago } from "./ago";
import { ConfirmButton } from "./confirm-button";
import { Spinner } from "./spinner";
import { Visible } from "./visible";

/** Every browser in which somebody is logged in; `person` is empty for oneself. */
export function SessionList({ person = "" }: { person?: string }) {
  const sessions = useQuery(sessionsQuery(person));
  if (sessions.isPending) return <Spinner />;
  if (!sessions.data)
    return (
      <p role="alert" className="text-bad">
        {t("sessions.failed", { problem: visible(sessions.error.message) })}
      </p>
    );
  if (sessions.data.items.length === 0) return <p className="text-ink-3">{t("sessions.none")}</p>;
  return (
    <ul className="divide-y divide-line rounded-lg border bg-panel">
      {sessions.data.items.map((session) => (
        <SessionItem key={session.id} person={person} session={session} />
      ))}
    </ul>
  );
}

function SessionItem({ person, session }: { person: string; session: Session }) {
  const queries = useQueryClient();
  const end = useMutation({
    mutationFn: () => endSession(person, session.id),
    onSuccess: (left) => {
      queries.setQueryData(keys.sessions(person), left);
      void queries.invalidateQueries({ queryKey: keys.people });
    },
  });
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-1 px-4 py-2.5">
      <div className="min-w-0 flex-1">
        <p className="font-medium wrap-anywhere" title={visible(session.agent)}>
          <Visible text={browserName(session.agent) || t("sessions.unknown")} />
          {session.current && (
            <span className="ml-2 rounded border border-good-line bg-good-soft px-1.5 py-0.5 text-mini font-medium text-good">
              {t("sessions.current")}
            </span>
          )}
        </p>
        <p className="text-mini text-ink-3 wrap-anywhere">
          {session.address && `${t("sessions.from", { address: visible(session.address) })} · `}
          {t("sessions.began")} <Ago at={session.made_at} /> · {t("sessions.seen")}{" "}
          <Ago at={session.seen_at} />
        </p>
        {end.error && (
          <p role="alert" className="text-mini text-bad">
            {visible(end.error.message)}
          </p>
        )}
      </div>
      {!session.current && !REPLAY && (
        <ConfirmButton
          label={t("sessions.end")}
          title={t("sessions.endTitle")}
          text={t("sessions.endText")}
          busy={end.isPending}
          act={() => end.mutate()}
        />
      )}
    </li>
  );
}
