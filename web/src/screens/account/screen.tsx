import { useMutation, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { LogOut } from "lucide-react";
import type { ReactNode } from "react";
import { leave } from "../../api/client";
import { logOut } from "../../api/login";
import { meQuery } from "../../api/queries";
import type { Me } from "../../api/types";
import { EmptyState } from "../../components/empty-state";
import { SessionList } from "../../components/session-list";
import { Spinner } from "../../components/spinner";
import { TokenList } from "../../components/token-list";
import { Button } from "../../components/ui/button";
import { Select } from "../../components/ui/field";
import { Visible } from "../../components/visible";
import { t } from "../../i18n/people";
import { usePresent } from "../../lib/clock";
import { moment } from "../../lib/format";
import { useWaiting } from "../../lib/system";
import { setTheme, type Theme, useTheme } from "../../lib/theme";
import { useTitle } from "../../lib/title";
import { visible } from "../../lib/visible";

/** Who one is here, where one is logged in, and what else stands for one. */
export function AccountScreen() {
  const me = useQuery(meQuery);
  useTitle(t("account.documentTitle"), useWaiting());
  return (
    <main id="main" className="min-h-0 flex-1 lg:overflow-y-auto">
      <div className="mx-auto max-w-[60rem] px-3 pb-16 sm:px-6">
        <div className="flex flex-wrap items-center gap-x-4 gap-y-2 pt-5 pb-3">
          <h1 className="flex-1 text-lg font-semibold tracking-tight">{t("account.title")}</h1>
          {me.data?.via === "session" && <LogOutButton />}
        </div>
        {me.isPending && <Spinner />}
        {me.isError && !me.data && (
          <EmptyState title={t("account.failed")}>
            <p role="alert">{visible(me.error.message)}</p>
            <Button className="mt-4" onClick={() => void me.refetch()}>
              {t("action.tryAgain")}
            </Button>
          </EmptyState>
        )}
        {me.data && <Account me={me.data} />}
      </div>
    </main>
  );
}

function LogOutButton() {
  const out = useMutation({
    mutationFn: logOut,
    onSuccess: () => {
      // What was being written is this person's, and the next one may be another.
      sessionStorage.clear();
      leave.to("/login");
    },
  });
  return (
    <>
      {out.error && (
        <p role="alert" className="text-bad">
          {t("account.logOutFailed", { problem: visible(out.error.message) })}
        </p>
      )}
      <Button busy={out.isPending} onClick={() => out.mutate()}>
        <LogOut size={14} aria-hidden />
        {t("account.logOut")}
      </Button>
    </>
  );
}

function Account({ me }: { me: Me }) {
  const now = usePresent();
  const off = me.via === "no-login";
  return (
    <>
      <dl className="grid grid-cols-[auto_1fr] gap-x-6 gap-y-1.5 rounded-lg border bg-panel p-4">
        <Fact name={t("account.name")}>
          <Visible text={me.name} />
        </Fact>
        <Fact name={t("account.role")}>
          {t(`role.${me.role}`)} <span className="text-ink-3">{t(`role.${me.role}.may`)}</span>
        </Fact>
        <Fact name={t("account.came")}>{t(`account.via.${me.via}`)}</Fact>
        {me.ends_at && (
          <Fact name={t("account.until")}>
            {moment(Date.parse(me.ends_at), now)}{" "}
            {me.via === "session" && <span className="text-ink-3">{t("account.untilHint")}</span>}
          </Fact>
        )}
        <Fact name={t("account.theme")}>
          <ThemeChoice />
        </Fact>
      </dl>
      {me.may.includes("listUsers") && (
        <p className="mt-3">
          <Link to="/people" className="text-accent hover:underline">
            {t("account.people")}
          </Link>
        </p>
      )}
      {off ? (
        <p role="status" className="mt-6 rounded-md border border-need-line bg-need-soft px-3 py-2 text-need">
          {t("account.off")}
        </p>
      ) : (
        <>
          <Section title={t("sessions.title")} text={t("sessions.what")}>
            <SessionList />
          </Section>
          <Section title={t("tokens.title")} text={t("tokens.what")}>
            <TokenList mine={me.role} />
          </Section>
        </>
      )}
    </>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt className="text-ink-3">{name}</dt>
      <dd className="min-w-0 wrap-anywhere">{children}</dd>
    </>
  );
}

function Section({ title, text, children }: { title: string; text: string; children: ReactNode }) {
  return (
    <section className="mt-8">
      <h2 className="font-semibold">{title}</h2>
      <p className="mb-3 text-ink-2">{text}</p>
      {children}
    </section>
  );
}

const THEMES: readonly Theme[] = ["system", "light", "dark"];

function ThemeChoice() {
  const theme = useTheme();
  return (
    <Select
      aria-label={t("account.theme")}
      value={theme}
      className="h-7! w-auto!"
      onChange={(event) => setTheme(event.target.value as Theme)}
    >
      {THEMES.map((each) => (
        <option key={each} value={each}>
          {t(`theme.${each}`)}
        </option>
      ))}
    </Select>
  );
}
