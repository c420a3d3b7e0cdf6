import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { keys } from "../../api/keys";
import { rotateWebhook, switchWebhook, webhooksQuery } from "../../api/queries";
import { REPLAY } from "../../api/replay";
import type { Webhook } from "../../api/types";
import { Ago } from "../../components/ago";
import { Command } from "../../components/copy";
import { EmptyState } from "../../components/empty-state";
import { Spinner } from "../../components/spinner";
import { Button } from "../../components/ui/button";
import { t } from "../../i18n/webhooks";
import { useWaiting } from "../../lib/system";
import { useTitle } from "../../lib/title";
import { visible } from "../../lib/visible";
import { WebhookForm } from "./form";
import { Secret } from "./secret";

/** Webhooks that people have made themselves. */
export function WebhooksScreen() {
  const list = useQuery(webhooksQuery);
  const queries = useQueryClient();
  const [making, setMaking] = useState(false);
  const [secret, setSecret] = useState("");
  useTitle(t("webhooks.documentTitle"), useWaiting());
  const changed = () => void queries.invalidateQueries({ queryKey: keys.webhooks });

  return (
    <main id="main" className="min-h-0 flex-1 lg:overflow-y-auto">
      <div className="mx-auto max-w-[60rem] px-3 pb-16 sm:px-6">
        <div className="flex flex-wrap items-center gap-x-4 gap-y-2 pt-5 pb-1">
          <h1 className="flex-1 text-lg font-semibold tracking-tight">{t("webhooks.title")}</h1>
          {!making && !REPLAY && (
            <Button look="primary" onClick={() => setMaking(true)}>
              {t("webhooks.add")}
            </Button>
          )}
        </div>
        <p className="pb-4 text-ink-2">{t("webhooks.what")}</p>

        {secret && <Secret secret={secret} seen={() => setSecret("")} />}
        {making && (
          <WebhookForm
            cancel={() => setMaking(false)}
            made={(made) => {
              setMaking(false);
              setSecret(made);
              changed();
            }}
          />
        )}
        {list.isPending && (
          <div className="flex items-center gap-2 py-16 text-ink-3">
            <Spinner /> {t("webhooks.title")}
          </div>
        )}
        {list.isError && !list.data && (
          <EmptyState title={t("webhooks.failed")}>
            <p role="alert">{visible(list.error.message)}</p>
            <Button className="mt-4" onClick={() => void list.refetch()}>
              {t("action.tryAgain")}
            </Button>
          </EmptyState>
        )}
        {list.data?.items.length === 0 && !making && <EmptyState title={t("webhooks.none")} />}
        <ul className="space-y-3">
          {list.data?.items.map((webhook) => (
            <WebhookItem key={webhook.name} webhook={webhook} changed={changed} show={setSecret} />
          ))}
        </ul>
      </div>
    </main>
  );
}

interface ItemProps {
  webhook: Webhook;
  changed: () => void;
  show: (secret: string) => void;
}

function WebhookItem({ webhook, changed, show }: ItemProps) {
  const { name, enabled, definition } = webhook;
  const flip = useMutation({ mutationFn: () => switchWebhook(name, !enabled), onSuccess: changed });
  const rotate = useMutation({
    mutationFn: () => rotateWebhook(name),
    onSuccess: (made) => {
      show(made.secret);
      changed();
    },
  });
  const failed = flip.error ?? rotate.error;
  return (
    <li className="rounded-lg border bg-panel p-4">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <h2 className="font-semibold">{name}</h2>
        <span className={enabled ? "text-good" : "text-ink-3"}>
          {t(enabled ? "webhooks.on" : "webhooks.off")}
        </span>
        <span className="text-mini text-ink-2">
          {t(`hookForm.scheme.${definition.verification.scheme}`)} ·{" "}
          {t("webhooks.madeBy", { who: visible(webhook.made_by) })}
        </span>
        {!REPLAY && (
          <span className="ml-auto flex gap-2">
            {webhook.fingerprint && (
              <Button
                size="sm"
                busy={rotate.isPending}
                onClick={() => confirm(t("webhooks.rotateSure")) && rotate.mutate()}
              >
                {t("webhooks.rotate")}
              </Button>
            )}
            <Button size="sm" busy={flip.isPending} onClick={() => flip.mutate()}>
              {t(enabled ? "webhooks.disable" : "webhooks.enable")}
            </Button>
          </span>
        )}
      </div>
      <p className="mt-1 font-mono text-mini wrap-anywhere text-ink-2">{webhook.url}</p>
      {definition.description && <p className="mt-1">{visible(definition.description)}</p>}
      {failed && (
        <p role="alert" className="mt-2 text-bad">
          {visible(failed.message)}
        </p>
      )}
      <details className="mt-3">
        <summary className="cursor-pointer text-mini font-medium text-ink-2">{t("webhooks.call")}</summary>
        <div className="mt-2">
          <Command text={webhook.call} />
        </div>
      </details>
      <h3 className="mt-3 text-mini font-medium text-ink-2">{t("webhooks.recent")}</h3>
      {webhook.recent.length === 0 ? (
        <p className="text-mini text-ink-3">{t("webhooks.recentNone")}</p>
      ) : (
        <ul className="mt-1 text-mini">
          {webhook.recent.slice(0, 5).map((call, index) => (
            // A call has no name of its own, and the list only ever grows at its top.
            <li key={`${call.at}-${index}`} className="flex gap-2 py-0.5">
              <span className="w-10 shrink-0 font-mono tabular-nums">{call.status}</span>
              <span className="w-20 shrink-0 text-ink-3">
                <Ago at={call.at} />
              </span>
              <span className="min-w-0 wrap-anywhere">
                {visible(call.reason ?? "") || t("webhooks.accepted")}
              </span>
            </li>
          ))}
        </ul>
      )}
    </li>
  );
}
