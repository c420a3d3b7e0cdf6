import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { MOST_TALKS, talksQuery } from "../../api/talks";
import type { TalkRow } from "../../api/types";
import { Ago } from "../../components/ago";
import { EmptyState } from "../../components/empty-state";
import { Spinner } from "../../components/spinner";
import { Button } from "../../components/ui/button";
import { Input } from "../../components/ui/field";
import { Title } from "../../components/visible";
import { t } from "../../i18n/chat";
import { money, personOf } from "../../lib/format";
import { visible } from "../../lib/visible";
import { useLive } from "../../live/provider";

/** The conversations, the one that changed last first. */
export function TalkList({ current }: { current: string }) {
  const { refresher } = useLive();
  const [q, setQ] = useState("");
  const [archived, setArchived] = useState(false);
  const list = useQuery({
    ...talksQuery(refresher, { q: q.trim(), archived }),
    placeholderData: keepPreviousData,
  });
  const items = list.data?.items;
  return (
    <>
      <div className="flex items-center gap-3 px-3 pb-2 sm:px-4">
        <Input
          type="search"
          aria-label={t("chat.search")}
          placeholder={t("chat.search")}
          value={q}
          onChange={(event) => setQ(event.target.value)}
        />
        <label className="flex shrink-0 items-center gap-1.5 text-mini text-ink-2">
          <input type="checkbox" checked={archived} onChange={(event) => setArchived(event.target.checked)} />
          {t("chat.archived")}
        </label>
      </div>
      <div className="min-h-0 flex-1 lg:overflow-y-auto">
        {list.isPending && (
          <p className="flex items-center gap-2 px-4 py-6 text-ink-3">
            <Spinner /> {t("chat.title")}
          </p>
        )}
        {list.isError && !items && (
          <EmptyState title={t("chat.failed")}>
            <p role="alert">{visible(list.error.message)}</p>
            <Button className="mt-4" onClick={() => void list.refetch()}>
              {t("action.tryAgain")}
            </Button>
          </EmptyState>
        )}
        {items?.length === 0 && (
          <EmptyState title={t(q.trim() ? "chat.noneFits" : archived ? "chat.noneArchived" : "chat.none")} />
        )}
        <ul className="px-1.5 pb-4 sm:px-2">
          {items?.map((talk) => (
            <TalkItem key={talk.id} talk={talk} current={talk.id === current} />
          ))}
        </ul>
        {list.data?.next_cursor && (
          <p className="px-4 pb-6 text-mini text-ink-3">{t("chat.mostShown", { n: MOST_TALKS })}</p>
        )}
      </div>
    </>
  );
}

function TalkItem({ talk, current }: { talk: TalkRow; current: boolean }) {
  return (
    <li>
      <Link
        to="/chat/$id"
        params={{ id: talk.id }}
        aria-current={current ? "page" : undefined}
        className="block rounded-md px-2.5 py-2 hover:bg-hover aria-[current=page]:bg-accent-soft"
      >
        <span className="flex items-baseline gap-2">
          <span className="min-w-0 flex-1 truncate font-medium">
            <Title text={talk.title || t("chat.untitled")} />
          </span>
          <Ago at={talk.updated_at} className="text-mini text-ink-2" />
        </span>
        <span className="flex flex-wrap gap-x-2 text-mini text-ink-2">
          <span>{visible(personOf(talk.started_by))}</span>
          <span>{t("chat.messages", { n: talk.messages })}</span>
          {talk.cost_microusd > 0 && <span>{money(talk.cost_microusd)}</span>}
          {talk.waiting > 0 && <span className="text-accent">{t("chat.answering")}</span>}
          {talk.undecided > 0 && (
            <span className="text-need">{t("chat.undecided", { n: talk.undecided })}</span>
          )}
        </span>
      </Link>
    </li>
  );
}
