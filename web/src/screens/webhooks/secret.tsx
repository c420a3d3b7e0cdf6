import { Command } from "../../components/copy";
import { Button } from "../../components/ui/button";
import { t } from "../../i18n/webhooks";

/** A secret that was made a moment ago: nobody can show it a second time. */
export function Secret({ secret, seen }: { secret: string; seen: () => void }) {
  return (
    <section
      role="status"
      aria-label={t("webhooks.secret")}
      className="mb-4 rounded-lg border border-need-line bg-need-soft p-4 text-need"
    >
      <h2 className="font-semibold">{t("webhooks.secret")}</h2>
      <p className="mt-1 mb-2">{t("webhooks.secretOnce")}</p>
      <div className="text-ink">
        <Command text={secret} />
      </div>
      <Button className="mt-3" onClick={seen}>
        {t("webhooks.secretSeen")}
      </Button>
    </section>
  );
}
