from __future__ import annotations

import pytest

from services.gateway.inbound.mention import Mention, find_mention


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("@agent plan", Mention("plan")),
        ("Please look, @agent: implement this", Mention("implement", "this")),
        ("@AGENT Approve v2 3fa94c11", Mention("approve", "v2 3fa94c11")),
        ("@agent stop!", Mention("stop")),
        ("@agent, reject use the other parser\nand more", Mention("reject", "use the other parser")),
        ("@agent what do you think?", Mention()),
        ("@agent", Mention()),
        ("hello\n@agent retry", Mention("retry")),
        ("> @agent stop\n\n@agent plan", Mention("plan")),
        ("```\n@agent stop\n```\n@agent plan", Mention("plan")),
    ],
)
def test_the_first_mention_of_the_authors_own_is_found(text: str, found: Mention) -> None:
    assert find_mention(text, "@agent") == found


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no mention",
        "> @agent stop",
        "   > @agent stop",
        "```\n@agent stop\n```",
        "~~~text\n@agent stop",
        "````\n```\n@agent stop\n````",
        "me@agent.com",
        "mail me@agent now",
        "@agent-smith stop",
        "@agents stop",
        "@agent.example.org",
        "github.com/@agent",
        "use `@agent stop` to stop it",
    ],
)
def test_quotations_code_and_other_names_do_not_address_us(text: str) -> None:
    assert find_mention(text, "@agent") is None


def test_another_word_may_be_configured() -> None:
    assert find_mention("hi @my.bot plan", "@my.bot") == Mention("plan")
    assert find_mention("hi @myxbot plan", "@my.bot") is None
