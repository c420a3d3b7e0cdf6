import { queryOptions } from "@tanstack/react-query";
import { getJson, postJson, withParams } from "./client";
import { keys } from "./keys";
import type { NewToken, OneTimeLink, Person, PersonChanged, Role, Session, Token, TokenMade } from "./types";

const EVERY_MS = 15_000;

interface Listed<T> {
  items: T[];
}

const userPath = (name: string, part: string): string => `/api/users/${encodeURIComponent(name)}/${part}`;

/** Where somebody is logged in; without a name, oneself. Logins make no event that a page hears of. */
export const sessionsQuery = (person: string) =>
  queryOptions({
    queryKey: keys.sessions(person),
    queryFn: ({ signal }) =>
      getJson<Listed<Session>>(person ? userPath(person, "sessions") : "/api/me/sessions", {}, signal),
    refetchInterval: EVERY_MS,
  });

export const endSession = (person: string, id: string) =>
  postJson<Listed<Session>>(
    `${person ? userPath(person, "sessions") : "/api/me/sessions"}/${encodeURIComponent(id)}/end`,
    {},
  );

/** The tokens of somebody; without a name, one's own. */
export const tokensQuery = (person: string) =>
  queryOptions({
    queryKey: keys.tokens(person),
    queryFn: ({ signal }) => getJson<Listed<Token>>("/api/tokens", { person }, signal),
    refetchInterval: EVERY_MS,
  });

export const makeToken = (person: string, token: NewToken) =>
  postJson<TokenMade>(withParams("/api/tokens", { person }), token);

export const revokeToken = (person: string, id: string) =>
  postJson<Listed<Token>>(withParams(`/api/tokens/${encodeURIComponent(id)}/revoke`, { person }), {});

/** Everybody who was invited. */
export const peopleQuery = queryOptions({
  queryKey: keys.people,
  queryFn: ({ signal }) => getJson<Listed<Person>>("/api/users", {}, signal),
  refetchInterval: EVERY_MS,
});

export const invite = (name: string, role: Role) => postJson<OneTimeLink>("/api/users", { name, role });

export const anotherLink = (name: string) => postJson<OneTimeLink>(userPath(name, "link"), {});

export const changeRole = (name: string, role: Role) =>
  postJson<PersonChanged>(userPath(name, "role"), { role });

export const letIn = (name: string, on: boolean) =>
  postJson<PersonChanged>(userPath(name, on ? "enable" : "disable"), {});
