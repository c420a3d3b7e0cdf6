"""The recorded outputs beside this file, read as a run that failed in ``/srv/checkout``."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from shared.workspace.test_results import Findings, Run, read_failures

OUTPUTS: Final = Path(__file__).parent / "outputs"
CHECKOUT: Final = Path("/srv/checkout")


def text_of(name: str) -> str:
    return (OUTPUTS / name).read_text(encoding="utf-8")


def read(output: str = "", *reports: str, command: str = "make test", exit_code: int = 1) -> Findings:
    return read_failures(command, exit_code, output, [OUTPUTS / report for report in reports], CHECKOUT)


def run(output: str, exit_code: int = 1, checkout: str = str(CHECKOUT)) -> Run:
    findings = read_failures("make test", exit_code, output, [], Path(checkout))
    return Run(exit_code=exit_code, output=output, findings=findings, checkout=checkout)
