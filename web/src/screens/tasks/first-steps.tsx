import { Command } from "../../components/copy";
import { type Key, t } from "../../i18n";

/** The webhook as GitHub itself would sign and send it; only the secret has to be there. */
function webhookCommand(origin: string): string {
  const body = JSON.stringify({
    action: "opened",
    issue: {
      number: 1,
      title: "Greeting is wrong",
      body: "@agent plan\nGreet in lower case.",
      html_url: "https://github.com/owner/name/issues/1",
      created_at: `${new Date().toISOString().slice(0, 19)}Z`,
      author_association: "OWNER",
      user: { login: "octocat", type: "User" },
    },
    repository: { full_name: "owner/name" },
    sender: { login: "octocat", type: "User" },
  });
  return [
    `body='${body}'`,
    `sig=$(printf %s "$body" | openssl dgst -sha256 -hmac "$JOURNEYMAN_GITHUB_WEBHOOK_SECRET" | sed 's/^.* //')`,
    `curl -i ${origin}/webhooks/github -H 'Content-Type: application/json' \\`,
    `  -H 'X-GitHub-Event: issues' -H "X-GitHub-Delivery: $(date +%s%N)" \\`,
    `  -H "X-Hub-Signature-256: sha256=$sig" --data-raw "$body"`,
  ].join("\n");
}

function Step({ title, hint, command }: { title: Key; hint: Key; command: string }) {
  return (
    <section className="min-w-0 rounded-lg border bg-panel p-4">
      <h3 className="font-semibold">{t(title)}</h3>
      <p className="mt-0.5 mb-3 text-ink-2">{t(hint)}</p>
      <Command text={command} />
    </section>
  );
}

/** The first thing a newcomer sees: how a task gets here. */
export function FirstSteps() {
  return (
    <div className="py-6">
      <h2 className="text-base font-semibold tracking-tight">{t("empty.title")}</h2>
      <p className="mt-1 mb-4 max-w-prose text-ink-2">{t("empty.text")}</p>
      <div className="grid items-start gap-3 lg:grid-cols-2">
        <Step title="empty.webhook" hint="empty.webhookHint" command={webhookCommand(location.origin)} />
        <Step
          title="empty.cli"
          hint="empty.cliHint"
          command={'journeyman task submit "Greet in lower case" --repo owner/name --wait'}
        />
      </div>
    </div>
  );
}
