from __future__ import annotations

import time

import pytest

from services.gateway.inbound.text import MAX_BYTES, bounded, clean, one_line, visible


@pytest.mark.parametrize(
    ("raw", "seen"),
    [
        ("plain\ttext\nwith lines", "plain\ttext\nwith lines"),
        ("Grüße, 世界 👋", "Grüße, 世界 👋"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("nul\x00bell\x07", "nulbell"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("bidi\u202eoverride\u2066", "bidioverride"),
        ("tags\U000e0041\U000e0042", "tags"),
        ("half\ud800", "half"),
        ("before<!-- hidden -->after", "beforeafter"),
        ("before<!--\nhidden\n-->after", "beforeafter"),
        ("<!--\u200b hidden -->seen", "seen"),
        ("<!-\u200b- hidden -->seen", "seen"),
        ("seen\n<!-- the rest is\nhidden", "seen\n"),
        (
            "it fails on `<!--` in a line\nand this is seen",
            "it fails on `<!--` in a line\nand this is seen",
        ),
        ("a <!-- b --> c <!-- d --> e", "a  c  e"),
        ("<!-->seen", "seen"),
    ],
)
def test_only_what_a_person_sees_is_kept(raw: str, seen: str) -> None:
    assert visible(raw) == seen


def test_a_long_text_is_cut_between_characters_and_says_so() -> None:
    text = clean("é" * MAX_BYTES)
    kept, note = text.rsplit("\n\n", 1)
    assert kept == "é" * (MAX_BYTES // 2)
    assert note.startswith("[cut here by Journeyman: ")


def test_a_text_that_fits_is_left_alone() -> None:
    assert bounded("x" * MAX_BYTES) == "x" * MAX_BYTES


@pytest.mark.parametrize("piece", ["<!--", "<!-- -->", "\n<!--", "-->", "\u200b", "   <!--"])
def test_a_text_made_to_be_slow_is_read_in_time(piece: str) -> None:
    began = time.process_time()
    clean(piece * (2_000_000 // len(piece)))
    assert time.process_time() - began < 10.0


def test_a_title_is_one_line() -> None:
    assert one_line("a\n  b\tc") == "a b c"
    assert len(one_line("x" * 1000)) == 300
