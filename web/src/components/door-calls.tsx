import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import clsx from "clsx";
import { useState } from "react";
import { keys } from "../api/keys";
import { callsQuery, replayDelivery } from "../api/queries";
import { REPLAY } from "../api/replay";
import type { Call } from "../api/types";
import { t } from "../i18n/webhooks";
import { bytes } from "../lib/format";
import { useMay } from "../lib/me";
import { visible } from "../lib/visible";
import { Ago } from "./ago";
import { Spinner } from "./spinner";
import { Button } from "./ui/button";
import { Visible } from "./visible";

const INK: Record<Call["outcome"], string> = {
  accepted: "text-good",
  duplicate: "text-ink-2",
  ignored: "text-need",
  refused: "text-bad",
};

/** What a door has been called with lately; it is asked for when somebody opens it. */
export function DoorCalls({ door, label }: { door: string; label: string }) {
  const [open, setOpen] = useState(false);
  return (
    <details className="mt-3" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary className="cursor-pointer text-mini font-medium text-ink-2">{label}</summary>
      {open && <Calls door={door} />}
    </details>
  );
}

function Calls({ door }: { door: string }) {
  const calls = useQuery(callsQuery(door));
  if (calls.isPending) return <Spinner />;
  if (!calls.data)
    return (
      <p role="alert" className="mt-2 text-mini text-bad">
        {t("calls.failed", { problem: visible(calls.error.message) })}
      </p>
    );
  if (calls.data.items.length === 0) return <p className="mt-2 text-mini text-ink-3">{t("calls.none")}</p>;
  return (
    <ul className="mt-2 divide-y divide-line rounded-md border">
      {calls.data.items.map((call) => (
        // A call has no name of its own; two of one moment are told apart by what became of them.
        <li key={`${call.at} ${call.outcome} ${call.delivery}`}>
          <CallItem door={door} call={call} />
        </li>
      ))}
    </ul>
  );
}

function CallItem({ door, call }: { door: string; call: Call }) {
  const may = useMay();
  return (
    <details>
      <summary className="flex cursor-pointer flex-wrap items-baseline gap-x-3 gap-y-0.5 px-3 py-1.5 text-mini hover:bg-hover">
        <span className="w-8 shrink-0 font-mono tabular-nums">{call.status}</span>
        <span className={clsx("w-24 shrink-0 font-medium", INK[call.outcome])}>
          {t(`calls.outcome.${call.outcome}`)}
        </span>
        <span className="w-20 shrink-0 text-ink-3">
          <Ago at={call.at} />
        </span>
        <span className="min-w-0 wrap-anywhere text-ink-2 max-sm:basis-full">
          <Visible text={call.reason || call.delivery} />
        </span>
      </summary>
      <div className="space-y-2 border-t bg-sunken px-3 py-2 text-mini">
        <dl className="grid gap-x-3 gap-y-0.5 sm:grid-cols-[6rem_1fr]">
          <Fact name={t("calls.code")} value={call.code} />
          <Fact name={t("calls.event")} value={call.event} />
          <Fact name={t("calls.delivery")} value={call.delivery} />
          <Fact name={t("calls.client")} value={call.client} />
          <Fact name={t("calls.headers")} value={call.headers.join(", ")} />
        </dl>
        {call.body_bytes === 0 ? (
          <p className="text-ink-3">{t("calls.bodyNone")}</p>
        ) : (
          <>
            <p className="text-ink-2">
              {t("calls.body")}{" "}
              <span className="text-ink-3">({t("calls.bodyBytes", { size: bytes(call.body_bytes) })})</span>
            </p>
            <pre className="max-h-80 overflow-auto rounded-md border bg-panel p-2 font-mono leading-5 wrap-anywhere whitespace-pre-wrap">
              <Visible text={call.body} />
            </pre>
          </>
        )}
        {call.delivery && !REPLAY && may("replayDelivery") && <Again door={door} delivery={call.delivery} />}
      </div>
    </details>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  if (!value) return null;
  return (
    <>
      <dt className="text-ink-3">{name}</dt>
      <dd className="min-w-0 font-mono wrap-anywhere">
        <Visible text={value} />
      </dd>
    </>
  );
}

/** Has what was delivered acted on once more. */
function Again({ door, delivery }: { door: string; delivery: string }) {
  const queries = useQueryClient();
  const again = useMutation({
    mutationFn: () => replayDelivery(delivery),
    onSuccess: () => queries.invalidateQueries({ queryKey: keys.calls(door) }),
  });
  return (
    <div className="flex flex-wrap items-center gap-3">
      <Button size="sm" busy={again.isPending} onClick={() => again.mutate()}>
        {t("calls.again")}
      </Button>
      {again.isSuccess && <p role="status">{t("calls.againDone")}</p>}
      {again.error && (
        <p role="alert" className="text-bad">
          {visible(again.error.message)}
        </p>
      )}
    </div>
  );
}
