"""Bounds: how much of anything there may be, and what happens past it. Nothing is lost without a word.

They are settings, so that an operator can move them; what nobody would want to move is a constant beside its use and
stands in docs/operations.md as fixed.
"""

from __future__ import annotations

from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

KIBI: Final = 1024
MEBI: Final = 1024 * KIBI
GIBI: Final = 1024 * MEBI


def _limit(default: int, what: str, past: str, *, least: int = 1, most: int) -> Any:
    """``what`` is counted, with its unit; ``past`` says what becomes of one more."""
    return Field(default, ge=least, le=most, description=what, json_schema_extra={"past": past})


class Limits(BaseModel):
    """Every bound that is a setting. ``Limits()`` has the defaults and reads no environment."""

    model_config = ConfigDict(frozen=True)

    # ---- the log and its actors ------------------------------------------------------------------------------------

    max_message_bytes: int = _limit(
        1_000_000,
        "Bytes of one command or event",
        "refused (`too-large`, HTTP 413); what a service made itself is parked and its work reported as failed",
        least=64 * KIBI,
        most=8 * MEBI,
    )
    max_actor_events: int = _limit(
        200_000,
        "Events of one actor; what services report may go a tenth beyond, so that work comes to its end",
        "people's commands are rejected (`actor-full`, HTTP 409)",
        least=100,
        most=10_000_000,
    )
    max_kept_actors: int = _limit(
        2048, "Actors in the memory of one service", "the one unused for longest leaves, and is read again", most=10**6
    )
    max_remembered_commands: int = _limit(
        4096,
        "Commands that an actor knows to be handled",
        "the oldest is forgotten: the same command, sent again after so many others and ten minutes, is decided anew",
        least=16,
        most=100_000,
    )
    max_append_tries: int = _limit(
        12, "Appends of one command that lose against others", "the command goes back to its mailbox", most=1000
    )
    max_read_bytes: int = _limit(
        32 * MEBI, "Bytes of one read of a stream", "the rest comes with the next read", least=MEBI, most=GIBI
    )
    max_held_messages: int = _limit(
        1000,
        "Messages that the instances of one activity hold at once",
        "the others wait in the log",
        least=16,
        most=100_000,
    )
    max_message_tries: int = _limit(
        5, "Times a failing command, reaction or timer is tried", "parked with the reason", most=100
    )
    max_activity_tries: int = _limit(
        4, "Times a failing activity is tried", "its work is reported as failed, the event is parked", most=100
    )

    # ---- agents ----------------------------------------------------------------------------------------------------

    max_concurrent_runs: int = _limit(5, "Agents at once per executor", "the others wait in the log", most=64)
    max_concurrent_plans: int = _limit(3, "Planning agents at once per planner", "the others wait in the log", most=64)
    max_concurrent_answers: int = _limit(
        16, "Answers in conversations at once per brain", "the others wait in the log", most=512
    )
    max_concurrent_triages: int = _limit(64, "Triages at once per brain", "the others wait in the log", most=512)
    max_concurrent_reviews: int = _limit(3, "Reviewing agents at once per brain", "the others wait in the log", most=64)
    max_concurrent_publications: int = _limit(
        3, "Publications at once per gateway", "the others wait in the log", most=64
    )
    max_agent_line_bytes: int = _limit(
        32 * MEBI,
        "Bytes of one line of an agent that are read",
        "its rest is skipped, and OUTPUT says how long it was",
        least=64 * KIBI,
        most=GIBI,
    )
    max_output_line_bytes: int = _limit(
        64 * KIBI,
        "Bytes of one line in OUTPUT",
        "its longest texts are cut, and say by how much; the conversation in ARTIFACTS has them",
        least=KIBI,
        most=512 * KIBI,
    )
    max_agent_output_bytes: int = _limit(
        GIBI,
        "Bytes that one agent's process may write",
        "the agent is stopped, its work fails (`agent-output`)",
        least=64 * KIBI,
        most=64 * GIBI,
    )
    max_agent_processes: int = _limit(
        50, "Processes of agents for one round of work", "the work fails (`workspace-failed`)", most=1000
    )
    max_artifact_bytes: int = _limit(
        512 * MEBI,
        "Bytes of one bundle, transcript or diff in ARTIFACTS",
        "the work fails and says so (`workspace-failed`); a conversation is not kept, which is logged",
        least=64 * KIBI,
        most=16 * GIBI,
    )
    max_check_disk_bytes: int = _limit(
        10 * GIBI,
        "Bytes on the disk that set-up and checks of one checkout may fill: the checkout, its home, temporary files, "
        "and what they add to the download caches",
        "the command is ended, it and those behind it could not run: the result is *not verified*",
        least=MEBI,
        most=2**50,
    )
    max_check_output_bytes: int = _limit(
        GIBI,
        "Bytes that one step of a set-up, or one check, may write as output",
        "the command is ended and could not run: the result is *not verified*",
        least=64 * KIBI,
        most=64 * GIBI,
    )

    # ---- the gateway -----------------------------------------------------------------------------------------------

    max_requests: int = _limit(
        512, "HTTP requests at once per gateway", "503 (`too-busy`) and when to come again", most=100_000
    )
    max_request_bytes: int = _limit(
        1_000_000, "Bytes of a request to the API", "413 (`too-large`)", least=KIBI, most=64 * MEBI
    )
    max_webhook_bytes: int = _limit(
        25_000_000, "Bytes of a webhook's body; GitHub sends no more", "413 (`too-large`)", least=KIBI, most=GIBI
    )
    max_webhook_held_bytes: int = _limit(
        200_000_000,
        "Bytes of all webhooks that are handled at once",
        "503 (`too-much-at-once`) and when to come again",
        least=KIBI,
        most=16 * GIBI,
    )
    max_sockets: int = _limit(1000, "WebSockets per gateway", "closed with 1013: try again later", most=100_000)
    max_socket_topics: int = _limit(100, "Topics of one WebSocket", "an error message (`topics`)", most=10_000)
    max_socket_frame_bytes: int = _limit(
        64 * KIBI, "Bytes of a message from a WebSocket", "closed with 1009", least=KIBI, most=MEBI
    )
    max_socket_messages: int = _limit(
        200, "Messages from one WebSocket within ten seconds", "closed with 1008", least=10, most=100_000
    )
    max_socket_waiting: int = _limit(
        2000,
        "Messages that wait for one slow WebSocket",
        "closed with 1013; it resumes with the last sequence it has seen",
        least=10,
        most=10**6,
    )
    max_socket_waiting_bytes: int = _limit(
        8 * MEBI,
        "Bytes that wait for one slow WebSocket",
        "closed with 1013; it resumes with the last sequence it has seen",
        least=64 * KIBI,
        most=GIBI,
    )
    max_transcript_bytes: int = _limit(
        8 * MEBI, "Bytes of one page of a transcript", "the next page", least=64 * KIBI, most=GIBI
    )

    # ---- the projector ---------------------------------------------------------------------------------------------

    max_questions: int = _limit(
        256, "Questions at once per projector", "refused (`busy`, HTTP 503) and when to come again", most=100_000
    )
    max_projected_events: int = _limit(
        20_000, "Events of one transaction of the read models", "the next transaction", most=10**6
    )

    # ---- the streams, when they are made ---------------------------------------------------------------------------

    max_events_bytes: int = _limit(
        8 * GIBI, "Bytes of EVENTS", "refused (`log-full`, HTTP 503), never dropped", least=MEBI, most=2**50
    )
    max_commands_bytes: int = _limit(
        GIBI, "Bytes of COMMANDS", "refused (`log-full`, HTTP 503)", least=MEBI, most=2**50
    )
    max_output_bytes: int = _limit(
        2 * GIBI,
        "Bytes of OUTPUT, which keeps a week",
        "the oldest lines are dropped; the conversations are in ARTIFACTS",
        least=MEBI,
        most=2**50,
    )
    max_timers_bytes: int = _limit(
        64 * MEBI, "Bytes of TIMERS", "a new timer waits until there is room; it is logged", least=MEBI, most=2**50
    )
    max_parked_bytes: int = _limit(
        256 * MEBI,
        "Bytes of PARKED",
        "what is to be parked waits before its neighbours, and is logged: replay or drop something",
        least=MEBI,
        most=2**50,
    )
    max_artifacts_bytes: int = _limit(
        8 * GIBI, "Bytes of ARTIFACTS", "the work waits until there is room; it is logged", least=MEBI, most=2**50
    )
    max_snapshots_bytes: int = _limit(
        256 * MEBI, "Bytes of SNAPSHOTS", "no new snapshot is kept, which costs time only", least=MEBI, most=2**50
    )
    max_idempotency_bytes: int = _limit(
        64 * MEBI,
        "Bytes of IDEMPOTENCY, which keeps the idempotency keys of a day",
        "a request with a new key is refused (`log-full`, HTTP 503); one without a key is not",
        least=MEBI,
        most=2**50,
    )


DEFAULTS: Final = Limits()


def past(name: str) -> str:
    """What happens past the bound of this name."""
    extra = Limits.model_fields[name].json_schema_extra
    assert isinstance(extra, dict)
    return str(extra["past"])


def table() -> str:
    """The bounds as a Markdown table, for docs/operations.md."""
    rows = ["| setting | default | what | past it |", "|---|---|---|---|"]
    for name, field in Limits.model_fields.items():
        default = _in_bytes(field.default) if name.endswith("_bytes") else f"{field.default:,}"
        rows.append(f"| `JOURNEYMAN_{name.upper()}` | {default} | {field.description} | {past(name)} |")
    return "\n".join(rows) + "\n"


def _in_bytes(value: int) -> str:
    for size, unit in ((GIBI, "GiB"), (MEBI, "MiB"), (KIBI, "KiB")):
        if value >= size and value % size == 0 and value // size < 1024:
            return f"{value // size} {unit}"
    return f"{value:,}"
