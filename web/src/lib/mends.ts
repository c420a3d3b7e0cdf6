/** The commands that mend what a new system lacks, for the shell of the machine on which it runs. */

import type { SystemStatus } from "../api/types";

type Webhook = SystemStatus["webhooks"][number];

/** The text as one word of a POSIX shell. */
export const quoted = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;

/** Names a repository in the configuration, which is read again by itself. */
export const namesRepo = (configPath: string): string =>
  [
    `cat >> ${quoted(configPath)} <<'EOF'`,
    '[repos."owner/name"]',
    'url = "https://github.com/owner/name.git"',
    "EOF",
  ].join("\n");

/** Gives agents a key; `journeyman up` reads the file when it starts. */
export const SETS_KEY = "echo 'ANTHROPIC_API_KEY=sk-ant-...' >> .env";

/** Makes a webhook secret; `journeyman up` reads the file when it starts. */
export const setsSecret = (sender: string): string =>
  `echo "${secretVariable(sender)}=$(openssl rand -hex 32)" >> .env`;

const secretVariable = (sender: string): string => `JOURNEYMAN_${sender.toUpperCase()}_WEBHOOK_SECRET`;

/** Submits a task and waits for its end. */
export const submits = (repo: string): string =>
  `journeyman task submit "Greet in lower case" --repo ${quoted(repo)} --wait`;

/** The webhook as GitHub itself would sign and send it. The secret is in `secret_file`, or in the shell's environment. */
export function sendsWebhook(
  { sender, secret_file }: Webhook,
  { origin, repo, mention }: { origin: string; repo: string; mention: string },
): string {
  const body = JSON.stringify({
    action: "opened",
    issue: {
      number: 1,
      title: "Greeting is wrong",
      body: `${mention} plan\nGreet in lower case.`,
      html_url: `https://github.com/${repo}/issues/1`,
      created_at: `${new Date().toISOString().slice(0, 19)}Z`,
      author_association: "OWNER",
      user: { login: "octocat", type: "User" },
    },
    repository: { full_name: repo },
    sender: { login: "octocat", type: "User" },
  });
  return [
    secret_file ? `secret=$(cat ${quoted(secret_file)})` : `secret="$${secretVariable(sender)}"`,
    `body=${quoted(body)}`,
    `sig=$(printf %s "$body" | openssl dgst -sha256 -hmac "$secret" | sed 's/^.* //')`,
    `curl -i ${origin}/webhooks/${sender} -H 'Content-Type: application/json' \\`,
    `  -H 'X-GitHub-Event: issues' -H "X-GitHub-Delivery: $(date +%s%N)" \\`,
    `  -H "X-Hub-Signature-256: sha256=$sig" --data-raw "$body"`,
  ].join("\n");
}
