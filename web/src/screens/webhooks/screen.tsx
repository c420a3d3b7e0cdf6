import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { keys } from "../../api/keys";
import { rotateWebhook, switchWebhook, testWebhook, webhooksQuery } from "../../api/queries";
import { REPLAY } from "../../api/replay";
import type { Delivered, Webhook } from "../../api/types";
import { Command } from "../../components/copy";
import { DoorCalls } from "../../components/door-calls";
import { EmptyState } from "../../components/empty-state";
import { ShownOnce } from "../../components/shown-once";
import { Spinner } from "../../components/spinner";
import { Button } from "../../components/ui/button";
import { Title } from "../../components/visible";
import { t } from "../../i18n/webhooks";
import { useMay } from "../../lib/me";
import { useWaiting } from "../../lib/system";
import { useTitle } from "../../lib/title";
import { visible } from "../../lib/visible";
import { WebhookForm } from "./form";

/** Webhooks that people have made themselves. */
export function WebhooksScreen() {
  const list = useQuery(webhooksQuery);
  const queries = useQueryClient();
  const [making, setMaking] = useState(false);
  const [secret, setSecret] = useState("");
  const may = useMay();
  useTitle(t("webhooks.documentTitle"), useWaiting());
  const changed = () => void queries.invalidateQueries({ queryKey: keys.webhooks });

  return (
    <main id="main" className="min-h-0 flex-1 lg:overflow-y-auto">
      <div className="mx-auto max-w-[60rem] px-3 pb-16 sm:px-6">
        <div className="flex flex-wrap items-center gap-x-4 gap-y-2 pt-5 pb-1">
          <h1 className="flex-1 text-lg font-semibold tracking-tight">{t("webhooks.title")}</h1>
          {!making && !REPLAY && may("createWebhook") && (
            <Button look="primary" onClick={() => setMaking(true)}>
              {t("webhooks.add")}
            </Button>
          )}
        </div>
        <p className="pb-4 text-ink-2">{t("webhooks.what")}</p>

        {secret && (
          <ShownOnce
            title={t("webhooks.secret")}
            text={t("webhooks.secretOnce")}
            secret={secret}
            seen={() => setSecret("")}
          />
        )}
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
  const queries = useQueryClient();
  const may = useMay();
  const flip = useMutation({ mutationFn: () => switchWebhook(name, !enabled), onSuccess: changed });
  const rotate = useMutation({
    mutationFn: () => rotateWebhook(name),
    onSuccess: (made) => {
      show(made.secret);
      changed();
    },
  });
  const test = useMutation({
    mutationFn: () => testWebhook(name),
    onSettled: () => queries.invalidateQueries({ queryKey: keys.doors }),
  });
  const failed = flip.error ?? rotate.error ?? test.error;
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
          <span className="ml-auto flex flex-wrap gap-2">
            {webhook.fingerprint && may("rotateWebhookSecret") && (
              <Button
                size="sm"
                busy={rotate.isPending}
                onClick={() => confirm(t("webhooks.rotateSure")) && rotate.mutate()}
              >
                {t("webhooks.rotate")}
              </Button>
            )}
            {enabled && may("testWebhook") && (
              <Button
                size="sm"
                busy={test.isPending}
                onClick={() => confirm(t("webhooks.testSure")) && test.mutate()}
              >
                {t("webhooks.test")}
              </Button>
            )}
            {may(enabled ? "disableWebhook" : "enableWebhook") && (
              <Button size="sm" busy={flip.isPending} onClick={() => flip.mutate()}>
                {t(enabled ? "webhooks.disable" : "webhooks.enable")}
              </Button>
            )}
          </span>
        )}
      </div>
      <p className="mt-1 font-mono text-mini wrap-anywhere text-ink-2">{webhook.url}</p>
      {definition.description && (
        <p className="mt-1 wrap-anywhere">
          <Title text={definition.description} />
        </p>
      )}
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
      {test.data && <Tested told={test.data} />}
      <DoorCalls door={name} label={t("webhooks.deliveries")} />
    </li>
  );
}

function Tested({ told }: { told: Delivered }) {
  return (
    <p role="status" className={told.delivery ? "mt-2 text-good" : "mt-2 text-bad"}>
      {told.delivery
        ? t("webhooks.tested", { status: told.status })
        : t("webhooks.testRefused", { status: told.status, reason: visible(told.reason) })}
      {told.task_id && (
        <Link to="/tasks/$id" params={{ id: told.task_id }} className="ml-2 text-accent hover:underline">
          {t("webhooks.testedTask")}
        </Link>
      )}
    </p>
  );
}
