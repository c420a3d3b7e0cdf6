import { en } from "./en";

export type Key = keyof typeof en;
type Vars = Record<string, string | number>;

const plurals = new Intl.PluralRules("en");

/** The sentence for `key`. A message with forms picks one by `n`; `{name}` is replaced by the variable. */
export function t(key: Key, vars: Vars = {}): string {
  const message: string | { one: string; other: string } | undefined = en[key];
  // A newer gateway may name a state that this build has no word for: its own name is better than no page.
  if (message === undefined) return String(key).split(".").at(-1) ?? key;
  const form =
    typeof message === "string"
      ? message
      : message[plurals.select(Number(vars.n)) === "one" ? "one" : "other"];
  return form.replace(/\{(\w+)\}/g, (whole, name: string) => String(vars[name] ?? whole));
}
