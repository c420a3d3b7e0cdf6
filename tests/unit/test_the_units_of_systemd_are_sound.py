"""deploy/systemd: systemd finds nothing wrong with the units, and they call commands that there are."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from testing.programs import NO_SYSTEMD

ROOT = Path(__file__).resolve().parents[2]
UNITS = sorted((ROOT / "deploy" / "systemd").iterdir())


def test_systemd_finds_nothing_wrong_with_the_units(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip(NO_SYSTEMD)
    for unit in UNITS:
        # It looks whether the program is there.
        (tmp_path / unit.name).write_text(unit.read_text().replace("/opt/journeyman/", f"{ROOT}/"))
    paths = [str(tmp_path / unit.name) for unit in UNITS]
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *paths], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_stop_has_time_to_drain_and_sandboxes_can_be_made() -> None:
    text = (ROOT / "deploy" / "systemd" / "journeyman.service").read_text()
    assert "KillMode=mixed" in text, "SIGTERM goes to `up`, which ends its children in their order"
    assert "TimeoutStopSec=240" in text
    for forbidden in ("RestrictNamespaces", "ProtectKernelTunables", "ProtectProc"):
        assert f"\n{forbidden}=" not in text
