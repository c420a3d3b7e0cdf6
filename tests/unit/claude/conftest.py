"""Recorded outputs of the real CLI."""

from __future__ import annotations

import pytest

from tests.recordings.recorded_runs import RecordedRuns


@pytest.fixture
def recordings() -> RecordedRuns:
    """The runs of the recorded version, by name."""
    return RecordedRuns()
