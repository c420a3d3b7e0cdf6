"""What `scripts/build-web --check` finds fails it: over a made-up npm."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
CHECK: Final = "run --silent check"
TEST: Final = "test --silent"


@pytest.mark.parametrize(
    ("fails", "code", "run"), [("nothing", 0, [CHECK, TEST]), (CHECK, 1, [CHECK]), (TEST, 1, [CHECK, TEST])]
)
def test_whatever_fails_ends_the_check_and_nothing_is_built(
    tmp_path: Path, fails: str, code: int, run: list[str]
) -> None:
    asked = tmp_path / "asked"
    for name, body in (("node", "exit 0"), ("npm", f'echo "$*" >>{asked}; [ "$*" != "{fails}" ]')):
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)
    environment = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}", "UV": "never-asked"}
    done = subprocess.run([ROOT / "scripts" / "build-web", "--check"], env=environment, timeout=60, check=False)
    assert done.returncode == code
    assert [line for line in asked.read_text().splitlines() if not line.startswith("ci ")] == run
