import { queryOptions } from "@tanstack/react-query";
import { getJson, postJson } from "./client";
import { keys, nameOf } from "./keys";
import type { Refresher } from "./refresher";
import type { CommandReply, Message, MessageTaken, TalkList, TalkReply } from "./types";

/** The most conversations that the gateway gives in one answer. */
export const MOST_TALKS = 200;

export interface TalkFilters {
  q: string;
  archived: boolean;
}

const path = (id: string) => `/api/sessions/${encodeURIComponent(id)}`;

export const talksQuery = (refresher: Refresher, { q, archived }: TalkFilters) =>
  queryOptions({
    queryKey: keys.talkList({ q, archived }),
    queryFn: ({ signal }) =>
      getJson<TalkList>(
        "/api/sessions",
        {
          q,
          archived: archived ? "true" : undefined,
          limit: MOST_TALKS,
          min_seq: refresher.floor(nameOf(keys.talks)),
        },
        signal,
      ),
  });

export const talkQuery = (refresher: Refresher, id: string) =>
  queryOptions({
    queryKey: keys.talk(id),
    queryFn: ({ signal }) =>
      getJson<TalkReply>(path(id), { min_seq: refresher.floor(nameOf(keys.talk(id))) }, signal),
  });

/** What happened in a conversation in front of a sequence. */
export const earlierInTalk = (id: string, before: number) => getJson<TalkReply>(path(id), { before });

export const sayToBrain = (message: Message) => postJson<MessageTaken>("/api/chat", message);

export const interruptAnswer = (id: string, message: string) =>
  postJson<CommandReply>(`${path(id)}/messages/${encodeURIComponent(message)}/interrupt`, {});

export const decideProposal = (id: string, proposal: string, verb: "confirm" | "dismiss") =>
  postJson<CommandReply>(`${path(id)}/proposals/${encodeURIComponent(proposal)}/${verb}`, {});

export const renameTalk = (id: string, title: string) =>
  postJson<CommandReply>(`${path(id)}/rename`, { title });

export const archiveTalk = (id: string, archived: boolean) =>
  postJson<CommandReply>(`${path(id)}/${archived ? "archive" : "unarchive"}`, {});
