"""The seed of a fault test: printed, so that a failure can be had again with JOURNEYMAN_TEST_SEED."""

from __future__ import annotations

import os
import secrets
from random import Random

import pytest


@pytest.fixture
def random() -> Random:
    seed = int(os.environ.get("JOURNEYMAN_TEST_SEED") or secrets.randbits(32))
    print(f"seed {seed}")
    return Random(seed)
