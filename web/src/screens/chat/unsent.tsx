import { Spinner } from "../../components/spinner";
import { Button } from "../../components/ui/button";
import { t } from "../../i18n/chat";
import { visible } from "../../lib/visible";
import type { Unsent } from "./outbox";
import { Bubble } from "./turn";

interface Props {
  message: Unsent;
  again: (message: Unsent) => void;
  discard: (id: string) => void;
}

/** A message on its way, or one that was not taken, and why. */
export function UnsentItem({ message, again, discard }: Props) {
  return (
    <li className="space-y-1.5">
      <Bubble who={t("chat.you")} text={message.text} />
      {message.reason ? (
        <div role="alert" className="flex flex-wrap items-center justify-end gap-2 text-bad">
          <span className="wrap-anywhere">{t("turn.notSent", { reason: visible(message.reason) })}</span>
          <Button size="sm" onClick={() => again(message)}>
            {t("turn.sendAgain")}
          </Button>
          <Button size="sm" look="quiet" onClick={() => discard(message.id)}>
            {t("turn.discard")}
          </Button>
        </div>
      ) : (
        <p role="status" className="flex items-center justify-end gap-2 text-mini text-ink-3">
          <Spinner /> {t("turn.sending")}
        </p>
      )}
    </li>
  );
}
