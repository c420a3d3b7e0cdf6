import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { keys } from "../api/keys";
import { makeToken, revokeToken, tokensQuery } from "../api/people";
import { REPLAY } from "../api/replay";
import { type NewToken, ROLES, type Role, SCOPES, type Scope, type Token } from "../api/types";
import { t } from "../i18n/people";
import { usePresent } from "../lib/clock";
import { moment } from "../lib/format";
import { visible } from "../lib/visible";
import { Ago } from "./ago";
import { ConfirmButton } from "./confirm-button";
import { ShownOnce } from "./shown-once";
import { Spinner } from "./spinner";
import { Button } from "./ui/button";
import { Field, Input, Select } from "./ui/field";
import { Visible } from "./visible";

const DAYS = [7, 30, 90, 365, 0] as const;

interface Props {
  /** Whose; empty for one's own. */
  person?: string;
  /** The role of whoever makes one: a token may do no more. */
  mine: Role;
}

/** Tokens of one person; a new one is shown once. */
export function TokenList({ person = "", mine }: Props) {
  const tokens = useQuery(tokensQuery(person));
  const queries = useQueryClient();
  const [making, setMaking] = useState(false);
  const [made, setMade] = useState({ name: "", secret: "" });
  return (
    <>
      {made.secret && (
        <ShownOnce
          title={t("tokens.made", { name: visible(made.name) })}
          text={t("tokens.madeOnce")}
          secret={made.secret}
          seen={() => setMade({ name: "", secret: "" })}
        />
      )}
      {tokens.isPending && <Spinner />}
      {tokens.isError && !tokens.data && (
        <p role="alert" className="text-bad">
          {t("tokens.failed", { problem: visible(tokens.error.message) })}
        </p>
      )}
      {tokens.data?.items.length === 0 && <p className="text-ink-3">{t("tokens.none")}</p>}
      {tokens.data && tokens.data.items.length > 0 && (
        <ul className="divide-y divide-line rounded-lg border bg-panel">
          {tokens.data.items.map((token) => (
            <TokenItem key={token.id} person={person} token={token} />
          ))}
        </ul>
      )}
      {!REPLAY && !making && (
        <Button size="sm" className="mt-3" onClick={() => setMaking(true)}>
          {t("tokens.new")}
        </Button>
      )}
      {making && (
        <NewTokenForm
          person={person}
          mine={mine}
          cancel={() => setMaking(false)}
          made={(name, secret) => {
            setMaking(false);
            setMade({ name, secret });
            void queries.invalidateQueries({ queryKey: keys.tokens(person) });
            void queries.invalidateQueries({ queryKey: keys.people });
          }}
        />
      )}
    </>
  );
}

function TokenItem({ person, token }: { person: string; token: Token }) {
  const queries = useQueryClient();
  const now = usePresent();
  const revoke = useMutation({
    mutationFn: () => revokeToken(person, token.id),
    onSuccess: (left) => {
      queries.setQueryData(keys.tokens(person), left);
      void queries.invalidateQueries({ queryKey: keys.people });
    },
  });
  const ends = token.ends_at ? Date.parse(token.ends_at) : null;
  const over = ends !== null && ends <= now;
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-1 px-4 py-2.5">
      <div className="min-w-0 flex-1">
        <p className="font-medium wrap-anywhere">
          <Visible text={token.name} /> <span className="font-mono text-mini text-ink-3">{token.id}</span>
        </p>
        <p className="text-mini text-ink-3">
          {t(`role.${token.role}`)} · {token.scopes.join(", ") || t("tokens.everywhere")} ·{" "}
          <span className={over ? "text-bad" : ""}>
            {ends === null
              ? t("tokens.noEnd")
              : t(over ? "tokens.ended" : "tokens.ends", { at: moment(ends, now) })}
          </span>{" "}
          ·{" "}
          {token.used_at ? (
            <>
              {t("tokens.used")} <Ago at={token.used_at} />
            </>
          ) : (
            t("tokens.neverUsed")
          )}
        </p>
        {revoke.error && (
          <p role="alert" className="text-mini text-bad">
            {visible(revoke.error.message)}
          </p>
        )}
      </div>
      {!REPLAY && (
        <ConfirmButton
          label={t("tokens.revoke")}
          title={t("tokens.revokeTitle", { name: visible(token.name) })}
          text={t("tokens.revokeText")}
          busy={revoke.isPending}
          act={() => revoke.mutate()}
        />
      )}
    </li>
  );
}

interface FormProps {
  person: string;
  mine: Role;
  cancel: () => void;
  made: (name: string, secret: string) => void;
}

function NewTokenForm({ person, mine, cancel, made }: FormProps) {
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role | "">("");
  const [days, setDays] = useState<number>(30);
  const [scopes, setScopes] = useState<readonly Scope[]>([]);
  const make = useMutation({
    mutationFn: (token: NewToken) => makeToken(person, token),
    onSuccess: (token) => made(token.name, token.secret),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    make.mutate({
      name: name.trim(),
      ...(role && { role }),
      ...(days && { days }),
      scopes: [...scopes],
    });
  };
  const choose = (scope: Scope, on: boolean) =>
    setScopes(SCOPES.filter((each) => (each === scope ? on : scopes.includes(each))));
  return (
    <form
      onSubmit={submit}
      aria-label={t("tokens.new")}
      className="mt-3 space-y-4 rounded-lg border bg-panel p-4"
    >
      <div className="grid gap-4 sm:grid-cols-3">
        <Field label={t("tokens.name")}>
          {(ids) => (
            <Input
              {...ids}
              required
              autoFocus
              maxLength={80}
              placeholder={t("tokens.namePlaceholder")}
              value={name}
              onChange={(event) => setName(event.target.value)}
            />
          )}
        </Field>
        <Field label={t("tokens.role")}>
          {(ids) => (
            <Select {...ids} value={role} onChange={(event) => setRole(event.target.value as Role | "")}>
              <option value="">{t(person ? "tokens.roleTheirs" : "tokens.roleMine")}</option>
              {ROLES.slice(0, ROLES.indexOf(mine) + 1).map((each) => (
                <option key={each} value={each}>
                  {t(`role.${each}`)}
                </option>
              ))}
            </Select>
          )}
        </Field>
        <Field label={t("tokens.days")}>
          {(ids) => (
            <Select {...ids} value={days} onChange={(event) => setDays(Number(event.target.value))}>
              {DAYS.map((each) => (
                <option key={each} value={each}>
                  {t(`tokens.days.${each}`)}
                </option>
              ))}
            </Select>
          )}
        </Field>
      </div>
      <fieldset>
        <legend className="mb-1 font-medium">
          {t("tokens.scopes")}{" "}
          <span className="text-mini font-normal text-ink-3">{t("tokens.scopesHint")}</span>
        </legend>
        <div className="flex flex-wrap gap-x-4 gap-y-1">
          {SCOPES.map((scope) => (
            <label key={scope} className="flex items-center gap-1.5">
              <input
                type="checkbox"
                className="accent-(--accent-fill)"
                checked={scopes.includes(scope)}
                onChange={(event) => choose(scope, event.target.checked)}
              />
              {scope}
            </label>
          ))}
        </div>
      </fieldset>
      {make.isError && (
        <p role="alert" className="rounded-md border border-bad-line bg-bad-soft px-3 py-2 text-bad">
          {visible(make.error.message)}
        </p>
      )}
      <div className="flex justify-end gap-2">
        <Button onClick={cancel}>{t("action.cancel")}</Button>
        <Button type="submit" look="primary" busy={make.isPending} disabled={!name.trim()}>
          {t("tokens.make")}
        </Button>
      </div>
    </form>
  );
}
