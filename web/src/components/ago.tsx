import clsx from "clsx";
import { usePresent } from "../lib/clock";
import { absolute, ago } from "../lib/format";

/** How long ago, with the instant itself as the tooltip. */
export function Ago({ at, className }: { at: string; className?: string }) {
  const now = usePresent();
  const time = Date.parse(at);
  return (
    <time dateTime={at} title={absolute(time)} className={clsx("whitespace-nowrap tabular-nums", className)}>
      {ago(time, now)}
    </time>
  );
}
