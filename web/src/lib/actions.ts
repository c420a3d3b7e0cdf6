import type { ActionName, ActionState, TaskRow } from "../api/types";

/**
 * What the answer says about an action. The rules are the brain's: an answer that says nothing about the action (of an
 * older projector) leaves it to the brain to refuse it.
 */
export const actionState = (task: Pick<TaskRow, "actions">, action: ActionName): ActionState =>
  task.actions?.[action] ?? { allowed: true };

export const isAllowed = (task: Pick<TaskRow, "actions">, action: ActionName): boolean =>
  actionState(task, action).allowed;

/** What a button of an action needs to be shown as it is: disabled when it is not allowed, with the reason as tooltip. */
export function buttonOf(task: Pick<TaskRow, "actions">, action: ActionName) {
  const { allowed, reason } = actionState(task, action);
  return { disabled: !allowed, ...(reason && { title: reason }) };
}
