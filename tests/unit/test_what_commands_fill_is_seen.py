from __future__ import annotations

from pathlib import Path

import pytest

from shared.ops.limits import MEBI
from shared.workspace.disk_allowance import DiskAllowance

MUCH = 100 * MEBI


@pytest.mark.parametrize("filled, is_passed", [(2 * MEBI, True), (MEBI // 2, False)])
async def test_what_somebody_else_gives_back_meanwhile_hides_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, filled: int, is_passed: bool
) -> None:
    free = {1: MUCH}
    monkeypatch.setattr(DiskAllowance, "_free_now", lambda _: dict(free))
    allowance = DiskAllowance([tmp_path], MEBI)
    (tmp_path / "filled").write_bytes(b"x" * filled)
    free[1] += MUCH - filled  # somebody has removed more than that
    assert await allowance.look(at_once=True) is is_passed


async def test_a_disk_that_is_not_there_any_more_is_not_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = {1: MUCH, 2: MUCH}
    monkeypatch.setattr(DiskAllowance, "_free_now", lambda _: dict(free))
    allowance = DiskAllowance([tmp_path], MEBI)
    del free[2]
    assert not await allowance.look(at_once=True)
