from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.ids import derived_id, derived_task_id, new_task_id
from shared.contracts.subjects import (
    BadAddress,
    actor,
    event_filter,
    event_subject,
    read_command_subject,
    read_event_subject,
)


@given(st.integers(0, 2**48 - 1), st.integers(0, 2**48 - 1))
def test_task_ids_sort_by_time(one: int, other: int) -> None:
    if one != other:
        assert (new_task_id(one) < new_task_id(other)) == (one < other)


@given(st.integers(0, 2**48 - 1), st.text())
def test_a_derived_id_is_the_same_every_time(ms: int, key: str) -> None:
    assert derived_task_id(ms, key) == derived_task_id(ms, key)
    assert len(derived_task_id(ms, key)) == 26
    assert derived_id(key, "a") != derived_id(key, "b")


def test_parts_of_a_derived_id_cannot_run_together() -> None:
    assert derived_id("ab", "c") != derived_id("a", "bc")


@pytest.mark.parametrize("token", ["", "a.b", "a b", "*", ">", "é", "-x", "x" * 129, "a\n"])
def test_what_could_be_another_subject_is_no_id(token: str) -> None:
    with pytest.raises(BadAddress):
        actor("task", token)


def test_an_events_subject_is_read_back() -> None:
    task = actor("task", "01J")
    assert read_event_subject(event_subject(task, "approved")) == (task, "approved")
    assert event_filter(task) == "evt.task.01J.>"


@pytest.mark.parametrize(
    "subject", ["cmd.task.01J.approve", "cmd.1.task.01J", "evt.task.01J.approved", "cmd.1.task.*.x"]
)
def test_only_a_stored_command_is_read_as_one(subject: str) -> None:
    with pytest.raises(BadAddress):
        read_command_subject(subject)
