import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { sayToBrain } from "../../api/talks";
import type { MessageTaken } from "../../api/types";
import { ulid } from "../../lib/ulid";
import { useLive } from "../../live/provider";

/** A message that the gateway has not taken yet, or has refused. */
export interface Unsent {
  id: string;
  text: string;
  repo: string;
  /** Why it was not sent; empty while it is on its way. */
  reason: string;
}

/** What is sent to a conversation and not there yet. Sent again under its own id, it is said once. */
export function useOutbox(talk: string, taken: (answer: MessageTaken) => void) {
  const { talked } = useLive();
  const [unsent, setUnsent] = useState<Unsent[]>([]);
  const without = (id: string) => (all: Unsent[]) => all.filter((each) => each.id !== id);
  const { mutate } = useMutation({
    mutationFn: ({ id, text, repo }: Unsent) =>
      sayToBrain({ message: text, session_id: talk, repo, message_id: id }),
    onMutate: (message) => setUnsent((all) => [...without(message.id)(all), { ...message, reason: "" }]),
    onSuccess: (answer) => {
      talked(answer.session_id, answer.seq);
      taken(answer);
    },
    onError: ({ message: reason }, { id }) =>
      setUnsent((all) => all.map((each) => (each.id === id ? { ...each, reason } : each))),
  });
  return {
    unsent,
    send: (text: string, repo: string) => mutate({ id: ulid(), text, repo, reason: "" }),
    again: (message: Unsent) => mutate(message),
    discard: (id: string) => setUnsent(without(id)),
  };
}
