/** Query keys. */
export const keys = {
  lists: ["tasks"] as const,
  list: (filters: object) => ["tasks", filters] as const,
  task: (id: string) => ["task", id] as const,
  timeline: (id: string) => ["timeline", id] as const,
  diff: (id: string, commit: string) => ["diff", id, commit] as const,
  status: ["status"] as const,
  repos: ["repos"] as const,
  me: ["me"] as const,
  sessions: (person: string) => ["sessions", person] as const,
  tokens: (person: string) => ["tokens", person] as const,
  people: ["people"] as const,
  talks: ["talks"] as const,
  talkList: (filters: object) => ["talks", filters] as const,
  talk: (id: string) => ["talk", id] as const,
  webhooks: ["webhooks"] as const,
  draft: (task: string) => ["webhook-draft", task] as const,
  doors: ["doors"] as const,
  calls: (door: string) => ["doors", door] as const,
};

/** What one event of a task makes stale. */
export const staleAfter = (taskId: string): readonly (readonly unknown[])[] => [
  keys.task(taskId),
  keys.timeline(taskId),
  keys.lists,
  keys.status,
];

/** What one event of a conversation makes stale. */
export const staleAfterTalk = (id: string): readonly (readonly unknown[])[] => [keys.talk(id), keys.talks];

/** The refresher's name of a key: all lists are one thing, because any event may move a task between them. */
export const nameOf = (key: readonly unknown[]): string =>
  key[0] === "tasks" ? "tasks" : key.filter((part) => typeof part === "string").join("/");
