"""Programs that only tests need. Where one is missing, its tests are skipped, and one line says how to get it."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from pathlib import Path
from typing import Final

import pytest

CHROMIUM_NAMES: Final = ("chromium", "google-chrome", "chromium-browser")
NO_CHROMIUM: Final = (
    "Chromium is missing: `apt-get install chromium`, or `.venv/bin/playwright install --with-deps chromium`"
)
NO_NATS_COMMAND: Final = (
    "the nats command is missing, and so is Go, to build it: `apt-get install golang-go`, "
    "or https://github.com/nats-io/natscli/releases"
)
NO_GIT_HTTP: Final = "git is here without its HTTP programs: `apt-get install git` brings them"
NO_SSHD: Final = "sshd is missing: `apt-get install openssh-server` brings it"
NO_PROMTOOL: Final = "promtool is missing: `apt-get install prometheus` brings it"
NO_PROXY: Final = "nginx or Caddy is missing: `apt-get install nginx caddy` brings them"
NO_SYSTEMD: Final = "systemd-analyze is missing: `apt-get install systemd` brings it"
NO_DASHBOARD: Final = "the dashboard is not built: `make web`"
NO_EMULATORS: Final = "emulators of GitHub are missing, or Node: `make emulators` brings both"
MENDS: Final = (
    *(NO_CHROMIUM, NO_NATS_COMMAND, NO_GIT_HTTP, NO_SSHD, NO_PROMTOOL),
    *(NO_PROXY, NO_SYSTEMD, NO_DASHBOARD, NO_EMULATORS),
)


def find_chromium() -> str | None:
    """The path of the machine's Chromium; None for the one that Playwright has fetched. Skips when there is neither."""
    for name in CHROMIUM_NAMES:
        if found := shutil.which(name):
            return found
    own = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or Path.home() / ".cache" / "ms-playwright")
    if not any(own.glob("chromium*")):
        pytest.skip(NO_CHROMIUM)
    return None


def say_what_is_missing(reporter: pytest.TerminalReporter) -> None:
    """One line for each missing program, with the number of tests that were skipped for it."""
    reasons = Counter(str(report.longrepr[2]).removeprefix("Skipped: ") for report in reporter.stats.get("skipped", ()))
    for mend in MENDS:
        if reasons[mend]:
            reporter.write_line(f"{reasons[mend]} tests were skipped: {mend}", yellow=True)
