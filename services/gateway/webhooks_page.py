"""`docs/webhooks.md`: what becomes of each event and action, and the words people may say.

``python -m services.gateway.webhooks_page`` writes it; a test fails when it is stale.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from services.gateway.inbound.github_events import ANY, RULES
from services.gateway.inbound.mention import ALIASES
from services.gateway.inbound.registry import ADAPTERS
from services.gateway.inbound.sender import Sender
from shared.contracts.delivery import Word
from shared.ops.senders import SENDERS

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "webhooks.md"

_INTRO: Final = """\
# Webhooks

Generated from `services/gateway/inbound/` by `make docs`; do not edit. `journeyman deliveries explain FILE` says what a
payload would do, and does nothing.

## Words

A word stands behind a mention (`@agent`, `/agent`, or the name of our own account) at the start of a line:
`@agent fix the sum of an empty list`. Case, punctuation, emphasis, a greeting and a "please" do not matter. Quotations,
code, tables, the texts of links, struck-out text, HTML comments and the tails of e-mails do not count. A mention
without a word is a wish in plain language: triage judges it together with the issue. Different words in one comment
count as `help`, and so do a word that is negated in any way (`do not plan`, `please never approve`, `implement not
yet`), an approval with a condition, and work that is put off (`implement once #5 is merged`, `plan tomorrow`, `fix it,
but do not start yet`): nothing begins by them, and a new issue that says such is refused in words.

A repository can have words of its own for these, in `.journeyman.yml` on its base branch. They count in new comments
where we have credentials for GitHub, and never in an edited one.

```yaml
words:
  plan: [entwerfe]
  approve: [genehmigt]
```

| word | also | what it does |
|---|---|---|
"""

_EFFECTS: Final[dict[Word, str]] = {
    Word.PLAN: "Opens the issue's task, or another round of it, with a plan first.",
    Word.IMPLEMENT: "The same without a plan.",
    Word.FIX: "As `implement`.",
    Word.REVIEW: "Has an agent review the pull request that it is said on, whoever's that is; said again, it does so "
    "again. Where there is no pull request, it is refused in words.",
    Word.AUTO: "`auto off`: rounds on the task's pull request are made only when asked for; `auto on` ends that.",
    Word.ASK: "Triage answers, or takes it for work.",
    Word.APPROVE: "`approve v2 3fa94c11` approves that plan. An edited comment never does.",
    Word.REJECT: "Turns the plan down and ends the task; with words behind it, asks for another plan.",
    Word.REVISE: "Asks for another plan.",
    Word.RETRY: "Tries again after a failure or a stop.",
    Word.CONTINUE: "Goes on although the issue is closed, also where that has stopped the task.",
    Word.STOP: "Stops the task; `stop review` the review of a pull request that a task has made.",
    Word.STATUS: "Changes nothing.",
    Word.HELP: "Changes nothing.",
}

_EVENTS: Final = """
## Who may

Where the gateway has credentials for GitHub, GitHub is asked before anything is done: who has the role `write`,
`maintain` or `admin` in the repository may steer, and nobody else. An answer counts for a minute. `people` and `teams`
of a repository in journeyman.toml go before that: then only they may. Programs count only when `bots` names them.
Before the work begins and before its result is published, it is asked again whether who wanted it still may. What
stands in a delivery about its author's role decides nothing; without credentials it is all that there is, and OWNER,
MEMBER and COLLABORATOR may steer.

An issue of anybody else costs nothing: it waits until somebody who may says `@agent plan`, labels or assigns it. With
`strangers = "triage"` under `[policy]` so many a day (`strangers_a_day`) are looked at, and their plans wait. `status`
and `help` may be asked by everybody.

The first comment that opens a task brings the issue's text and up to 30 earlier comments, without those that were
edited after it.

What people say who may not steer is refused in words, and so is what a task cannot do: `delivery.refused`,
`task.action-refused` and `task.follow-up-refused` in the log, on the dashboard and in `journeyman events`. Programs ask
for work only when they are listed under `bots`, and decide nothing. What our own account writes never triggers
anything.

## Events of GitHub

A delivery is answered with 202 once it is stored, and with 200 and the reason when it is ignored or known already. It
is known by what happened and not by GitHub's id of it, so the same comment by two webhooks is one. What is not in
the table is ignored with a reason, too.

| event | action | what happens |
|---|---|---|
"""

_OWN: Final = """
## Webhooks of your own

Anything that can send JSON can open tasks, without code: `journeyman webhook add FILE`, `POST /api/webhooks`, or the
dashboard. It takes deliveries at `https://…/webhooks/<name>` as soon as that is answered, and in every gateway.

```yaml
name: builds
verification: { scheme: hmac, header: X-Build-Signature, prefix: "sha256=" }
paths: # JMESPath, https://jmespath.org; leave out what the body does not have
  id: build.id # the same in every delivery of it; without one, the same body within ten minutes is one delivery
  thing: build.branch # one thing is one task; without one, each id is
  title: build.name
  text: build.log # without one, the body is quoted
  repository: repo.full_name
  author: build.by
  url: build.url
filters: ["status == 'failed'"] # all must hold
repo: octo/app # where the body names none
directive: plan # auto, plan or implement
agent: executor # instead of the repository's
```

| scheme | proves itself by |
|---|---|
| `hmac` | `header`: `prefix`, then the raw body's digest (`algorithm`: sha256, sha512; `encoding`: hex, base64) |
| `bearer` | `Authorization: Bearer <secret>`, or another `header` and `prefix` |
| `basic` | basic authentication with `username` and the secret |
| `standard-webhooks` | the headers of [Standard Webhooks](https://www.standardwebhooks.com), at most five minutes old |
| `jwt` | `Authorization: Bearer <JWT>`, by a key of `jwks_url` (with `audience`) or by the secret; `issuer` |
| `none` | nothing: only where the gateway listens on loopback, only for callers on this machine, never for a browser |

The secret is made and shown once, or given by you, or stands in a file of the gateway's machine (`secret_file`). Ours
are sealed (AES-256-GCM) by `JOURNEYMAN_SECRET_KEY`, or by `secret-key` in the gateway's data directory, and lie in the
bucket SECRETS of NATS; events have a fingerprint only, and archives leave the bucket out: keep the key, and give
webhooks new secrets after a restore. `journeyman webhook rotate NAME` gives another one; that of before counts for
another day. `journeyman webhook try FILE SAMPLE` says what would be found in a body, and does nothing. An expression
that could take long is refused, and so is a body that is too large for its expressions. Keys of a `jwks_url` inside of
our own network are read only from the hosts in `JOURNEYMAN_JWKS_HOSTS`.

What is wrong in FILE is told with its line before anything is sent.

`journeyman webhook draft "…"`, `POST /api/webhooks/drafts` or the dashboard's form have a model draft all this by a
description in words, and a sample: as a task of the source `webhook-draft`, for $0.25 at most. It is never saved by
itself, and what looks like a secret in the words is not sent onward.

`journeyman webhook test NAME` sends a signed call. A body that has the webhook's own secret in it is kept without it.

## How webhooks fare

The page *System* of the dashboard, `journeyman deliveries health` and `GET /api/doors` show every webhook: whether it
takes deliveries, what came last, why the last one was refused, and what came today. `journeyman webhook deliveries
NAME --bodies` shows the newest calls, also those that were ignored or refused, with the beginning of their bodies
without secrets: they are kept for a week (bucket CALLS). What was accepted stands in the log for ever, and is acted on
once more by `journeyman deliveries replay ID` or *Redeliver*.
"""


def markdown() -> str:
    """The page."""
    words = [f"| `{word}` | {', '.join(aliases[1:])} | {_EFFECTS[word]} |\n" for word, aliases in ALIASES.items()]
    events = [
        f"| `{event}` | {_action(action, len(rules))} | {rule.effect} |\n"
        for event, rules in RULES.items()
        for action, rule in rules.items()
    ]
    others = [_of_sender(name, adapter) for name, adapter in ADAPTERS.items() if adapter.effects]
    return "".join([_INTRO, *words, _EVENTS, *events, *others, _OWN])


def _of_sender(name: str, adapter: Sender) -> str:
    rows = "".join(f"| {event} | {effect} |\n" for event, effect in adapter.effects)
    return f"\n## {SENDERS[name]}\n\n{adapter.setup}\n| event | what happens |\n|---|---|\n{rows}"


def _action(action: str, of: int) -> str:
    if action != ANY:
        return f"`{action}`"
    return "any" if of == 1 else "any other"


if __name__ == "__main__":
    PAGE.write_text(markdown())
