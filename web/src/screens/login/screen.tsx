import { useId, useState } from "react";
import { leave } from "../../api/client";
import { logIn } from "../../api/login";
import { Command } from "../../components/copy";
import { Button } from "../../components/ui/button";
import { t } from "../../i18n/people";
import { visible } from "../../lib/visible";

/** Where one goes on: a path of this dashboard, and never another site's address. */
export const onward = (wanted: string | null): string =>
  wanted && /^\/(?![/\\])/.test(wanted) && !wanted.startsWith("/login") ? wanted : "/";

/**
 * A one-time link leads here, with its secret behind the `#`, which no server is told. A button spends it: what only looks
 * at a link, as previews and scanners of mails do, burns nothing.
 */
export function LoginScreen({ hash, search }: { hash: string; search: string }) {
  const secret = hash.replace(/^#/, "");
  const params = new URLSearchParams(search);
  const [pasted, setPasted] = useState("");
  const [failed, setFailed] = useState("");
  const [busy, setBusy] = useState(false);
  const field = useId();
  document.title = t("login.documentTitle");

  const spend = async (link: string) => {
    setBusy(true);
    setFailed("");
    try {
      await logIn(link.trim().replace(/^.*#/, ""));
      leave.to(onward(params.get("to")));
    } catch (error) {
      setFailed(error instanceof Error ? error.message : String(error));
      setBusy(false);
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
          <p role="alert" className="mt-4 text-bad">
            {visible(failed)}
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
            <p className="mt-4 text-ink-2">
              {params.has("to") && !failed ? `${t("login.ended")} ` : ""}
              {t("login.needed")} {t("login.howOwn")}
            </p>
            <div className="mt-2">
              <Command text="journeyman user link" />
            </div>
            <p className="mt-3 text-ink-2">{t("login.howOthers")}</p>
            <form
              className="mt-5"
              onSubmit={(event) => {
                event.preventDefault();
                void spend(pasted);
              }}
            >
              <label htmlFor={field} className="font-medium">
                {t("login.paste")}
              </label>
              <div className="mt-1 flex gap-2">
                <input
                  id={field}
                  type="text"
                  required
                  minLength={16}
                  autoComplete="off"
                  spellCheck={false}
                  value={pasted}
                  placeholder={t("login.pasteHint")}
                  onChange={(event) => setPasted(event.target.value)}
                  className="h-8 min-w-0 flex-1 rounded-md border border-line-strong bg-panel px-2.5 placeholder:text-ink-3"
                />
                <Button type="submit" look="primary" busy={busy}>
                  {t("login.go")}
                </Button>
              </div>
            </form>
          </>
        )}
      </div>
    </main>
  );
}
