import { bare } from "./client";

/** A one-time link becomes a session, whose key the browser keeps as a cookie. */
export const logIn = (link: string): Promise<unknown> => bare("/api/login", { link });

export const logOut = (): Promise<unknown> => bare("/api/logout", {});

/** What opens one WebSocket: the cookie alone opens none. */
export async function ticket(): Promise<string> {
  return (await bare<{ ticket: string }>("/api/ticket", {})).ticket;
}
