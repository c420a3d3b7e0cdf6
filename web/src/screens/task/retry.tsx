import { RotateCcw } from "lucide-react";
import { type FormEvent, type ReactNode, useState } from "react";
import type { TaskCommand } from "../../api/queries";
import type { TaskDetail } from "../../api/types";
import { Button } from "../../components/ui/button";
import { Confirm } from "../../components/ui/dialog";
import { Field, Input } from "../../components/ui/field";
import { t } from "../../i18n/task";
import { microusdOf, needsBudget } from "../../lib/budget";
import { useCommand } from "./command";

/** Tries the task again: at once, or after asking for the larger budget that its work needs. */
export function Retry({ task }: { task: TaskDetail }) {
  const [asking, setAsking] = useState(false);
  const retry = useCommand(task.id);
  const again = () => (needsBudget(task) ? setAsking(true) : retry.mutate({ verb: "retry" }));
  return (
    <>
      <Button look="primary" busy={retry.isPending} disabled={retry.off} onClick={again}>
        <RotateCcw size={14} aria-hidden />
        {t("action.retry")}
      </Button>
      <Confirm open={asking} onOpenChange={setAsking} title={t("retry.title")} description={t("retry.means")}>
        <Again
          task={task}
          command={{ verb: "retry" }}
          name={t("action.retry")}
          close={() => setAsking(false)}
        />
      </Confirm>
    </>
  );
}

interface AgainProps {
  task: TaskDetail;
  command: TaskCommand;
  name: ReactNode;
  close: () => void;
}

/** The end of a dialog: sends the command, with a budget where a retry needs one. */
export function Again({ task, command, name, close }: AgainProps) {
  const [dollars, setDollars] = useState("");
  const send = useCommand(task.id);
  const asked = command.verb === "retry" && needsBudget(task);
  const budget = microusdOf(dollars);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (asked && budget === null) return;
    const whole =
      command.verb === "retry" && budget !== null ? { ...command, budget_microusd: budget } : command;
    send.mutate(whole, { onSettled: close });
  };
  return (
    <form onSubmit={submit} className="space-y-4">
      {asked && (
        <Field label={t("retry.budget")} hint={t("retry.budgetHint")}>
          {(ids) => (
            <Input
              {...ids}
              inputMode="decimal"
              placeholder="5.00"
              value={dollars}
              onChange={(event) => setDollars(event.target.value)}
            />
          )}
        </Field>
      )}
      <div className="flex justify-end gap-2">
        <Button onClick={close}>{t("kept.cancel")}</Button>
        <Button type="submit" look="primary" busy={send.isPending} disabled={asked && budget === null}>
          {name}
        </Button>
      </div>
    </form>
  );
}
