import { useMutation, useQuery } from "@tanstack/react-query";
import { type FormEvent, useDeferredValue, useState } from "react";
import { makeWebhook, reposQuery, tryWebhook } from "../../api/queries";
import type { Directive, Found, NewWebhook, Paths, Scheme, WebhookDraft } from "../../api/types";
import { Button } from "../../components/ui/button";
import { Field, Input, Select, TextArea } from "../../components/ui/field";
import { t } from "../../i18n/webhooks";
import { visible } from "../../lib/visible";
import { DraftByWords } from "./words";

const SCHEMES: readonly Scheme[] = ["hmac", "bearer", "basic", "standard-webhooks", "jwt", "none"];
const PATHS = ["id", "thing", "title", "text", "repository", "author", "url"] as const;
const DIRECTIVES: readonly Directive[] = ["auto", "plan", "implement"];
const NO_PATHS: Paths = { id: "", thing: "", title: "", text: "", repository: "", author: "", url: "" };

interface Draft {
  name: string;
  description: string;
  verification: NewWebhook["verification"];
  secret: string;
  paths: Paths;
  filters: string;
  repo: string;
  agent: string;
  directive: Directive;
}

const EMPTY: Draft = {
  name: "",
  description: "",
  verification: { scheme: "hmac", header: "X-Signature-256", prefix: "sha256=" },
  secret: "",
  paths: NO_PATHS,
  filters: "",
  repo: "",
  agent: "",
  directive: "auto",
};

const definitionOf = (draft: Draft): NewWebhook => ({
  name: draft.name.trim(),
  description: draft.description.trim(),
  verification: draft.verification,
  ...(draft.secret && !draft.verification.secret_file && { secret: draft.secret }),
  paths: draft.paths,
  filters: draft.filters
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean),
  repo: draft.repo,
  agent: draft.agent.trim(),
  directive: draft.directive,
});

/** The form as a model has drafted it; a secret that somebody has typed stays. */
const filledIn = (before: Draft, { name, definition }: WebhookDraft): Draft =>
  definition
    ? {
        name: name || before.name,
        description: definition.description ?? "",
        verification: definition.verification,
        secret: before.secret,
        paths: { ...NO_PATHS, ...definition.paths },
        filters: (definition.filters ?? []).join("\n"),
        repo: definition.repo ?? "",
        agent: before.agent,
        directive: definition.directive ?? "auto",
      }
    : before;

interface Props {
  cancel: () => void;
  /** Gets the secret that was made, or an empty text. */
  made: (secret: string) => void;
}

export function WebhookForm({ cancel, made }: Props) {
  const [draft, setDraft] = useState(EMPTY);
  const [sample, setSample] = useState("");
  const repos = useQuery(reposQuery).data?.items ?? [];
  const make = useMutation({ mutationFn: makeWebhook, onSuccess: ({ secret }) => made(secret) });
  const edit = (change: Partial<Draft>) => setDraft({ ...draft, ...change });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!make.isPending) make.mutate(definitionOf(draft));
  };

  return (
    <form onSubmit={submit} className="mb-6 space-y-4 rounded-lg border bg-panel p-4">
      <DraftByWords sample={sample} fill={(made) => setDraft((before) => filledIn(before, made))} />
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label={t("hookForm.name")} hint={t("hookForm.nameHint")}>
          {(ids) => (
            <Input
              {...ids}
              required
              pattern="[a-z][a-z0-9\-]{1,39}"
              value={draft.name}
              onChange={(event) => edit({ name: event.target.value })}
            />
          )}
        </Field>
        <Field label={t("hookForm.description")} optional={t("form.optional")}>
          {(ids) => (
            <Input
              {...ids}
              value={draft.description}
              onChange={(event) => edit({ description: event.target.value })}
            />
          )}
        </Field>
      </div>
      <Verification draft={draft} edit={edit} />
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label={t("hookForm.sample")} hint={t("hookForm.sampleHint")} optional={t("form.optional")}>
          {(ids) => (
            <TextArea
              {...ids}
              rows={8}
              className="font-mono text-mini"
              spellCheck={false}
              value={sample}
              onChange={(event) => setSample(event.target.value)}
            />
          )}
        </Field>
        <FoundInSample draft={draft} sample={sample} />
      </div>
      <fieldset>
        <legend className="font-medium">{t("hookForm.paths")}</legend>
        <p className="mb-2 text-mini text-ink-3">{t("hookForm.pathsHint")}</p>
        <div className="grid gap-3 sm:grid-cols-2">
          {PATHS.map((path) => (
            <Field key={path} label={t(`hookForm.path.${path}`)} optional={t("form.optional")}>
              {(ids) => (
                <Input
                  {...ids}
                  className="font-mono text-mini"
                  spellCheck={false}
                  autoCapitalize="none"
                  value={draft.paths[path]}
                  onChange={(event) => edit({ paths: { ...draft.paths, [path]: event.target.value } })}
                />
              )}
            </Field>
          ))}
          <Field label={t("hookForm.filters")} hint={t("hookForm.filtersHint")} optional={t("form.optional")}>
            {(ids) => (
              <TextArea
                {...ids}
                rows={2}
                className="font-mono text-mini"
                spellCheck={false}
                value={draft.filters}
                onChange={(event) => edit({ filters: event.target.value })}
              />
            )}
          </Field>
        </div>
      </fieldset>
      <div className="grid gap-4 sm:grid-cols-3">
        <Field label={t("hookForm.repo")}>
          {(ids) => (
            <Select {...ids} value={draft.repo} onChange={(event) => edit({ repo: event.target.value })}>
              <option value="">—</option>
              {repos.map(({ name }) => (
                <option key={name} value={name}>
                  {name}
                </option>
              ))}
            </Select>
          )}
        </Field>
        <Field label={t("hookForm.agent")} optional={t("form.optional")}>
          {(ids) => (
            <Input
              {...ids}
              spellCheck={false}
              autoCapitalize="none"
              value={draft.agent}
              onChange={(event) => edit({ agent: event.target.value })}
            />
          )}
        </Field>
        <Field label={t("hookForm.directive")}>
          {(ids) => (
            <Select
              {...ids}
              value={draft.directive}
              onChange={(event) => edit({ directive: event.target.value as Directive })}
            >
              {DIRECTIVES.map((directive) => (
                <option key={directive} value={directive}>
                  {t(`directive.${directive}`)}
                </option>
              ))}
            </Select>
          )}
        </Field>
      </div>
      {make.isError && (
        <p role="alert" className="rounded-md border border-bad-line bg-bad-soft px-3 py-2 text-bad">
          {visible(make.error.message)}
        </p>
      )}
      <div className="flex justify-end gap-2">
        <Button onClick={cancel}>{t("hookForm.cancel")}</Button>
        <Button type="submit" look="primary" busy={make.isPending}>
          {t(make.isPending ? "hookForm.making" : "hookForm.make")}
        </Button>
      </div>
    </form>
  );
}

type Edit = (change: Partial<Draft>) => void;

/** The fields that the chosen way of verification needs, and no other. */
function Verification({ draft, edit }: { draft: Draft; edit: Edit }) {
  const how = draft.verification;
  const set = (change: Partial<NewWebhook["verification"]>) => edit({ verification: { ...how, ...change } });
  const text = (
    key: "header" | "prefix" | "username" | "jwks_url" | "audience" | "issuer" | "secret_file",
    label: string,
  ) => (
    <Field label={label}>
      {(ids) => (
        <Input
          {...ids}
          value={how[key] ?? ""}
          spellCheck={false}
          autoCapitalize="none"
          onChange={(event) => set({ [key]: event.target.value })}
        />
      )}
    </Field>
  );
  const choice = (key: "algorithm" | "encoding", label: string, values: readonly string[]) => (
    <Field label={label}>
      {(ids) => (
        <Select
          {...ids}
          value={how[key] ?? values[0]}
          onChange={(event) => set({ [key]: event.target.value })}
        >
          {values.map((value) => (
            <option key={value}>{value}</option>
          ))}
        </Select>
      )}
    </Field>
  );
  const ours = !how.secret_file;
  const byKeys = how.scheme === "jwt" && Boolean(how.jwks_url);
  return (
    <fieldset className="grid gap-3 sm:grid-cols-2 lg:grid-cols-3">
      <Field label={t("hookForm.verification")}>
        {(ids) => (
          <Select
            {...ids}
            value={how.scheme}
            onChange={(event) => {
              const scheme = event.target.value as Scheme;
              edit({ verification: scheme === "hmac" ? EMPTY.verification : { scheme }, secret: "" });
            }}
          >
            {SCHEMES.map((scheme) => (
              <option key={scheme} value={scheme}>
                {t(`hookForm.scheme.${scheme}`)}
              </option>
            ))}
          </Select>
        )}
      </Field>
      {how.scheme === "hmac" && (
        <>
          {text("header", t("hookForm.header"))}
          {text("prefix", t("hookForm.prefix"))}
          {choice("algorithm", t("hookForm.algorithm"), ["sha256", "sha512"])}
          {choice("encoding", t("hookForm.encoding"), ["hex", "base64"])}
        </>
      )}
      {how.scheme === "bearer" && text("header", t("hookForm.tokenHeader"))}
      {how.scheme === "basic" && text("username", t("hookForm.username"))}
      {how.scheme === "jwt" && (
        <>
          {text("jwks_url", t("hookForm.jwks"))}
          {text("audience", t("hookForm.audience"))}
          {text("issuer", t("hookForm.issuer"))}
        </>
      )}
      {how.scheme !== "none" && !byKeys && ours && (
        <Field label={t("hookForm.secret")} hint={t("hookForm.secretHint")} optional={t("form.optional")}>
          {(ids) => (
            <Input
              {...ids}
              type="password"
              autoComplete="new-password"
              value={draft.secret}
              onChange={(event) => edit({ secret: event.target.value })}
            />
          )}
        </Field>
      )}
      {how.scheme !== "none" && !byKeys && text("secret_file", t("hookForm.secretFile"))}
    </fieldset>
  );
}

/** What the paths find in the pasted sample, by the gateway that will read the deliveries. */
function FoundInSample({ draft, sample }: { draft: Draft; sample: string }) {
  const asked = useDeferredValue(JSON.stringify([definitionOf({ ...draft, secret: "" }), sample]));
  const [definition, body] = JSON.parse(asked) as [NewWebhook, string];
  const found = useQuery({
    queryKey: ["webhook-sample", asked],
    queryFn: () => tryWebhook(definition, body),
    enabled: body.trim() !== "",
    retry: false,
    placeholderData: (before) => before,
  });
  return (
    <section aria-label={t("hookForm.found")} aria-live="polite" className="min-w-0">
      <h3 className="mb-1 font-medium">{t("hookForm.found")}</h3>
      {found.error ? (
        <p className="text-bad">{visible(found.error.message)}</p>
      ) : (
        found.data && body.trim() !== "" && <FoundList found={found.data} />
      )}
    </section>
  );
}

function FoundList({ found }: { found: Found }) {
  const rows = PATHS.filter((path) => found[path]);
  return (
    <>
      {found.failed && (
        <p className="text-need">{t("hookForm.ignored", { filter: visible(found.failed) })}</p>
      )}
      {rows.length === 0 && <p className="text-ink-2">{t("hookForm.foundNothing")}</p>}
      <dl className="space-y-1">
        {rows.map((path) => (
          <div key={path} className="flex gap-2">
            <dt className="w-32 shrink-0 text-ink-2">{t(`hookForm.path.${path}`)}</dt>
            <dd className="min-w-0 wrap-anywhere">{visible(found[path].slice(0, 300))}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}
