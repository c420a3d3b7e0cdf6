"""What the scripted model says in a conversation: it looks one thing up by the words of the message, and tells it."""

from __future__ import annotations

import re
from typing import Any, Final

from shared.claude.demo.conversation import Exchange, ScriptedConversation

_TASK: Final = re.compile(r"\b([0-9A-HJKMNP-TV-Z]{26})\b")
_PATH: Final = re.compile(r"\b([\w./-]+\.[a-z]{1,5})\b")
_SLOWLY: Final = re.compile(r"demo(?: assistant)?: *slow-stream *(\d+(?:\.\d+)?)?")
_UNTRUSTED: Final = re.compile(r"</?untrusted[^>]*>\n?")
_QUOTED: Final = re.compile(r"<untrusted.*?</untrusted[^>]*>", re.DOTALL)
_PREFIX: Final = "mcp__journeyman__"
_LONGEST: Final = 1500

Call = tuple[str, dict[str, Any]]


def call_for(talk: ScriptedConversation, own: tuple[Exchange, ...]) -> Call | None:
    """The tool to use next, with its input; None when it is time to answer."""
    asked = _asked(talk)
    if own or _SLOWLY.search(asked):
        return None
    name, given = _chosen(asked)
    return (f"{_PREFIX}{name}", given) if f"{_PREFIX}{name}" in talk.tools else None


def _asked(talk: ScriptedConversation) -> str:
    """The message itself, without what was said before it."""
    return _QUOTED.sub("", talk.prompt)


def _chosen(prompt: str) -> Call:
    words = prompt.lower()
    task = found[1] if (found := _TASK.search(prompt)) else ""
    path = found[1] if (found := _PATH.search(prompt)) else ""
    match words:
        case _ if task and "stop" in words:
            return "propose_stop", {"task_id": task, "reason": "It was asked for in the conversation."}
        case _ if task and "retry" in words:
            return "propose_retry", {"task_id": task}
        case _ if task and "tell" in words:
            return "propose_message", {"task_id": task, "message": prompt.partition(task)[2].strip(" :,\n") or prompt}
        case _ if "propose" in words or "open a task" in words:
            text = re.sub(r"(?is)^.*?(?:propose|open a task)(?: to| that| for)?[\s:,]*", "", prompt).strip() or prompt
            return "propose_task", {"title": text.splitlines()[0][:100], "text": text}
        case _ if task and "plan" in words:
            return "read_plan", {"task_id": task}
        case _ if task and ("diff" in words or "change" in words):
            return "read_diff", {"task_id": task}
        case _ if task:
            return "get_task", {"task_id": task}
        case _ if "cost" in words or "spen" in words:
            return "costs", {"group_by": "agent"}
        case _ if path:
            return "read_file", {"repo": "", "path": path}
        case _ if "repositor" in words:
            return "list_repositories", {}
        case _:
            return "list_tasks", {}


def answer_for(talk: ScriptedConversation, own: tuple[Exchange, ...]) -> tuple[str, float]:
    """The answer, and the seconds over which it streams."""
    calls = [call for exchange in own for call in exchange.calls]
    slowly = _SLOWLY.search(_asked(talk))
    seconds = float(slowly[1] or 3) if slowly else 0.0
    if slowly and not calls:
        return "I think aloud, slowly, so that a person can watch the words arrive. " * 12, seconds
    if not calls:
        return "Ask me about tasks, plans, changes, costs or files, or tell me what is to be done.", seconds
    last = calls[-1]
    name = last.name.removeprefix(_PREFIX)
    result = _UNTRUSTED.sub("", last.result).strip()
    if last.failed:
        return f"That did not work: {result[:300]}", seconds
    if name.startswith("propose_"):
        return "I propose this; it happens when you confirm the card.", seconds
    if name == "list_tasks":
        return f"These are the tasks.\n\n{_listed(result)}", seconds
    return f"This is what I found with `{name}`:\n\n```\n{result[:_LONGEST]}\n```", seconds


def _listed(result: str) -> str:
    first, _, rest = result.partition("\n")
    lines = [" ".join(line.split()) for line in rest.splitlines() if line.strip()]
    return "\n".join((first, "", *(f"- {line}" for line in lines[:20])))
