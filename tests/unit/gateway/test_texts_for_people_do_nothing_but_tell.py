from __future__ import annotations

import pytest

from services.gateway.outbound.defused import as_code, code, cut, defused, one_line
from shared.ops.known_secrets import REMOVED, secrets_in, without_secrets
from testing.rendered import assert_harmless, read

TOKEN = "ghp_" + "a1B2" * 9
KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----"


@pytest.mark.parametrize(
    "text",
    [
        "Thanks @ada and @octo/team, cc:@bob.",
        r"\@ada, *@ada*, **@**ada, _@ada_, ~~@ada~~, foo@*ada*, @ada@bob",
        "&#64;ada &commat;ada &#x40;ada",
        "Fixes #7, closes octo/app#8, resolves GH-9, see gh-10",
        "Fixes https://github.com/octo/app/issues/7 and [this](https://github.com/octo/app/pull/8)",
        "[@ada](https://example.org) [#7](https://example.org)",
        "![beacon](https://evil.example/x.png) ![a][b]\n\n[b]: https://evil.example/y.png",
        r"\![beacon](https://evil.example/x.png) !\[x](y) !&#91;x](y)",
        '<img src="https://evil.example/x.png"> <a href="x">@ada</a>\n<details>\n<summary>@ada</summary>',
        "<!-- hidden @ada --> <!--unended\n@ada",
        "`@ada` `` a`b @ada `` \\`@ada` `unended @ada\n\n@ada`",
        "| a | b |\n|---|---|\n| ` @ada | @bob` |",
        "```\n@ada\n~~~\n@bob\n```\n@carl",
        "- ```\n@ada\n  ```\n- x",
        "1. x\n   ```py\n   @decorator\n@ada\n   ```",
        "> ```\n> x\n@ada",
        "    indented @ada\n\n@bob",
        "[x]: https://e.example '\n@ada'\n\n[x]",
        "https://medium.com/@ada/x http://x.y/#7 a@b.org x+@y.z",
        "$`@ada`$ and $@ada$ ^@ada",
        "@\u200bada @\u2060bob \u202e@carl",
    ],
)
def test_nobody_is_called_and_nothing_is_loaded(text: str) -> None:
    assert_harmless(defused(text))
    assert_harmless(one_line(text))
    assert_harmless(code(text))
    assert not read(defused(text)).tags & {"details", "summary", "a"} or "](" in text or "[x]" in text


def test_what_a_text_says_stays_readable() -> None:
    text = "# Plan\n\nAsk **nobody**:\n\n1. mend `add` in *app.py*\n   ```py\n   x = a & b < c  # @kept\n   ```\n2. run [it](https://example.org/?a=1&b=2)"
    made = defused(text)
    page = read(made)
    assert {"h1", "strong", "ol", "code", "pre", "em", "a"} <= page.tags
    assert "x = a & b < c  # @kept" in made
    assert defused("Nothing to do here.") == "Nothing to do here."


def test_hidden_characters_and_comments_are_gone() -> None:
    assert defused("a\u202eb\u200bc<!-- journeyman:T:comment -->d\x07") == "abcd"


@pytest.mark.parametrize(
    "secret",
    [TOKEN, "github_pat_" + "A" * 60, "sk-ant-api03-" + "x" * 40, "AKIAIOSFODNN7EXAMPLE", "xoxb-" + "1" * 24, KEY],
)
def test_a_secret_is_taken_out(secret: str) -> None:
    for text in (f"The key is {secret}.", f"```\n{secret}\n```", f"x={secret}"):
        assert secret not in defused(text)
        assert REMOVED in defused(text)
    (found,) = secrets_in(f"x {secret} y")
    assert (found.start, found.end) == (2, 2 + len(secret))


def test_a_password_in_an_address_is_a_secret_and_its_address_is_none() -> None:
    assert without_secrets("postgres://app:hunter2hunter2@db/x") == f"postgres://{REMOVED}@db/x"
    for harmless in ("https://example.org/a:b", "postgres://app:${PASSWORD}@db", "sk-ant-short", "a task-ant"):
        assert without_secrets(harmless) == harmless


def test_a_block_of_code_cannot_be_ended_from_inside() -> None:
    assert as_code("a\n````\n@ada") == "`````\na\n````\n@ada\n`````"
    assert_harmless(as_code("a\n````\n@ada"))


def test_a_cell_of_a_table_stays_one() -> None:
    assert code("a | b\n`c`") == "`` a ¦ b `c` ``"
    assert code("") == ""
    assert code("x" * 500, 20) == f"`{'x' * 19}…`"


def test_a_text_is_cut_between_lines_and_its_code_is_ended() -> None:
    text = "first\n\n```py\n" + "x = 1\n" * 200 + "```"
    made = cut(text, 600, "*cut*")
    assert len(made) <= 600
    assert made.endswith("x = 1\n```\n\n*cut*")
    assert cut("short", 600) == "short"
    table = "a\n\n| a | b |\n|---|---|\n" + "| 1 | 2 |\n" * 100
    assert cut(table, 400, "*cut*").endswith("| 1 | 2 |\n\n*cut*")


def test_hostile_texts_take_no_time() -> None:
    for hostile in (
        "[" * 60_000,
        "`" * 30_000 + "a" * 30_000,
        "".join(f"{'`' * n} " for n in range(300)),
        "@a" * 30_000,
    ):
        assert_harmless(cut(defused(hostile), 60_000))
    assert_harmless(cut(defused("https://" * 8_000), 60_000))
