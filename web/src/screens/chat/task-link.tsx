import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { taskQuery } from "../../api/queries";
import { StatusBadge } from "../../components/status-badge";
import { Title } from "../../components/visible";
import { shortId } from "../../lib/format";
import { useLive } from "../../live/provider";

/** A task as it is now, and the way to it. */
export function TaskLink({ id }: { id: string }) {
  const { refresher } = useLive();
  const { data } = useQuery({ ...taskQuery(refresher, id), retry: false });
  return (
    <Link
      to="/tasks/$id"
      params={{ id }}
      className="flex min-w-0 items-center gap-2 rounded-md border bg-panel px-2.5 py-1.5 hover:bg-hover"
    >
      <span className="shrink-0 font-mono text-mini text-ink-3" title={id}>
        {shortId(id)}
      </span>
      <span className="min-w-0 flex-1 truncate">{data ? <Title text={data.task.title} /> : id}</span>
      {data && <StatusBadge task={data.task} />}
    </Link>
  );
}
