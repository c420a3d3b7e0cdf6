import clsx from "clsx";
import { ChevronDown, ChevronUp, Regex, Search } from "lucide-react";
import { useEffect, useRef } from "react";
import { IconButton } from "../../../components/ui/button";
import { Input } from "../../../components/ui/field";
import { t } from "../../../i18n/task";
import { count as grouped } from "../../../lib/format";
import { useShortcuts } from "../../../lib/shortcuts";
import type { Query } from "../../../transcript/search";

interface Props {
  query: Query;
  onQuery: (query: Query) => void;
  count: number;
  /** Which match is the current one, from 1; 0 for none. */
  at: number;
  valid: boolean;
  step: (by: number) => void;
  first: () => void;
}

/** Searches the whole loaded log; the browser's own search would only see the few rows that exist. */
export function SearchBar({ query, onQuery, count, at, valid, step, first }: Props) {
  const box = useRef<HTMLInputElement>(null);
  const fresh = useRef(true);
  useShortcuts({ "/": () => box.current?.focus(), n: () => step(1), N: () => step(-1) });
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const find = event.key === "f" && (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey;
      // Asked for twice, the browser's own search opens.
      if (!find || document.activeElement === box.current) return;
      event.preventDefault();
      box.current?.select();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);

  return (
    <search className="flex min-w-0 flex-1 items-center gap-0.5 max-sm:order-last max-sm:basis-full sm:max-w-96">
      <div className="relative min-w-0 flex-1">
        <Search size={13} aria-hidden className="absolute top-1/2 left-2 -translate-y-1/2 text-ink-3" />
        <Input
          ref={box}
          type="search"
          aria-label={t("output.search")}
          aria-invalid={!valid}
          placeholder={t("output.search")}
          value={query.text}
          className={clsx(
            "h-7! pr-16 pl-7 [&::-webkit-search-cancel-button]:hidden",
            !valid && "border-bad!",
          )}
          onChange={(event) => {
            fresh.current = true;
            onQuery({ ...query, text: event.target.value });
          }}
          onKeyDown={(event) => {
            if (event.key === "Escape") {
              onQuery({ ...query, text: "" });
              box.current?.blur();
            }
            if (event.key !== "Enter") return;
            if (fresh.current) first();
            else step(event.shiftKey ? -1 : 1);
            fresh.current = false;
          }}
        />
        <output className="absolute top-1/2 right-2 -translate-y-1/2 text-mini text-ink-3 tabular-nums">
          {query.text && (valid ? t("output.matches", { at, of: grouped(count) }) : t("output.badRegex"))}
        </output>
      </div>
      <IconButton
        size="sm"
        label={t("output.regex")}
        aria-pressed={query.regex}
        className="h-7 w-7! aria-pressed:bg-accent-soft aria-pressed:text-accent"
        onClick={() => onQuery({ ...query, regex: !query.regex })}
      >
        <Regex size={14} aria-hidden />
      </IconButton>
      {query.text && (
        <>
          <IconButton
            size="sm"
            label={t("output.previous")}
            className="h-7 w-7!"
            disabled={count === 0}
            onClick={() => step(-1)}
          >
            <ChevronUp size={14} aria-hidden />
          </IconButton>
          <IconButton
            size="sm"
            label={t("output.next")}
            className="h-7 w-7!"
            disabled={count === 0}
            onClick={() => step(1)}
          >
            <ChevronDown size={14} aria-hidden />
          </IconButton>
        </>
      )}
    </search>
  );
}
