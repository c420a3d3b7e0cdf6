"""What the image promises by itself, before anything runs from it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from .stack import run


@pytest.fixture(scope="module")
def configuration(engine: Mapping[str, str], image: str) -> dict[str, Any]:
    inspected: list[dict[str, Any]] = json.loads(run("docker", "image", "inspect", image, environment=engine))
    config: dict[str, Any] = inspected[0]["Config"]
    return config


def in_image(engine: Mapping[str, str], image: str, *command: str) -> str:
    return run(
        *("docker", "run", "--rm", "--network", "none", "--read-only", "--entrypoint", command[0], image, *command[1:]),
        environment=engine,
    )


def test_the_image_runs_as_a_numbered_user_that_is_not_root(configuration: dict[str, Any]) -> None:
    # A number, so that Kubernetes can check runAsNonRoot without reading /etc/passwd.
    assert configuration["User"] == "10001:10001"


def test_the_command_of_the_image_is_journeyman_under_an_init_that_reaps(configuration: dict[str, Any]) -> None:
    assert configuration["Entrypoint"] == ["tini", "--", "journeyman"]


def test_the_agents_find_git_and_the_claude_cli_in_the_image(engine: Mapping[str, str], image: str) -> None:
    assert in_image(engine, image, "git", "--version").startswith("git version")
    find_cli = "import claude_agent_sdk as sdk, pathlib; print(pathlib.Path(sdk.__file__).parent / '_bundled/claude')"
    cli = in_image(engine, image, "python3", "-c", find_cli).strip()
    assert "Claude Code" in in_image(engine, image, cli, "--version")


def test_set_ups_and_checks_find_what_they_commonly_call(engine: Mapping[str, str], image: str) -> None:
    tools = ("git", "make", "curl", "ssh", "patch", "unzip", "xz", "ps", "python3")
    assert len(in_image(engine, image, "bash", "-c", f"command -v {' '.join(tools)}").split()) == len(tools)


def test_the_dashboard_is_built_into_the_image(engine: Mapping[str, str], image: str) -> None:
    assert "<!doctype html>" in in_image(engine, image, "cat", "/app/services/gateway/static/index.html").lower()


def test_nothing_the_build_was_told_about_this_machine_stays_in_the_image(
    engine: Mapping[str, str], image: str
) -> None:
    script = (
        "ls -A /root /run/secrets /etc/uv /etc/npm 2>/dev/null; find / -xdev -name .npmrc -o -xdev -name uv.toml; true"
    )
    found = in_image(engine, image, "sh", "-c", script)
    assert "npmrc" not in found
    assert "uv.toml" not in found
