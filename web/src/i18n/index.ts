import { en } from "./en";
import type { enChat } from "./en-chat";
import type { enDialogs } from "./en-dialogs";
import type { enPeople } from "./en-people";
import type { enTask } from "./en-task";
import type { enWebhooks } from "./en-webhooks";

export type Key =
  | keyof typeof en
  | keyof typeof enChat
  | keyof typeof enDialogs
  | keyof typeof enPeople
  | keyof typeof enTask
  | keyof typeof enWebhooks;
type Vars = Record<string, string | number>;
type Message = string | { one: string; other: string };

const messages: Partial<Record<Key, Message>> = { ...en };
const plurals = new Intl.PluralRules("en");

/** Adds the words of a part of the dashboard that is loaded by itself. */
export const addWords = (words: Partial<Record<Key, Message>>): void => void Object.assign(messages, words);

/** The sentence for `key`. A message with forms picks one by `n`; `{name}` is replaced by the variable. */
export function t(key: Key, vars: Vars = {}): string {
  const message = messages[key];
  // A newer gateway may name a state that this build has no word for: its own name is better than no page.
  if (message === undefined) return String(key).split(".").at(-1) ?? key;
  const form =
    typeof message === "string"
      ? message
      : message[plurals.select(Number(vars.n)) === "one" ? "one" : "other"];
  return form.replace(/\{(\w+)\}/g, (whole, name: string) => String(vars[name] ?? whole));
}
