from __future__ import annotations

import pytest

from shared.contracts import reply
from shared.contracts.sentences.reply import sentence


@pytest.mark.parametrize(
    ("effect", "text", "said"),
    [
        ("work-log/1", "6", "To be logged as worked on by attempt 1: 6 s."),
        ("state", "working", "To be shown as the thing's status: working"),
        ("comment", "", "To be told in the task's comment: how it stands now."),
        ("reaction/thing", "eyes", "To be shown: reaction/thing: eyes"),
    ],
)
def test_what_is_to_be_shown_is_a_sentence(effect: str, text: str, said: str) -> None:
    wanted = reply.Wanted(effect=effect, thread="jira:acme#7", repo="", target="", text=text, revision=1)
    assert sentence(wanted) == said
