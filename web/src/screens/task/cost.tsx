import type { TaskDetail, Usage } from "../../api/types";
import { EmptyState } from "../../components/empty-state";
import { type Key, t } from "../../i18n/task";
import { count, money } from "../../lib/format";

const TOKENS = ["input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens"] as const;
const HEADS: Record<(typeof TOKENS)[number], Key> = {
  input_tokens: "cost.input",
  output_tokens: "cost.output",
  cache_read_tokens: "cost.cacheRead",
  cache_write_tokens: "cost.cacheWrite",
};

const sum = (usage: readonly Usage[], of: (each: Usage) => number) =>
  usage.reduce((all, each) => all + of(each), 0);

export function CostTable({ task }: { task: TaskDetail }) {
  const { usage } = task;
  if (usage.length === 0) return <EmptyState title={t("cost.none")}>{t("cost.noneHint")}</EmptyState>;
  const all = sum(usage, (each) => each.cost_microusd);
  const exact = usage.every((each) => each.priced);
  const number = "px-3 py-2 text-right tabular-nums whitespace-nowrap";
  return (
    <div className="mx-auto max-w-5xl px-3 py-4 sm:px-6">
      <div className="overflow-x-auto rounded-lg border bg-panel">
        <table className="w-full border-collapse">
          <caption className="sr-only">{t("cost.caption")}</caption>
          <thead>
            <tr className="border-b text-mini text-ink-3">
              <th scope="col" className="px-3 py-2 text-left font-medium">
                {t("cost.agent")}
              </th>
              <th scope="col" className={`${number} font-medium`}>
                {t("cost.cost")}
              </th>
              <th scope="col" className="w-32 px-3 py-2 text-left font-medium max-sm:hidden">
                {t("cost.share")}
              </th>
              {TOKENS.map((kind) => (
                <th key={kind} scope="col" className={`${number} font-medium`}>
                  {t(HEADS[kind])}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {usage.map((each) => (
              <tr key={`${each.agent}/${each.model}`} className="border-b">
                <th scope="row" className="px-3 py-2 text-left font-medium whitespace-nowrap">
                  {each.agent}
                  <span className="block text-mini font-normal text-ink-3">{each.model}</span>
                </th>
                <td className={number} title={each.priced ? undefined : t("cost.unpriced")}>
                  {money(each.cost_microusd, each.priced)}
                </td>
                <td className="px-3 py-2 max-sm:hidden">
                  <Share of={all > 0 ? each.cost_microusd / all : 0} />
                </td>
                {TOKENS.map((kind) => (
                  <td key={kind} className={`${number} text-ink-2`}>
                    {count(each[kind])}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
          <tfoot>
            <tr className="font-semibold">
              <th scope="row" className="px-3 py-2 text-left">
                {t("cost.total")}
              </th>
              <td className={number}>{money(all, exact)}</td>
              <td className="max-sm:hidden" />
              {TOKENS.map((kind) => (
                <td key={kind} className={number}>
                  {count(sum(usage, (each) => each[kind]))}
                </td>
              ))}
            </tr>
          </tfoot>
        </table>
      </div>
      <p className="mt-3 text-mini text-ink-3">
        {t("cost.note")} {!exact && t("cost.noteUnpriced")}
      </p>
    </div>
  );
}

function Share({ of }: { of: number }) {
  return (
    <span className="flex items-center gap-2">
      <span aria-hidden className="h-1.5 flex-1 overflow-hidden rounded-full bg-sunken">
        <span className="block h-full rounded-full bg-accent-fill" style={{ width: `${of * 100}%` }} />
      </span>
      <span className="w-9 text-right text-mini text-ink-3 tabular-nums">{Math.round(of * 100)}%</span>
    </span>
  );
}
