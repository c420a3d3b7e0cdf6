"""Fixtures of every test: a real NATS server, in a container where an engine answers, else from its binary."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, settings

from shared.nats.bus import Bus
from shared.nats.streams import provision
from testing.campaign_size import OPTION, CampaignSize, leave_out_what_is_only_in_full
from testing.fixtures_of_others import folder_of_fixtures, leave_out_what_needs_fixtures
from testing.memory_dir import memory_dir
from testing.nats import Nats
from testing.programs import say_what_is_missing
from testing.slow_timings import connect_patiently
from testing.stream_limits import SMALL

SKIPPED_EXIT_CODE: Final = 20
"""None of pytest's own, so that it is never taken for failed tests, of which some may pass when they run again."""


@pytest.fixture
async def nats_server(tmp_path: Path) -> AsyncIterator[Nats]:
    """A NATS server of one test's own, provisioned: it may be killed, restarted and filled."""
    nats = Nats(tmp_path / "nats")
    await nats.start()
    bus = await connect_patiently(nats.url, name="provision")
    await provision(bus, SMALL)
    await bus.close()
    yield nats
    await nats.stop()


@pytest.fixture
async def bus(nats_server: Nats) -> AsyncIterator[Bus]:
    """A connection to the test's own NATS server."""
    bus = await connect_patiently(nats_server.url, name="test")
    yield bus
    await asyncio.wait_for(bus.close(), 60)


@pytest.fixture(scope="session")
def campaign_size(request: pytest.FixtureRequest) -> CampaignSize:
    """How much a campaign is to do, as the command line says."""
    return CampaignSize(request.config.getoption(OPTION))


@pytest.fixture(scope="session")
def fixtures() -> Path:
    """The folder of payloads that others recorded; only tests marked with ``fixtures`` may ask for it."""
    folder = folder_of_fixtures()
    assert folder is not None, "the test is not marked with `fixtures`"
    return folder


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the command line say how much a campaign does."""
    parser.addoption(
        OPTION,
        choices=list(CampaignSize),
        default=CampaignSize.SMALL,
        help="how much each campaign of faults does (default: small)",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect what needs payloads of others where nobody has said where those are, and what is too long for a push."""
    leave_out_what_needs_fixtures(config, items)
    leave_out_what_is_only_in_full(config, items)


def pytest_configure() -> None:
    """Decide where `tmp_path` is, unless somebody has, and how long a test waits for its examples."""
    settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("unhurried")
    if folder := memory_dir():
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(folder))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how to get what this machine has not, once for all the tests that were skipped for it."""
    say_what_is_missing(terminalreporter)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Where everything is installed (CI), a skipped test is a promise that nobody has checked."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    ran = exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
    if not os.environ.get("JOURNEYMAN_TEST_NO_SKIPS") or reporter is None or not ran:
        return
    if skipped := reporter.stats.get("skipped"):
        reporter.write_line(f"{len(skipped)} tests were skipped, and JOURNEYMAN_TEST_NO_SKIPS allows none", red=True)
        session.exitstatus = SKIPPED_EXIT_CODE
