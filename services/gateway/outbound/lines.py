"""The short answers: why something is not done, how a task stands, what people can say (pure)."""

from __future__ import annotations

from typing import Final

from services.gateway.outbound.defused import code, defused, one_line
from services.gateway.outbound.parts import marker, money, who
from services.gateway.outbound.task_comment import state_line
from shared.contracts.delivery import Word
from shared.contracts.queries import TaskDetail

WORDS: Final = (
    (Word.PLAN, "a plan, and nothing is changed before somebody approves it"),
    (Word.FIX, "the work itself, as a draft pull request"),
    (Word.ASK, "an answer; nothing is changed"),
    (Word.REVIEW, "a review of the pull request that it is said on; it approves nothing"),
    (Word.APPROVE, "have exactly the plan with that version and hash done"),
    (Word.REVISE, "another plan; say what it should do differently"),
    (Word.REJECT, "drop the plan"),
    (Word.RETRY, "try again what failed or was stopped"),
    (Word.STOP, "stop the work"),
    (Word.AUTO, "rounds on the pull request only when asked for, until `on`"),
    (Word.STATUS, "how it stands"),
)
_WITH_MORE: Final = {Word.AUTO: " off", Word.APPROVE: " v1 3fa94c11", Word.REVISE: " …", Word.ASK: " …"}


def refusal(task_id: str, effect: str, *, author: str, url: str, reason: str) -> str:
    """Why what somebody asked for is not done, in a line."""
    asked = f"[{one_line(author, 60)} asked]({url})" if author and url else one_line(author, 60)
    return f"{marker(task_id, effect)}\n{f'{asked}: ' if asked else ''}{_sentences(reason)}"


def status(task_id: str, effect: str, task: TaskDetail | None, *, mention: str, comment_url: str = "") -> str:
    """How a task stands, in a line; ``task`` is None where there is none of the thing."""
    if task is None:
        line = f"Nothing is under way here. {code(f'{mention} help')} says what can be asked for."
        return f"{marker(task_id, effect)}\n{line}"
    first, _, _ = state_line(task).partition("\n")
    spent = f" {money(task.cost_microusd)} so far." if task.cost_microusd else ""
    where = f" [Plan, evidence and what can be said now]({comment_url})." if comment_url else ""
    asked = f" Asked for by {who(task.requester)}." if task.requester else ""
    return f"{marker(task_id, effect)}\n{first}{asked}{spent}{where}"


def help(
    task_id: str,
    effect: str,
    *,
    mention: str,
    problem: str = "",
    heard: str = "Only people with write access are heard",
) -> str:
    """What people can say, as a list; ``problem`` is what was wrong with what was said, ``heard`` who may say it."""
    first = f"That was not clear ({one_line(problem)}). " if problem else ""
    rows = "\n".join(f"- {code(f'{mention} {word}{_WITH_MORE.get(word, str())}')}: {what}" for word, what in WORDS)
    return (
        f"{marker(task_id, effect)}\n{first}Begin a line with one of these; what follows in the comment is read too."
        f"\n\n{rows}\n\n{heard}, except for {code(Word.STATUS)} and {code(Word.HELP)}."
    )


def _sentences(text: str) -> str:
    return " ".join(defused(text).split("\n"))
