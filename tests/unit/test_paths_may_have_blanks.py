"""A checkout may lie in a folder with blanks in its name: uv, brought into that folder, is called by its whole path."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NEEDED = ("bash", "sh", "env", "dirname", "touch", "mkdir", "cat", "make")
UV = """#!/bin/bash
echo "$@" >>"$(dirname "$0")/called"
[ "$1" = venv ] && mkdir -p .venv/bin && touch .venv/bin/python
exit 0
"""


def test_make_installs_in_a_folder_with_blanks_in_its_name(tmp_path: Path) -> None:
    checkout = tmp_path / "my projects" / "jm"
    uv = checkout / ".tools" / "uv" / "bin" / "uv"
    uv.parent.mkdir(parents=True)
    uv.write_text(UV)
    uv.chmod(0o755)
    (checkout / "scripts").mkdir()
    for name in ("Makefile", "scripts/get-uv", "pyproject.toml", "requirements.lock", "requirements-dev.lock"):
        shutil.copy(ROOT / name, checkout / name)
    tools = tmp_path / "tools"  # without a uv of this machine
    tools.mkdir()
    for name in NEEDED:
        (tools / name).symlink_to(shutil.which(name) or f"/bin/{name}")
    for target in ("install", "install-dev", "lock"):
        done = subprocess.run(
            ["make", "--no-print-directory", target],
            cwd=checkout,
            env={"PATH": str(tools), "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    called = (uv.parent / "called").read_text().splitlines()
    assert [line.split()[0] for line in called] == ["venv", "pip", "pip", "pip", "pip", "pip", "pip"]


def test_every_call_of_uv_in_the_makefile_is_quoted() -> None:
    bare = [line for line in (ROOT / "Makefile").read_text().splitlines() if "$(UV)" in line.replace('"$(UV)"', "")]
    assert bare == []
