import clsx from "clsx";
import { Check, Copy } from "lucide-react";
import { useEffect, useState } from "react";
import { t } from "../i18n";

/** Copies `text`; without clipboard rights it says so instead of pretending. */
export function useCopy(text: string): { state: "idle" | "done" | "failed"; copy: () => void } {
  const [state, setState] = useState<"idle" | "done" | "failed">("idle");
  useEffect(() => {
    if (state === "idle") return;
    const timer = setTimeout(() => setState("idle"), 1_600);
    return () => clearTimeout(timer);
  }, [state]);
  const copy = () => {
    const written = navigator.clipboard?.writeText(text) ?? Promise.reject(new Error("no clipboard"));
    written.then(
      () => setState("done"),
      () => setState("failed"),
    );
  };
  return { state, copy };
}

export function CopyButton({ text, label, className }: { text: string; label: string; className?: string }) {
  const { state, copy } = useCopy(text);
  const said = state === "done" ? t("copy.done") : state === "failed" ? t("copy.failed") : label;
  return (
    <button
      type="button"
      onClick={copy}
      title={said}
      aria-label={said}
      className={clsx(
        "grid size-6 shrink-0 place-items-center rounded text-ink-3 hover:bg-hover hover:text-ink",
        className,
      )}
    >
      {state === "done" ? (
        <Check size={13} aria-hidden className="text-good" />
      ) : (
        <Copy size={13} aria-hidden />
      )}
    </button>
  );
}

/** A hash, shortened for the eye and whole for the clipboard. */
export function Hash({ value, label }: { value: string; label: string }) {
  const { state, copy } = useCopy(value);
  return (
    <button
      type="button"
      onClick={copy}
      title={`${label}: ${value}`}
      aria-label={t("copy.hash", { label, value: value.slice(0, 8) })}
      className="-mx-1 rounded px-1 font-mono text-mini hover:bg-hover"
    >
      {state === "done" ? t("copy.done") : value.slice(0, 8)}
    </button>
  );
}

/** A command to run elsewhere. */
export function Command({ text }: { text: string }) {
  return (
    <div className="flex items-start gap-1 rounded-md border border-line bg-sunken py-1 pr-1 pl-2.5">
      <pre className="min-w-0 flex-1 py-0.5 font-mono text-mini leading-5 wrap-anywhere whitespace-pre-wrap">
        {text}
      </pre>
      <CopyButton text={text} label={t("copy.command")} />
    </div>
  );
}
