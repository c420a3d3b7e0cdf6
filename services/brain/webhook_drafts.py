"""Tasks that are drafts of webhooks: what the model is asked, and the verdict that its answer makes (pure)."""

from __future__ import annotations

from typing import Final

from shared.claude.runner import quoted
from shared.contracts.task import RecordTriage, Task, Verdict
from shared.contracts.webhook_draft import SOURCE, answer_of, drafted

BUDGET_USD: Final = 0.25
"""Most that one draft may cost."""

_ASK: Final = """\
Draft a webhook. Below is what somebody says about deliveries that another program sends to us, maybe with a body of it.
Fill in how a delivery proves where it comes from, and where in its JSON body things are (JMESPath). Take names of
headers and fields as they are written there, and guess none: leave out what the words and the body do not say, and name
it in `unsure`. You triage nothing, read no file, and make nothing: a person looks at the draft and saves it.

"""


def is_draft(task: Task) -> bool:
    """Whether the task is a draft of a webhook."""
    return task.source.kind == SOURCE


def prompt_of(task: Task) -> str:
    """What the model is asked."""
    return _ASK + quoted("a description of a webhook", task.text)


def verdict_of(task: Task, answer: object) -> RecordTriage:
    """What the model's answer makes of the task: an answer, never work. Raises `msgspec.ValidationError`."""
    return RecordTriage(
        attempt=task.triage_attempt,
        verdict=Verdict.ANSWER,
        decided_by="model",
        reason="A draft of a webhook was asked for.",
        answer=answer_of(drafted(answer)),
    )
