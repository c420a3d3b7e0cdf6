import { Link, useNavigate, useParams } from "@tanstack/react-router";
import clsx from "clsx";
import { Plus } from "lucide-react";
import { type ReactNode, useEffect } from "react";
import { EmptyState } from "../../components/empty-state";
import { Button } from "../../components/ui/button";
import { t } from "../../i18n/chat";
import { useSystem, useWaiting } from "../../lib/system";
import { useTitle } from "../../lib/title";
import { useLive } from "../../live/provider";
import { Composer } from "./composer";
import { TalkList } from "./list";
import { useOutbox } from "./outbox";
import { Thread } from "./thread";
import { UnsentItem } from "./unsent";

/** The conversations, and a new one to begin. */
export function ChatScreen() {
  useTitle(t("chat.documentTitle"), useWaiting());
  return (
    <Layout talk="">
      <NewTalk />
    </Layout>
  );
}

/** One conversation, beside the others where there is room. */
export function TalkScreen() {
  const { id } = useParams({ strict: false }) as { id: string };
  return (
    <Layout talk={id}>
      <Thread key={id} id={id} />
    </Layout>
  );
}

function Layout({ talk, children }: { talk: string; children: ReactNode }) {
  const { client } = useLive();
  useEffect(() => client.watchTalks(), [client]);
  return (
    <main id="main" className="flex min-h-0 flex-1 flex-col lg:flex-row">
      <aside
        aria-label={t("chat.title")}
        className={clsx(
          "flex min-h-0 flex-col lg:w-80 lg:shrink-0 lg:border-r",
          talk ? "max-lg:hidden" : "max-lg:flex-1",
        )}
      >
        <div className="flex items-center gap-2 px-3 pt-4 pb-2 sm:px-4">
          <h1 className="flex-1 text-lg font-semibold tracking-tight">{t("chat.title")}</h1>
          {talk && (
            <Link
              to="/chat"
              className="inline-flex h-8 items-center gap-1.5 rounded-md border border-line-strong bg-panel px-3 font-medium hover:bg-hover"
            >
              <Plus size={14} aria-hidden />
              {t("chat.new")}
            </Link>
          )}
        </div>
        <TalkList current={talk} />
      </aside>
      <div className="flex min-h-0 min-w-0 flex-col lg:flex-1">{children}</div>
    </main>
  );
}

const EXAMPLES = ["chat.example.waits", "chat.example.failed", "chat.example.cost"] as const;

function NewTalk() {
  const navigate = useNavigate();
  const system = useSystem();
  const { unsent, send, again, discard } = useOutbox("", ({ session_id }) =>
    navigate({ to: "/chat/$id", params: { id: session_id } }),
  );
  return (
    <>
      <div className="min-h-0 flex-1 lg:overflow-y-auto">
        <div className={clsx("max-lg:hidden", unsent.length > 0 && "lg:hidden")}>
          <EmptyState title={t("chat.emptyTitle")}>
            <p>{t("chat.emptyText")}</p>
            <ul className="mt-4 flex flex-wrap justify-center gap-2">
              {EXAMPLES.map((key) => (
                <li key={key}>
                  <Button
                    size="sm"
                    disabled={system?.agents_ready === false}
                    onClick={() => send(t(key), "")}
                  >
                    {t(key)}
                  </Button>
                </li>
              ))}
            </ul>
          </EmptyState>
        </div>
        <ul className="mx-auto max-w-[46rem] space-y-4 px-3 py-4 sm:px-6">
          {unsent.map((message) => (
            <UnsentItem key={message.id} message={message} again={again} discard={discard} />
          ))}
        </ul>
      </div>
      <Composer of="new" send={send} />
    </>
  );
}
