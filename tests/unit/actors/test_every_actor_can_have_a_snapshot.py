from __future__ import annotations

from typing import Any

import msgspec
import pytest

from cli.fold import DECIDERS as FOLDS
from shared.contracts.decider import Decider
from shared.event_store.snapshots import fold_of

DECIDERS = {kind: decider for kind, decider in FOLDS.items() if kind != "delivery"}  # those that take commands


@pytest.mark.parametrize("decider", [pytest.param(each, id=kind) for kind, each in DECIDERS.items()])
def test_the_state_of_every_kind_can_be_kept(decider: Decider[Any]) -> None:
    kept = msgspec.json.encode(decider.initial)
    assert msgspec.json.decode(kept, type=type(decider.initial)) == decider.initial


def test_no_two_kinds_share_a_fold() -> None:
    assert len({fold_of(decider) for decider in DECIDERS.values()}) == len(DECIDERS)
