/** Query keys, and which of them one task's event makes stale. */
export const keys = {
  lists: ["tasks"] as const,
  list: (filters: object) => ["tasks", filters] as const,
  task: (id: string) => ["task", id] as const,
  timeline: (id: string) => ["timeline", id] as const,
  diff: (id: string, commit: string) => ["diff", id, commit] as const,
  status: ["status"] as const,
};

/** The refresher's name of a key: all lists are one thing, because any event may move a task between them. */
export const nameOf = (key: readonly unknown[]): string =>
  key[0] === "tasks" ? "tasks" : key.filter((part) => typeof part === "string").join("/");
