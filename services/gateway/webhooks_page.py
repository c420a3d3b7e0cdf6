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
`@agent fix the sum of an empty list`. Case, punctuation, emphasis and a "please" do not matter. Quotations, code,
struck-out text, HTML comments and the tails of e-mails do not count. A mention without a word is a wish in plain
language: triage judges it together with the issue. Different words in one comment count as `help`.

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
    Word.REVIEW: "Refused in words: reviews are not made yet.",
    Word.ASK: "Triage answers, or takes it for work.",
    Word.APPROVE: "`approve v2 3fa94c11` approves that plan. An edited comment never does.",
    Word.REJECT: "Turns the plan down and ends the task; with words behind it, asks for another plan.",
    Word.REVISE: "Asks for another plan.",
    Word.RETRY: "Tries again after a failure or a stop.",
    Word.CONTINUE: "Goes on although the issue is closed, also where that has stopped the task.",
    Word.STOP: "Stops the task.",
    Word.STATUS: "Changes nothing.",
    Word.HELP: "Changes nothing.",
}

_EVENTS: Final = """
## Who may

Where the gateway has credentials for GitHub, GitHub is asked before anything is done: who has the role `write`,
`maintain` or `admin` in the repository may steer, and nobody else. An answer counts for a minute. `people` and `teams`
of a repository in journeyman.toml go before that: then only they may. Programs count only when `bots` names them.
Before a result is published it is asked again whether who wanted it still may. What stands in a delivery about its
author's role decides nothing; without credentials it is all that there is, and OWNER, MEMBER and COLLABORATOR may
steer.

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


def markdown() -> str:
    """The page."""
    words = [f"| `{word}` | {', '.join(aliases[1:])} | {_EFFECTS[word]} |\n" for word, aliases in ALIASES.items()]
    events = [
        f"| `{event}` | {_action(action, len(rules))} | {rule.effect} |\n"
        for event, rules in RULES.items()
        for action, rule in rules.items()
    ]
    others = [_of_sender(name, adapter) for name, adapter in ADAPTERS.items() if adapter.effects]
    return "".join([_INTRO, *words, _EVENTS, *events, *others])


def _of_sender(name: str, adapter: Sender) -> str:
    rows = "".join(f"| {event} | {effect} |\n" for event, effect in adapter.effects)
    return f"\n## {SENDERS[name]}\n\n{adapter.setup}\n| event | what happens |\n|---|---|\n{rows}"


def _action(action: str, of: int) -> str:
    if action != ANY:
        return f"`{action}`"
    return "any" if of == 1 else "any other"


if __name__ == "__main__":
    PAGE.write_text(markdown())
