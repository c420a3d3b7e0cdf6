import { Search, X } from "lucide-react";
import { useEffect, useId, useMemo, useRef, useState } from "react";
import type { ListFilters } from "../../api/queries";
import { STATUSES, type Status } from "../../api/types";
import { Kbd } from "../../components/kbd";
import { statusLabel } from "../../components/status-badge";
import { Input } from "../../components/ui/field";
import { type Choice, ChoiceMenu } from "../../components/ui/menu";
import { t } from "../../i18n";
import { ME, sourceKinds } from "../../lib/filters";
import { count, personOf } from "../../lib/format";
import { useShortcuts } from "../../lib/shortcuts";
import { visible } from "../../lib/visible";

const TYPING_PAUSE_MS = 200;

interface Props {
  filters: ListFilters;
  counts: Partial<Record<Status, number>>;
  sources: readonly string[];
  onChange: (filters: ListFilters) => void;
}

export function Filters({ filters, counts, sources, onChange }: Props) {
  const statuses = useMemo<Choice[]>(
    () => [
      { value: "", label: t("filters.any") },
      ...STATUSES.filter((status) => counts[status] || status === filters.status).map((status) => ({
        value: status,
        label: statusLabel(status),
        hint: count(counts[status] ?? 0),
      })),
    ],
    [counts, filters.status],
  );
  const kinds = useMemo<Choice[]>(
    () => [
      { value: "", label: t("filters.any") },
      ...sourceKinds(sources, filters.source).map((kind) => ({ value: kind, label: kind })),
    ],
    [sources, filters.source],
  );

  const people = useMemo<Choice[]>(
    () => [
      { value: "", label: t("filters.any") },
      { value: ME, label: t("filters.me") },
      ...[filters.requester ?? ""]
        .filter((who) => who && who !== ME)
        .map((who) => ({ value: who, label: visible(personOf(who)) })),
    ],
    [filters.requester],
  );

  return (
    <search className="flex min-w-0 flex-1 flex-wrap items-center gap-2 max-sm:basis-full sm:justify-end">
      <ChoiceMenu
        label={t("filters.status")}
        value={filters.status ?? ""}
        choices={statuses}
        active={Boolean(filters.status)}
        onChange={(status) => onChange({ ...filters, status: (status || undefined) as Status | undefined })}
      />
      <ChoiceMenu
        label={t("filters.source")}
        value={filters.source ?? ""}
        choices={kinds}
        active={Boolean(filters.source)}
        onChange={(source) => onChange({ ...filters, source: source || undefined })}
      />
      <ChoiceMenu
        label={t("filters.requester")}
        value={filters.requester ?? ""}
        choices={people}
        active={Boolean(filters.requester)}
        onChange={(who) => onChange({ ...filters, requester: who || undefined })}
      />
      <SearchBox value={filters.q ?? ""} onChange={(q) => onChange({ ...filters, q: q || undefined })} />
    </search>
  );
}

function SearchBox({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const [typed, setTyped] = useState(value);
  const sent = useRef(value);
  const box = useRef<HTMLInputElement>(null);
  const label = useId();
  useShortcuts({ "/": () => box.current?.focus() });

  // The URL may change under us (a cleared filter, the back button); what we sent ourselves is no news.
  useEffect(() => {
    if (value === sent.current) return;
    sent.current = value;
    setTyped(value);
  }, [value]);
  useEffect(() => {
    if (typed.trim() === sent.current) return;
    const timer = setTimeout(() => {
      sent.current = typed.trim();
      onChange(typed.trim());
    }, TYPING_PAUSE_MS);
    return () => clearTimeout(timer);
  }, [typed, onChange]);

  return (
    <div className="relative w-full sm:w-60">
      <label id={label} htmlFor={`${label}-box`} className="sr-only">
        {t("filters.search")}
      </label>
      <Search size={14} aria-hidden className="absolute top-1/2 left-2.5 -translate-y-1/2 text-ink-3" />
      <Input
        ref={box}
        id={`${label}-box`}
        type="search"
        value={typed}
        placeholder={t("filters.searchPlaceholder")}
        className="h-7! pr-8 pl-8 [&::-webkit-search-cancel-button]:hidden"
        onChange={(event) => setTyped(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== "Escape") return;
          setTyped("");
          box.current?.blur();
        }}
      />
      <span className="absolute top-1/2 right-1.5 -translate-y-1/2">
        {typed ? (
          <button
            type="button"
            aria-label={t("filters.clearSearch")}
            onClick={() => setTyped("")}
            className="grid size-5 place-items-center rounded text-ink-3 hover:bg-hover hover:text-ink"
          >
            <X size={13} aria-hidden />
          </button>
        ) : (
          <span aria-hidden className="max-sm:hidden">
            <Kbd>/</Kbd>
          </span>
        )}
      </span>
    </div>
  );
}
