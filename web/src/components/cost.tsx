import { t } from "../i18n";
import { compact, money } from "../lib/format";

export function Cost({
  microusd,
  tokens,
  exact = true,
}: {
  microusd: number;
  tokens: number;
  exact?: boolean;
}) {
  const title = t("cost.title", { tokens: compact(tokens) });
  return (
    <span title={title} className="tabular-nums">
      {money(microusd, exact)}
    </span>
  );
}
