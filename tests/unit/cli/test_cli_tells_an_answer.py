"""What a terminal is told of an answer: each word once, in its order, and the whole of it at the end."""

from __future__ import annotations

import json

import pytest

from cli.conversation import ANEW, Heard, Piece, piece_of, what_is_done
from shared.contracts.session import Action, Proposal
from shared.contracts.task import Approval


class Told:
    def __init__(self) -> None:
        self.text = ""
        self.heard = Heard(self._tell)

    def _tell(self, text: str) -> None:
        self.text += text

    def take(self, *texts: str, by: str = "s") -> None:
        for text in texts:
            self.heard.take(Piece(by, text))


def test_pieces_are_told_as_they_come_and_paragraphs_stand_apart() -> None:
    told = Told()
    told.heard.claimed("s")
    told.take("", "Let me", " look.\n", "", "", "\n", "Here", " it is: ")
    assert told.text == "Let me look.\n\nHere it is:"
    told.heard.end("Let me look.\n\nHere it is:\n\n- a")
    assert told.text == "Let me look.\n\nHere it is:\n\n- a"


def test_what_was_said_before_it_is_known_whose_answer_it_is_is_not_lost() -> None:
    told = Told()
    told.take("", "Of another answer.", by="other")
    told.take("", "Mine")
    assert told.text == ""
    told.heard.claimed("s")
    told.take(".")
    assert told.text == "Mine."


def test_an_answer_that_nobody_streamed_is_told_whole() -> None:
    told = Told()
    told.heard.end("All of it.")
    assert told.text == "All of it."


def test_an_answer_that_was_begun_anew_is_told_whole_and_says_so() -> None:
    told = Told()
    told.heard.claimed("s")
    told.take("", "The first")
    told.heard.end("Another one.")
    assert told.text == f"The first\n\n{ANEW}\n\nAnother one."


def line(event: object, **more: object) -> bytes:
    return json.dumps(
        {"type": "stream_event", "session_id": "s", "event": event, **more}, separators=(",", ":")
    ).encode()


@pytest.mark.parametrize(
    ("given", "piece"),
    [
        (line({"type": "message_start"}), Piece("s", "")),
        (line({"type": "content_block_delta", "delta": {"type": "text_delta", "text": "Hi"}}), Piece("s", "Hi")),
        (line({"type": "content_block_delta", "delta": {"type": "thinking_delta", "thinking": "Hm"}}), None),
        (line({"type": "message_start"}, parent_tool_use_id="toolu_1"), None),
        (b'{"type":"result"}', None),
        (b'{"type":"stream_event" broken', None),
    ],
)
def test_only_what_the_agent_says_to_its_person_is_heard(given: bytes, piece: Piece | None) -> None:
    assert piece_of(given) == piece


def test_a_person_reads_exactly_what_will_be_done() -> None:
    asked = Approval.REQUIRED
    opened = proposed(Action.SUBMIT, "1 + 1 gives 3.", repo="octo/app", title="Mend the sum")
    assert what_is_done(opened, asked) == (
        "Open a task in octo/app (the plan waits for an approval): Mend the sum\n\n1 + 1 gives 3."
    )
    assert "the plan is carried out at once" in what_is_done(opened, Approval.AUTO)
    assert what_is_done(proposed(Action.STOP, "Too dear."), asked) == "Stop the task T.\n\nToo dear."
    assert what_is_done(proposed(Action.RETRY), asked) == "Try the task T again."
    assert what_is_done(proposed(Action.MESSAGE, "Mind it."), asked) == "Tell the task T:\n\nMind it."


def proposed(action: Action, text: str = "", **fields: str) -> Proposal:
    return Proposal(proposal_id="p", action=action, task_id="T", text=text, **fields)
