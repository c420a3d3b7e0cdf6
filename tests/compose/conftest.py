from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping

import pytest

from .stack import ROOT, Stack, project, run

REACH_ENGINE = 'eval "$(deploy/engine.sh env)" && exec "$0" -c "import json, os; print(json.dumps(dict(os.environ)))"'


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = ROOT / "tests" / "compose"
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.compose)
            # The first test of a run builds the image and starts the services.
            item.add_marker(pytest.mark.timeout(1200))


@pytest.fixture(scope="session")
def engine() -> Mapping[str, str]:
    """The environment that reaches a container engine: this machine's, or the one of deploy/engine.sh."""
    asked = subprocess.run([ROOT / "deploy" / "engine.sh", "env"], capture_output=True, text=True, timeout=60)
    if asked.returncode != 0:
        pytest.skip(asked.stderr.strip() or "no container engine answers")
    told = subprocess.run(
        ["bash", "-ec", REACH_ENGINE, sys.executable], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    environment: dict[str, str] = json.loads(told.stdout)
    return environment


@pytest.fixture(scope="session")
def image(engine: Mapping[str, str]) -> Iterator[str]:
    """The image of this checkout, under a tag of this run."""
    tag = f"journeyman:test-{uuid.uuid4().hex[:8]}"
    run("deploy/build.sh", tag, environment=dict(os.environ), timeout=1100)
    yield tag
    run("docker", "image", "rm", tag, environment=engine)


@pytest.fixture(scope="session")
def stack(request: pytest.FixtureRequest, engine: Mapping[str, str], image: str) -> Iterator[Stack]:
    """The whole system with four executors and two planners, its demonstration task under way.

    After a failure the log of every container is in .pytest_cache/d/<project>, and its end is shown.
    """
    with project(engine, image) as started:
        up = False
        try:
            started.up(executor=4, planner=2)
            up = True
            yield started
        finally:
            if not up or request.session.testsfailed:
                said = started.compose("logs", "--no-color", "--timestamps")
                (request.config.cache.mkdir(started.name) / "containers.log").write_text(said)
                print(started.compose("ps", "--all"), said[-6000:], sep="\n")
