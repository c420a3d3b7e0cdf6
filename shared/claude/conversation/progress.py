"""What one process has said so far: a fold over its output lines (no effects)."""

from __future__ import annotations

import msgspec

from shared.claude.conversation.stream import (
    Asked,
    Init,
    Lifecycle,
    Limit,
    Result,
    Retry,
    StreamLine,
    ToolResults,
)
from shared.claude.cost.meter import Meter

ENDED = frozenset({"completed", "cancelled"})


class Progress(msgspec.Struct):
    """The state that ending, re-attaching and judging need."""

    meter: Meter
    session_id: str = ""
    cli_version: str = ""
    last_result: Result | None = None
    turns: int = 0
    results: int = 0
    steps: int = 0
    mid_turn: bool = False
    resets_at: int | None = None
    retry: Retry | None = None
    messages: dict[str, str] = {}
    questions: dict[str, Asked] = {}

    def note(self, line: StreamLine | None) -> None:
        """Takes one line."""
        self.meter.note(line)
        if not isinstance(line, Retry | None):
            self.retry = None
        match line:
            case Init(session_id=session_id, cli_version=version):
                self.session_id, self.cli_version, self.mid_turn = session_id, version, True
                self.turns += 1
            case Result():
                self.last_result, self.mid_turn = line, False
                self.results += 1
                self.questions.clear()
            case Lifecycle(message_id=message_id, state=state):
                # "completed" is final: a later word about the same message would be about its echo.
                if self.messages.get(message_id) not in ENDED:
                    self.messages[message_id] = state
            case Retry():
                self.retry = line
            case Limit(resets_at=resets_at) if resets_at is not None:
                self.resets_at = resets_at
            case Asked(request_id=request_id):
                self.questions[request_id] = line
            case ToolResults(results=results, parent=parent):
                self.steps += parent is None
                returned = {tool_use_id for tool_use_id, _ in results}
                for request_id, question in list(self.questions.items()):
                    if question.tool_use_id in returned:
                        del self.questions[request_id]
            case _:
                pass

    def sent(self, message_id: str) -> None:
        """Remembers a message that was written to the process and not acknowledged yet."""
        self.messages.setdefault(message_id, "sent")

    @property
    def unheard(self) -> tuple[str, ...]:
        """Messages that the agent has not finished with."""
        return tuple(message_id for message_id, state in self.messages.items() if state not in ENDED)

    @property
    def between_turns(self) -> bool:
        """Whether a turn has ended and no other has begun."""
        return self.last_result is not None and not self.mid_turn

    @property
    def idle(self) -> bool:
        """Whether a turn has ended and nothing is queued: the process now waits for input."""
        return self.between_turns and not self.unheard
