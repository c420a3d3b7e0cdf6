import { bare } from "./client";
import type { Me } from "./types";

/** A one-time link becomes a session, whose key the browser keeps as a cookie. */
export const logIn = (link: string): Promise<unknown> => bare("/api/login", { link });

export const logOut = (): Promise<unknown> => bare("/api/logout", {});

/** What opens one WebSocket: the cookie alone opens none. */
export async function ticket(): Promise<string> {
  return (await bare<{ ticket: string }>("/api/ticket", {})).ticket;
}

/** Who this browser is logged in as, if anybody; where one logs in, that nobody is leads nowhere else. */
export async function whoAmI(): Promise<Me | undefined> {
  const response = await fetch("/api/me").catch(() => undefined);
  return response?.ok ? ((await response.json()) as Me) : undefined;
}
