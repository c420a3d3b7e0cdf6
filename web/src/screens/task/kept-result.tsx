import { RotateCcw, Upload } from "lucide-react";
import { type ReactNode, useState } from "react";
import type { TaskCommand } from "../../api/queries";
import type { TaskDetail } from "../../api/types";
import { Button } from "../../components/ui/button";
import { Confirm } from "../../components/ui/dialog";
import { Visible } from "../../components/visible";
import { t } from "../../i18n/task";
import { isAllowed } from "../../lib/actions";
import { keptOf } from "../../lib/proof";
import { useCommand } from "./command";
import { Again } from "./retry";

interface Way {
  name: "publish" | "publishAgain" | "fromResult" | "afresh";
  command: TaskCommand;
  icon: ReactNode;
}

const PUBLISH: Way = {
  name: "publish",
  command: { verb: "publish" },
  icon: <Upload size={14} aria-hidden />,
};
const AGAIN: Way = {
  name: "publishAgain",
  command: { verb: "retry" },
  icon: <Upload size={14} aria-hidden />,
};
const FROM_RESULT: Way = {
  name: "fromResult",
  command: { verb: "retry", from_result: true },
  icon: <RotateCcw size={14} aria-hidden />,
};
const AFRESH: Way = {
  name: "afresh",
  command: { verb: "retry", afresh: true },
  icon: <RotateCcw size={14} aria-hidden />,
};

/** What may be done with a result that is there and not published, each after a word on what it means. */
export function KeptResult({ task }: { task: TaskDetail }) {
  const kept = keptOf(task);
  const ways = kept === "unpublished" ? [AGAIN, AFRESH] : [PUBLISH, FROM_RESULT, AFRESH];
  const observed = task.run?.observed;
  return (
    <>
      {observed && (
        <p className="mt-1 text-ink-2">
          <Visible text={observed} />
        </p>
      )}
      <p className="mt-1 text-ink-2">{t(kept === "unpublished" ? "kept.unpublished" : "kept.short")}</p>
      <div className="mt-2.5 flex flex-wrap items-center gap-2">
        {ways
          .filter((way) => isAllowed(task, way.command.verb === "publish" ? "publish" : "retry"))
          .map((way) => (
            <WayOn key={way.name} task={task} way={way} best={way === AGAIN || way === FROM_RESULT} />
          ))}
      </div>
    </>
  );
}

function WayOn({ task, way, best }: { task: TaskDetail; way: Way; best: boolean }) {
  const [asking, setAsking] = useState(false);
  const { off } = useCommand(task.id);
  const name = t(`kept.${way.name}`);
  return (
    <>
      <Button size="sm" look={best ? "primary" : "plain"} disabled={off} onClick={() => setAsking(true)}>
        {way.icon}
        {name}
      </Button>
      <Confirm
        open={asking}
        onOpenChange={setAsking}
        title={`${name}?`}
        description={t(`kept.${way.name}.means`)}
      >
        <Again task={task} command={way.command} name={name} close={() => setAsking(false)} />
      </Confirm>
    </>
  );
}
