import { t } from "../i18n";
import { REPLAY } from "./replay";

/** A request that the gateway refused or that never arrived; `message` is one sentence for a person. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
    this.name = "ApiError";
  }
}

interface Problem {
  title?: unknown;
  detail?: unknown;
  code?: unknown;
}

const words = (value: unknown): string => (typeof value === "string" ? value : "");

async function problemOf(response: Response): Promise<ApiError> {
  const body = (await response.json().catch(() => ({}))) as Problem;
  const sentence = words(body.detail) || words(body.title) || t("error.http", { status: response.status });
  return new ApiError(response.status, words(body.code) || `http-${response.status}`, sentence);
}

async function request(path: string, init?: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, init);
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === "AbortError") throw cause;
    throw new ApiError(0, "unreachable", t("error.unreachable"));
  }
  if (!response.ok) throw await refused(path, init, response);
  wasLoggedIn = true;
  return response;
}

/** Who is not logged in any more reads nothing more, and goes where one logs in; what was being sent says so where it is. */
async function refused(path: string, init: RequestInit | undefined, response: Response): Promise<ApiError> {
  const problem = await problemOf(response);
  const reads = init?.method !== "POST" || path === "/api/ticket";
  if (problem.code === "not-logged-in" && reads) goToLogin();
  return problem;
}

/** Whether this page was answered before: then it is no first visit, and a session has ended. */
let wasLoggedIn = false;

/** Tests bring their own. */
export const leave = { to: (address: string): void => location.replace(address) };

function goToLogin(): void {
  if (location.pathname === "/login") return;
  const to = encodeURIComponent(location.pathname + location.search + location.hash);
  leave.to(`/login?to=${to}${wasLoggedIn ? "&ended=1" : ""}`);
}

export type Params = Record<string, string | number | undefined>;

/** Appends the parameters that are set; empty strings and zeros mean "not asked for". */
export function withParams(path: string, params: Params): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) if (value) search.set(name, String(value));
  const text = search.toString();
  return text ? `${path}?${text}` : path;
}

/** In a replay every answer is as of its moment. */
const asOf = (params: Params): Params => ({ ...params, replay: REPLAY });

export async function getJson<T>(path: string, params: Params = {}, signal?: AbortSignal): Promise<T> {
  const response = await request(withParams(path, asOf(params)), { signal: signal ?? null });
  return (await response.json()) as T;
}

export async function getText(path: string, params: Params = {}, signal?: AbortSignal): Promise<string> {
  const response = await request(withParams(path, asOf(params)), { signal: signal ?? null });
  return response.text();
}

/** State-changing requests carry a header that a foreign page cannot send without the gateway's consent. */
export async function postJson<T>(
  path: string,
  body: object,
  headers: Record<string, string> = {},
): Promise<T> {
  if (REPLAY) throw new ApiError(0, "replay", t("replay.noActions"));
  return bare<T>(path, body, headers);
}

/** The same of what changes nothing that a replay shows: logging in and out, and a socket's ticket. */
export async function bare<T>(path: string, body: object, headers: Record<string, string> = {}): Promise<T> {
  const response = await request(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Journeyman": "1", ...headers },
    body: JSON.stringify(body),
  });
  return (await response.json()) as T;
}
