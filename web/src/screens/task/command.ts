import { useMutation } from "@tanstack/react-query";
import { sendCommand, type TaskCommand } from "../../api/queries";
import { REPLAY } from "../../api/replay";
import { useToast } from "../../components/ui/toaster";
import { t } from "../../i18n/task";
import { visible } from "../../lib/visible";
import { useLive } from "../../live/provider";

/**
 * Sends a command to one task. A refusal is told in the gateway's own words, and the page is brought up to date.
 * `off` says that nothing can be done: the page is a replay.
 */
export function useCommand(id: string) {
  const { changed } = useLive();
  const toasts = useToast();
  const send = useMutation({
    mutationFn: (command: TaskCommand) => sendCommand(id, command),
    onSuccess: ({ seq }) => changed(id, seq),
    onError: (error, command) => {
      toasts.add({ type: "error", title: t(`refused.${command.verb}`), description: visible(error.message) });
      changed(id, 0);
    },
  });
  return { ...send, off: REPLAY !== "" };
}
