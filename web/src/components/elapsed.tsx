import { useKnownNow } from "../lib/clock";
import { duration } from "../lib/format";

/** A running time; it stands still while we do not know whether it still runs. */
export function Elapsed({ since }: { since: number }) {
  const now = useKnownNow();
  return <span className="tabular-nums">{duration(Math.max(1_000, now - since))}</span>;
}
