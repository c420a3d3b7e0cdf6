"""Lines are read tolerantly and published small."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from shared.claude.conversation.stream import Asked, Init, Lifecycle, Result, Retry, Said, ToolResults, read_line, trim
from tests.recordings.recorded_runs import RecordedRuns

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=2000),
    lambda inner: st.lists(inner, max_size=8) | st.dictionaries(st.text(max_size=20), inner, max_size=8),
    max_leaves=30,
)


def test_every_recorded_line_is_read_without_an_error_and_every_run_has_its_init(recordings: RecordedRuns) -> None:
    for name in recordings.names():
        kinds = [type(read_line(line)) for line in recordings[name].lines]
        has_init = any(b'"subtype":"init"' in line[:40] for line in recordings[name].lines)
        assert (Init in kinds) == has_init, name


def test_the_lines_that_matter_are_recognised(recordings: RecordedRuns) -> None:
    kinds = {type(read_line(line)) for line in recordings["control-protocol"].lines}
    assert {Init, Said, ToolResults, Asked, Lifecycle, Result} <= kinds
    assert Retry in {type(read_line(line)) for line in recordings["api-401"].lines}


@given(json_values | st.binary(max_size=200))
def test_no_line_whatever_can_stop_the_reader(value: object) -> None:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    read_line(raw)
    for kind in (
        "assistant",
        "user",
        "result",
        "stream_event",
        "command_lifecycle",
        "control_request",
        "rate_limit_event",
    ):
        read_line(
            json.dumps({"type": kind, "subtype": "x", "message": value if not isinstance(value, bytes) else 1}).encode()
        )


@given(json_values)
def test_a_published_line_is_one_json_object_within_the_limit(value: object) -> None:
    trimmed = trim(json.dumps({"type": "user", "deep": value, "again": [value] * 3}).encode(), limit=1024)
    assert len(trimmed) <= 1024
    assert b"\n" not in trimmed
    assert json.loads(trimmed)["type"] == "user"


def test_a_small_line_is_published_as_it_is() -> None:
    raw = b'{"type":"assistant","message":{"id":"m"}}'
    assert trim(raw) == raw


def test_the_original_of_an_edited_file_is_left_out_and_a_long_text_says_what_was_cut() -> None:
    line = {"type": "user", "tool_use_result": {"originalFile": "x" * 500, "stdout": "é" * 100_000}, "n": 1}
    trimmed = json.loads(trim(json.dumps(line).encode()))
    assert trimmed["tool_use_result"]["originalFile"] == "… (500 bytes cut)"
    kept, _, cut = trimmed["tool_use_result"]["stdout"].partition("… (")
    assert int(cut.removesuffix(" bytes cut)")) + len(kept.encode()) == 200_000
    assert trimmed["n"] == 1


def test_what_is_no_json_object_is_published_as_a_note() -> None:
    assert json.loads(trim(b"Segmentation fault")) == {"type": "unreadable", "cut_bytes": 18}
    assert json.loads(trim(b'{"type":"user","text":"' + b"x" * 100_000)) == {"type": "unreadable", "cut_bytes": 100_023}
