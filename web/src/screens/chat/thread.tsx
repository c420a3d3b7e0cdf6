import { useMutation, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { ArrowLeft } from "lucide-react";
import { type FormEvent, useEffect, useMemo, useRef, useState } from "react";
import { REPLAY } from "../../api/replay";
import { archiveTalk, earlierInTalk, renameTalk, talkQuery } from "../../api/talks";
import type { Talk, TalkEntry } from "../../api/types";
import { EmptyState } from "../../components/empty-state";
import { Spinner } from "../../components/spinner";
import { Button } from "../../components/ui/button";
import { Input } from "../../components/ui/field";
import { Title } from "../../components/visible";
import { t } from "../../i18n/chat";
import { money } from "../../lib/format";
import { useMay } from "../../lib/me";
import { useWaiting } from "../../lib/system";
import { useTitle } from "../../lib/title";
import { visible } from "../../lib/visible";
import { useLive } from "../../live/provider";
import { Composer } from "./composer";
import { useOutbox } from "./outbox";
import { useSpoken } from "./spoken";
import { TurnItem } from "./turn";
import { endedSpeakers, turnsOf } from "./turns";
import { UnsentItem } from "./unsent";

/** One conversation. */
export function Thread({ id }: { id: string }) {
  const { refresher } = useLive();
  const found = useQuery(talkQuery(refresher, id));
  const talk = found.data?.session;
  useTitle(talk?.title ? visible(talk.title) : t("chat.documentTitle"), useWaiting());
  if (!talk)
    return (
      <div className="flex-1">
        <BackLink />
        {found.isError ? (
          <EmptyState title={t("chat.failed")}>
            <p role="alert">{visible(found.error.message)}</p>
            <Button className="mt-4" onClick={() => void found.refetch()}>
              {t("action.tryAgain")}
            </Button>
          </EmptyState>
        ) : (
          <p className="flex items-center gap-2 px-6 py-10 text-ink-3">
            <Spinner /> {t("chat.untitled")}
          </p>
        )}
      </div>
    );
  return <Conversation talk={talk} />;
}

function Conversation({ talk }: { talk: Talk }) {
  const [earlier, setEarlier] = useState<TalkEntry[]>([]);
  const entries = useMemo(() => {
    const first = talk.entries[0]?.seq ?? 0;
    return [...earlier.filter(({ seq }) => seq < first), ...talk.entries];
  }, [earlier, talk.entries]);
  const turns = useMemo(() => turnsOf(entries), [entries]);
  const ended = useMemo(() => endedSpeakers(entries), [entries]);
  const current = turns.find(({ state }) => state === "answering" || state === "stopping");
  const spoken = useSpoken(talk.id, current !== undefined, ended);
  const outbox = useOutbox(talk.id, () => {});
  const unsent = outbox.unsent.filter(({ id }) => !turns.some((turn) => turn.id === id));
  const more = useMutation({
    mutationFn: () => earlierInTalk(talk.id, entries[0]?.seq ?? 0),
    onSuccess: ({ session }) => setEarlier((known) => [...session.entries, ...known]),
  });
  const end = useFollowed(`${entries.length} ${unsent.length} ${spoken.length}`);

  return (
    <>
      <Head talk={talk} />
      <div className="min-h-0 flex-1 lg:overflow-y-auto">
        <div className="mx-auto max-w-[46rem] px-3 pt-4 pb-8 sm:px-6">
          {talk.archived && <p className="mb-4 text-ink-2">{t("chat.isArchived")}</p>}
          {(entries[0]?.seq ?? 0) > talk.first_seq && (
            <p className="mb-4 text-center">
              <Button size="sm" busy={more.isPending} onClick={() => more.mutate()}>
                {t("chat.earlier")}
              </Button>
              {more.error && (
                <span role="alert" className="ml-2 text-bad">
                  {visible(more.error.message)}
                </span>
              )}
            </p>
          )}
          <ol className="space-y-6">
            {turns.map((turn) => (
              <TurnItem
                key={turn.id}
                talk={talk.id}
                turn={turn}
                spoken={turn === current ? spoken : ""}
                askAgain={(text) => outbox.send(text, "")}
              />
            ))}
            {unsent.map((message) => (
              <UnsentItem key={message.id} message={message} again={outbox.again} discard={outbox.discard} />
            ))}
          </ol>
          <div ref={end} />
        </div>
      </div>
      <Composer of={talk.id} send={outbox.send} />
    </>
  );
}

const NEAR_PX = 120;

const isNear = (each: Element | null): boolean =>
  !each || each.scrollHeight - each.scrollTop - each.clientHeight < NEAR_PX;

/** Keeps the end in sight while one is there: whoever reads above is left alone. */
function useFollowed(what: string) {
  const end = useRef<HTMLDivElement>(null);
  const follows = useRef(true);
  useEffect(() => {
    const look = () => {
      const scroller = end.current?.parentElement?.parentElement ?? null;
      follows.current = isNear(scroller) && isNear(document.scrollingElement);
    };
    window.addEventListener("scroll", look, { capture: true, passive: true });
    return () => window.removeEventListener("scroll", look, { capture: true });
  }, []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: what is shown has changed
  useEffect(() => {
    if (follows.current) end.current?.scrollIntoView?.({ block: "end" });
  }, [what]);
  return end;
}

function BackLink() {
  return (
    <Link
      to="/chat"
      aria-label={t("chat.back")}
      className="grid size-8 shrink-0 place-items-center rounded-md text-ink-2 hover:bg-hover lg:hidden"
    >
      <ArrowLeft size={16} aria-hidden />
    </Link>
  );
}

function Head({ talk }: { talk: Talk }) {
  const { talked } = useLive();
  const may = useMay();
  const [title, setTitle] = useState<string | null>(null);
  const done = ({ seq }: { seq: number }) => talked(talk.id, seq);
  const rename = useMutation({
    mutationFn: (wanted: string) => renameTalk(talk.id, wanted),
    onSuccess: (answer) => {
      setTitle(null);
      done(answer);
    },
  });
  const archive = useMutation({
    mutationFn: () => archiveTalk(talk.id, !talk.archived),
    onSuccess: done,
  });
  const failed = rename.error ?? archive.error;
  const save = (event: FormEvent) => {
    event.preventDefault();
    rename.mutate(title ?? "");
  };
  return (
    <div className="flex shrink-0 flex-wrap items-center gap-2 border-b bg-panel px-3 py-2 sm:px-6">
      <BackLink />
      {title === null ? (
        <h2 className="min-w-0 flex-1 truncate font-semibold">
          <Title text={talk.title || t("chat.untitled")} />
        </h2>
      ) : (
        <form onSubmit={save} className="flex min-w-0 flex-1 items-center gap-2">
          <Input
            autoFocus
            aria-label={t("chat.titleField")}
            value={title}
            maxLength={120}
            onChange={(event) => setTitle(event.target.value)}
            onKeyDown={(event) => event.key === "Escape" && setTitle(null)}
          />
          <Button type="submit" size="sm" look="primary" busy={rename.isPending}>
            {t("chat.save")}
          </Button>
        </form>
      )}
      {talk.cost_microusd > 0 && (
        <span className="text-mini whitespace-nowrap text-ink-2">
          {t("chat.cost", { cost: money(talk.cost_microusd) })}
        </span>
      )}
      {title === null && !REPLAY && may("renameSession") && (
        <Button size="sm" onClick={() => setTitle(talk.title)}>
          {t("chat.rename")}
        </Button>
      )}
      {!REPLAY && may(talk.archived ? "unarchiveSession" : "archiveSession") && (
        <Button size="sm" busy={archive.isPending} onClick={() => archive.mutate()}>
          {t(talk.archived ? "chat.unarchive" : "chat.archive")}
        </Button>
      )}
      {failed && (
        <p role="alert" className="w-full text-bad">
          {visible(failed.message)}
        </p>
      )}
    </div>
  );
}
