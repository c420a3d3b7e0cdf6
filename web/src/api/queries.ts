import { type QueryClient, queryOptions } from "@tanstack/react-query";
import { getJson, getText, postJson, withParams } from "./client";
import { keys, nameOf } from "./keys";
import type { Refresher } from "./refresher";
import { REPLAY } from "./replay";
import type {
  Approval,
  Call,
  CommandReply,
  Delivered,
  Door,
  DraftAsked,
  Found,
  Input,
  Me,
  NewTask,
  NewWebhook,
  Rejection,
  Repos,
  Retrying,
  Status,
  Stopping,
  SystemStatus,
  TaskList,
  TaskOpened,
  TaskReply,
  Timeline,
  TimelineItem,
  Transcript,
  WebhookDraft,
  WebhookList,
  WebhookMade,
  Wish,
} from "./types";

interface Doors {
  items: Door[];
  /** What could not be asked; empty where all is known. */
  incomplete: string;
}

export interface ListFilters {
  status?: Status | undefined;
  source?: string | undefined;
  q?: string | undefined;
  /** Who asked for it: `user:ada`, `github:octocat`, or "me" for whoever looks at the page. */
  requester?: string | undefined;
}

/** The most rows that the gateway gives in one answer. */
export const PAGE = 200;
const TIMELINE_PAGE = 500;
const TRANSCRIPT_PAGE = 5_000;
const STATUS_EVERY_MS = 15_000;

const floor = (refresher: Refresher, key: readonly unknown[]) => refresher.floor(nameOf(key));

export const taskListPage = (
  refresher: Refresher,
  filters: ListFilters,
  cursor: string,
  signal?: AbortSignal,
) =>
  getJson<TaskList>(
    "/api/tasks",
    { ...filters, limit: PAGE, cursor, min_seq: floor(refresher, keys.lists) },
    signal,
  );

export const taskQuery = (refresher: Refresher, id: string) =>
  queryOptions({
    queryKey: keys.task(id),
    queryFn: ({ signal }) =>
      getJson<TaskReply>(
        `/api/tasks/${encodeURIComponent(id)}`,
        { min_seq: floor(refresher, keys.task(id)) },
        signal,
      ),
  });

/** The whole timeline; a refetch asks only for what came after the last known event. */
export const timelineQuery = (refresher: Refresher, queries: QueryClient, id: string) =>
  queryOptions({
    queryKey: keys.timeline(id),
    queryFn: async ({ signal }) => {
      const items: TimelineItem[] = [...(queries.getQueryData<Timeline>(keys.timeline(id))?.items ?? [])];
      for (;;) {
        const page = await getJson<Timeline>(
          `/api/tasks/${encodeURIComponent(id)}/timeline`,
          { after: items.at(-1)?.seq, limit: TIMELINE_PAGE, min_seq: floor(refresher, keys.timeline(id)) },
          signal,
        );
        const last = items.at(-1)?.seq ?? 0;
        items.push(...page.items.filter((item) => item.seq > last));
        if (page.next_cursor === null || page.items.length === 0) return { ...page, items };
      }
    },
  });

export const diffQuery = (id: string, commit: string) =>
  queryOptions({
    queryKey: keys.diff(id, commit),
    queryFn: ({ signal }) => getText(`/api/tasks/${encodeURIComponent(id)}/diff`, {}, signal),
    staleTime: 30_000,
  });

export const statusQuery = (refresher: Refresher) =>
  queryOptions({
    queryKey: keys.status,
    queryFn: ({ signal }) =>
      getJson<SystemStatus>("/api/status", { min_seq: floor(refresher, keys.status) }, signal),
    retry: false,
    // What is parked or away makes no event.
    refetchInterval: STATUS_EVERY_MS,
  });

/** Who looks at this page. A role that was changed makes no event that a page hears of; a refusal asks again at once. */
export const meQuery = queryOptions({
  queryKey: keys.me,
  queryFn: ({ signal }) => getJson<Me>("/api/me", {}, signal),
  retry: false,
  staleTime: STATUS_EVERY_MS,
  refetchInterval: STATUS_EVERY_MS,
});

export const transcriptPage = (id: string, after: number, signal?: AbortSignal) =>
  getJson<Transcript>(
    `/api/tasks/${encodeURIComponent(id)}/transcript`,
    { after, limit: TRANSCRIPT_PAGE },
    signal,
  );

const REPOS_STALE_MS = 10_000;
const REPOS_WANTED_EVERY_MS = 5_000;

/** The configured repositories; while there is none, it is looked for one. The file makes no event. */
export const reposQuery = queryOptions({
  queryKey: keys.repos,
  queryFn: ({ signal }) => getJson<Repos>("/api/repos", {}, signal),
  retry: false,
  staleTime: REPOS_STALE_MS,
  refetchInterval: ({ state }) => (state.data?.items.length === 0 ? REPOS_WANTED_EVERY_MS : false),
});

/** Has the gateway send a signed event to its own webhook. */
export const sendTestEvent = (repo: string) => postJson<Delivered>("/api/test-event", { repo });

/** The webhooks that people have made; their newest calls make no event. */
export const webhooksQuery = queryOptions({
  queryKey: keys.webhooks,
  queryFn: ({ signal }) => getJson<WebhookList>("/api/webhooks", {}, signal),
  refetchInterval: STATUS_EVERY_MS,
});

export const makeWebhook = (webhook: NewWebhook) => postJson<WebhookMade>("/api/webhooks", webhook);

/** What a definition finds in a sample; nothing is made. */
export const tryWebhook = ({ name: _, secret: __, ...definition }: NewWebhook, sample: string) =>
  postJson<Found>("/api/webhooks/try", { ...definition, sample });

export const switchWebhook = (name: string, on: boolean) =>
  postJson<WebhookMade>(`/api/webhooks/${encodeURIComponent(name)}/${on ? "enable" : "disable"}`, {});

export const rotateWebhook = (name: string) =>
  postJson<WebhookMade>(`/api/webhooks/${encodeURIComponent(name)}/secret`, {});

/** Has a signed call sent to a webhook; with an empty body, one is made that it would take. */
export const testWebhook = (name: string, body = "") =>
  postJson<Delivered>(`/api/webhooks/${encodeURIComponent(name)}/test`, { body });

/** Has the brain draft a webhook by a description in words; nothing is made. */
export const draftWebhook = (description: string, sample: string) =>
  postJson<DraftAsked>("/api/webhooks/drafts", { description, sample });

const DRAFT_EVERY_MS = 700;

/** The draft of a task, asked for until it is there. */
export const draftQuery = (task: string) =>
  queryOptions({
    queryKey: keys.draft(task),
    queryFn: ({ signal }) =>
      getJson<WebhookDraft>(`/api/webhooks/drafts/${encodeURIComponent(task)}`, {}, signal),
    enabled: task !== "",
    refetchInterval: ({ state }) =>
      state.data && !["working", "waiting"].includes(state.data.state) ? false : DRAFT_EVERY_MS,
  });

/** Everything that takes deliveries, and how it fares. Calls make no event. */
export const doorsQuery = queryOptions({
  queryKey: keys.doors,
  queryFn: ({ signal }) => getJson<Doors>("/api/doors", {}, signal),
  refetchInterval: STATUS_EVERY_MS,
});

export const callsQuery = (door: string) =>
  queryOptions({
    queryKey: keys.calls(door),
    queryFn: ({ signal }) =>
      getJson<{ items: Call[] }>(`/api/doors/${encodeURIComponent(door)}/calls`, {}, signal),
    refetchInterval: STATUS_EVERY_MS,
  });

/** Has a delivery acted on once more. */
export const replayDelivery = (id: string) =>
  postJson<CommandReply>(`/api/deliveries/${encodeURIComponent(id)}/replay`, {});

const EXPECTED_MS = 30_000;
const expected = new Map<string, number>();

/** We made this task a moment ago: that nobody knows it yet means "not yet", not "no such task". */
export const expectTask = (id: string): void => void expected.set(id, Date.now() + EXPECTED_MS);

export const isExpected = (id: string): boolean => Date.now() < (expected.get(id) ?? 0);

/** Opens a task; sent again with the same key, it is the same task. */
export const createTask = (task: NewTask, key: string) =>
  postJson<TaskOpened>("/api/tasks", task, { "Idempotency-Key": key });

export type TaskCommand =
  | ({ verb: "approve" } & Approval)
  | ({ verb: "reject" } & Rejection)
  | ({ verb: "stop" } & Stopping)
  | ({ verb: "retry" } & Retrying)
  | { verb: "publish" }
  | ({ verb: "follow-up" } & Wish)
  | ({ verb: "input" } & Input);

/** Where all that a check, or a step of the set-up, wrote can be had, as far as it was kept. */
export const outputPath = (id: string, of: "checks" | "setup", number: number): string =>
  withParams(`/api/tasks/${encodeURIComponent(id)}/${of}/${number}/output`, { replay: REPLAY });

export const sendCommand = (id: string, { verb, ...body }: TaskCommand) =>
  postJson<CommandReply>(`/api/tasks/${encodeURIComponent(id)}/${verb}`, body);
