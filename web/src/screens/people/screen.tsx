import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { ApiError } from "../../api/client";
import { keys } from "../../api/keys";
import { anotherLink, changeRole, invite, letIn, peopleQuery } from "../../api/people";
import { REPLAY } from "../../api/replay";
import { type OneTimeLink, type Person, ROLES, type Role } from "../../api/types";
import { Ago } from "../../components/ago";
import { ConfirmButton } from "../../components/confirm-button";
import { EmptyState } from "../../components/empty-state";
import { SessionList } from "../../components/session-list";
import { ShownOnce } from "../../components/shown-once";
import { Spinner } from "../../components/spinner";
import { TokenList } from "../../components/token-list";
import { Button } from "../../components/ui/button";
import { Field, Input, Select } from "../../components/ui/field";
import { ChoiceMenu } from "../../components/ui/menu";
import { Visible } from "../../components/visible";
import { t } from "../../i18n/people";
import { usePresent } from "../../lib/clock";
import { moment } from "../../lib/format";
import { useMay, useMe } from "../../lib/me";
import { useWaiting } from "../../lib/system";
import { useTitle } from "../../lib/title";
import { visible } from "../../lib/visible";

/** Who may come in, and what each of them may do. */
export function PeopleScreen() {
  const people = useQuery(peopleQuery);
  const queries = useQueryClient();
  const me = useMe();
  const may = useMay();
  const [link, setLink] = useState<OneTimeLink>();
  useTitle(t("people.documentTitle"), useWaiting());
  const changed = () => void queries.invalidateQueries({ queryKey: keys.people });
  const linked = (made: OneTimeLink) => {
    setLink(made);
    changed();
  };
  const items = people.data?.items ?? [];
  const forbidden = people.error instanceof ApiError && people.error.status === 403;

  return (
    <main id="main" className="min-h-0 flex-1 lg:overflow-y-auto">
      <div className="mx-auto max-w-[60rem] px-3 pb-16 sm:px-6">
        <h1 className="pt-5 pb-1 text-lg font-semibold tracking-tight">{t("people.title")}</h1>
        <p className="pb-4 text-ink-2">{t("people.what")}</p>
        {me?.via === "no-login" && (
          <p
            role="status"
            className="mb-4 rounded-md border border-need-line bg-need-soft px-3 py-2 text-need"
          >
            {t("people.off")}
          </p>
        )}
        {link && <LinkShown link={link} seen={() => setLink(undefined)} />}
        {people.data && !REPLAY && may("inviteUser") && <InviteForm invited={linked} />}
        {people.isPending && (
          <div className="flex items-center gap-2 py-16 text-ink-3">
            <Spinner /> {t("people.title")}
          </div>
        )}
        {people.isError && !people.data && (
          <EmptyState title={t(forbidden ? "people.refused" : "people.failed")}>
            <p role="alert">{visible(people.error.message)}</p>
            {!forbidden && (
              <Button className="mt-4" onClick={() => void people.refetch()}>
                {t("action.tryAgain")}
              </Button>
            )}
          </EmptyState>
        )}
        {people.data && items.length === 0 && <EmptyState title={t("people.none")} />}
        <ul className="space-y-3">
          {items.map((person) => (
            <PersonItem
              key={person.name}
              person={person}
              mine={me?.role ?? "admin"}
              you={me?.name === person.name}
              changed={changed}
              linked={linked}
            />
          ))}
        </ul>
        {items.length === 1 && items[0]?.name === me?.name && (
          <p className="mt-4 text-ink-3">{t("people.onlyYou")}</p>
        )}
      </div>
    </main>
  );
}

function LinkShown({ link, seen }: { link: OneTimeLink; seen: () => void }) {
  const now = usePresent();
  const who = visible(link.name);
  return (
    <ShownOnce
      title={t("people.link", { who })}
      text={t("people.linkOnce", { who, at: moment(Date.parse(link.ends_at), now) })}
      secret={link.url}
      seen={seen}
    />
  );
}

function InviteForm({ invited }: { invited: (link: OneTimeLink) => void }) {
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("operator");
  const ask = useMutation({
    mutationFn: () => invite(name.trim(), role),
    onSuccess: (link) => {
      setName("");
      invited(link);
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    ask.mutate();
  };
  return (
    <form onSubmit={submit} aria-label={t("people.invite")} className="mb-4 rounded-lg border bg-panel p-4">
      <div className="grid items-start gap-3 sm:grid-cols-[1fr_1fr_auto]">
        <Field label={t("people.name")} hint={t("people.nameHint")}>
          {(ids) => (
            <Input
              {...ids}
              required
              maxLength={32}
              pattern="[a-z][a-z0-9\-]*"
              title={t("people.nameHint")}
              autoCapitalize="none"
              autoComplete="off"
              spellCheck={false}
              value={name}
              onChange={(event) => setName(event.target.value)}
            />
          )}
        </Field>
        <Field label={t("people.role")} hint={t(`role.${role}.may`)}>
          {(ids) => (
            <Select {...ids} value={role} onChange={(event) => setRole(event.target.value as Role)}>
              {ROLES.map((each) => (
                <option key={each} value={each}>
                  {t(`role.${each}`)}
                </option>
              ))}
            </Select>
          )}
        </Field>
        <Button type="submit" look="primary" busy={ask.isPending} className="sm:mt-6">
          {t(ask.isPending ? "people.inviting" : "people.invite")}
        </Button>
      </div>
      {ask.isError && (
        <p role="alert" className="mt-3 rounded-md border border-bad-line bg-bad-soft px-3 py-2 text-bad">
          {visible(ask.error.message)}
        </p>
      )}
    </form>
  );
}

interface ItemProps {
  person: Person;
  mine: Role;
  you: boolean;
  changed: () => void;
  linked: (link: OneTimeLink) => void;
}

function PersonItem({ person, mine, you, changed, linked }: ItemProps) {
  const { name, actions } = person;
  const [open, setOpen] = useState(false);
  const role = useMutation({ mutationFn: (next: Role) => changeRole(name, next), onSettled: changed });
  const flip = useMutation({ mutationFn: (on: boolean) => letIn(name, on), onSettled: changed });
  const link = useMutation({ mutationFn: () => anotherLink(name), onSuccess: linked });
  const failed = role.error ?? flip.error ?? link.error;
  const may = (action: Person["actions"][number]) => !REPLAY && actions.includes(action);
  return (
    <li className="rounded-lg border bg-panel p-4">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-2">
        <h2 className="font-semibold wrap-anywhere">
          <Visible text={name} />
          {you && <span className="ml-2 font-normal text-ink-3">{t("people.you")}</span>}
        </h2>
        {!person.enabled && <span className="text-bad">{t("people.disabled")}</span>}
        <span className="text-mini text-ink-3">
          {person.seen_at ? (
            <>
              {t("people.seen")} <Ago at={person.seen_at} />
            </>
          ) : (
            t("people.neverSeen")
          )}{" "}
          · {t("people.sessions", { n: person.sessions })} · {t("people.tokens", { n: person.tokens })}
        </span>
        <span className="flex flex-wrap items-center gap-2 sm:ml-auto">
          {may("role") ? (
            <ChoiceMenu
              label={t("people.role")}
              value={role.isPending ? role.variables : person.role}
              choices={ROLES.map((value) => ({ value, label: t(`role.${value}`) }))}
              onChange={(next) => next !== person.role && role.mutate(next as Role)}
            />
          ) : (
            <span>{t(`role.${person.role}`)}</span>
          )}
          {may("link") && (
            <Button size="sm" busy={link.isPending} onClick={() => link.mutate()}>
              {t("people.another")}
            </Button>
          )}
          {may("disable") && (
            <ConfirmButton
              label={t("people.disable")}
              title={t("people.disableTitle", { who: visible(name) })}
              text={t("people.disableText", { who: visible(name) })}
              busy={flip.isPending}
              act={() => flip.mutate(false)}
            />
          )}
          {may("enable") && (
            <Button size="sm" busy={flip.isPending} onClick={() => flip.mutate(true)}>
              {t("people.enable")}
            </Button>
          )}
        </span>
      </div>
      {failed && (
        <p role="alert" className="mt-2 text-bad">
          {visible(failed.message)}
        </p>
      )}
      <details className="mt-3" onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary className="cursor-pointer text-mini font-medium text-ink-2">{t("people.details")}</summary>
        {open && (
          <div className="mt-2 grid gap-4 lg:grid-cols-2">
            <section aria-label={t("sessions.title")} className="min-w-0">
              <h3 className="mb-1 text-mini font-semibold">{t("sessions.title")}</h3>
              <SessionList person={name} />
            </section>
            <section aria-label={t("tokens.title")} className="min-w-0">
              <h3 className="mb-1 text-mini font-semibold">{t("tokens.title")}</h3>
              <TokenList person={name} mine={mine} />
            </section>
          </div>
        )}
      </details>
    </li>
  );
}
