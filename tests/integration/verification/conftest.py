from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.verification.trials import MakeTrial, Trial


@pytest.fixture
def trial(tmp_path: Path) -> MakeTrial:
    return lambda base: Trial(tmp_path, base)
