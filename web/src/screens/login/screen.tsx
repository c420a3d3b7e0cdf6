import { useEffect, useRef, useState } from "react";
import { ApiError, leave } from "../../api/client";
import { logIn, whoAmI } from "../../api/login";
import type { Me } from "../../api/types";
import { Command } from "../../components/copy";
import { Button } from "../../components/ui/button";
import { Field, Input } from "../../components/ui/field";
import { type Key, t } from "../../i18n/people";
import { visible } from "../../lib/visible";

/** Where one goes on: a path of this dashboard, and never another site's address. */
export const onward = (wanted: string | null): string =>
  wanted && /^\/(?![/\\])/.test(wanted) && !wanted.startsWith("/login") ? wanted : "/";

/** What these refusals are called here; whatever else it is says so in the gateway's own words. */
const WORDS: Partial<Record<string, Key>> = { "link-over": "login.over", "user-disabled": "login.disabled" };

const wordsOf = (error: unknown): string => {
  const known = error instanceof ApiError ? WORDS[error.code] : undefined;
  return known ? t(known) : error instanceof Error ? error.message : String(error);
};

/** Who this browser is logged in as already; asked anew when one comes back to this tab. */
function useAlready(): { me: Me | undefined; cameBack: boolean } {
  const [me, setMe] = useState<Me>();
  const [cameBack, setCameBack] = useState(false);
  useEffect(() => {
    const ask = async (again: boolean) => {
      setMe(await whoAmI());
      setCameBack(again);
    };
    const back = () => document.visibilityState === "visible" && void ask(true);
    void ask(false);
    window.addEventListener("focus", back);
    document.addEventListener("visibilitychange", back);
    return () => {
      window.removeEventListener("focus", back);
      document.removeEventListener("visibilitychange", back);
    };
  }, []);
  return { me, cameBack };
}

/**
 * A one-time link leads here, with its secret behind the `#`, which no server is told. A button spends it: what only looks
 * at a link, as previews and scanners of mails do, burns nothing.
 */
export function LoginScreen({ hash, search }: { hash: string; search: string }) {
  const secret = hash.replace(/^#/, "");
  const params = new URLSearchParams(search);
  const to = onward(params.get("to"));
  const ended = params.has("ended");
  const [pasted, setPasted] = useState("");
  const [failed, setFailed] = useState("");
  const [busy, setBusy] = useState(false);
  const { me, cameBack } = useAlready();
  const field = useRef<HTMLInputElement>(null);
  document.title = t("login.documentTitle");

  // Whoever follows the link in another tab has logged this one in, too.
  const elsewhere = params.has("to") && cameBack && me !== undefined;
  useEffect(() => {
    if (elsewhere) leave.to(to);
  }, [elsewhere, to]);

  const spend = async (link: string) => {
    setBusy(true);
    setFailed("");
    try {
      await logIn(link.trim().replace(/^.*#/, ""));
      leave.to(to);
    } catch (error) {
      setFailed(wordsOf(error));
      setBusy(false);
      setTimeout(() => field.current?.focus());
    }
  };

  return (
    <main id="main" className="grid min-h-dvh place-items-center px-4 py-10">
      <div className="w-full max-w-md rounded-lg border bg-panel p-6">
        <div className="flex items-center gap-3">
          <img src="/favicon.svg" alt="" width={32} height={32} />
          <h1 className="text-lg font-semibold tracking-tight">{t("login.title")}</h1>
        </div>
        {failed && (
          <p role="alert" className="mt-4 rounded-md border border-bad-line bg-bad-soft px-3 py-2 text-bad">
            {visible(failed)}
          </p>
        )}
        {ended && !failed && !me && (
          <p
            role="status"
            className="mt-4 rounded-md border border-need-line bg-need-soft px-3 py-2 text-need"
          >
            {t("login.ended")}
          </p>
        )}
        {secret && !failed ? (
          <>
            <p className="mt-4 text-ink-2">{t("login.ready")}</p>
            <Button look="primary" className="mt-5 w-full" busy={busy} onClick={() => void spend(secret)}>
              {t("login.go")}
            </Button>
          </>
        ) : (
          <>
            {me ? <Already me={me} to={to} /> : <HowOneComesIn />}
            <form
              className="mt-5"
              onSubmit={(event) => {
                event.preventDefault();
                void spend(pasted);
              }}
            >
              <Field label={t("login.paste")}>
                {(ids) => (
                  <div className="flex gap-2">
                    <Input
                      {...ids}
                      ref={field}
                      required
                      minLength={16}
                      autoComplete="off"
                      autoCapitalize="none"
                      spellCheck={false}
                      value={pasted}
                      placeholder={t("login.pasteHint")}
                      className="min-w-0 flex-1"
                      onChange={(event) => setPasted(event.target.value)}
                    />
                    <Button type="submit" look="primary" busy={busy}>
                      {t("login.go")}
                    </Button>
                  </div>
                )}
              </Field>
            </form>
          </>
        )}
      </div>
    </main>
  );
}

function HowOneComesIn() {
  return (
    <>
      <p className="mt-4 text-ink-2">
        {t("login.needed")} {t("login.howOwn")}
      </p>
      <div className="mt-2">
        <Command text="journeyman user link" />
      </div>
      <p className="mt-3 text-ink-2">{t("login.howOthers")}</p>
    </>
  );
}

function Already({ me, to }: { me: Me; to: string }) {
  return (
    <div className="mt-4 rounded-md border bg-sunken px-3 py-2">
      <p className="wrap-anywhere">
        {me.via === "no-login" ? t("login.off") : t("login.already", { who: visible(me.name) })}
      </p>
      <Button look="primary" className="mt-2" onClick={() => leave.to(to)}>
        {t("login.goOn")}
      </Button>
    </div>
  );
}
