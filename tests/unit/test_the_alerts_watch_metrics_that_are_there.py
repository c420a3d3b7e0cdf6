"""`deploy/prometheus`: what it scrapes and what its alerts ask for is what the services tell."""

from __future__ import annotations

import importlib
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY

from cli.supervisor.names import HEALTH_OFFSETS, SERVICES
from shared.ops.settings import Settings
from testing.programs import NO_PROMTOOL

FOLDER = Path(__file__).resolve().parents[2] / "deploy" / "prometheus"
ALERTS = FOLDER / "alerts.yml"
TELLING = (
    "shared.ops.metrics",
    "services.gateway.system_metrics",
    "services.gateway.request_metrics",
    "services.gateway.inbound.github_sweeper",
    "services.gateway.inbound.receiver",
    "services.projector.metrics",
    "services.projector.read_model_metrics",
)
"""Where the metrics are made that alerts ask for."""


def test_every_metric_of_an_alert_is_told_by_a_service() -> None:
    for module in TELLING:
        importlib.import_module(module)
    told = {
        name
        for family in REGISTRY.collect()
        for name in (family.name, *(f"{family.name}_{end}" for end in ("total", "bucket", "count", "sum")))
    }
    asked = {
        name
        for rule in yaml.safe_load(ALERTS.read_text())["groups"][0]["rules"]
        for name in re.findall(r"\bjourneyman_[a-z_]+", rule["expr"])
    }
    assert len(asked) > 10
    assert asked - told == set()


def test_the_scraped_ports_are_those_where_up_has_the_services_answer() -> None:
    scraped = {
        each["labels"]["service"]: int(each["targets"][0].rpartition(":")[2])
        for each in job("prometheus.yml")["static_configs"]
    }
    first = Settings.model_fields["health_port"].default
    assert scraped == {
        "gateway": Settings.model_fields["http_port"].default,
        **{name: first + offset for name, offset in HEALTH_OFFSETS.items()},
    }
    assert {*HEALTH_OFFSETS, "gateway"} == set(SERVICES)


def test_the_containers_are_found_by_the_names_that_compose_gives_them() -> None:
    named = {name for each in job("prometheus.compose.yml")["dns_sd_configs"] for name in each["names"]}
    assert named == set(SERVICES)


@pytest.mark.parametrize(
    "check",
    [
        ("check", "config", "prometheus.yml"),
        ("check", "config", "prometheus.compose.yml"),
        ("test", "rules", "alerts_test.yml"),
    ],
    ids=" ".join,
)
def test_promtool_finds_nothing_wrong(check: tuple[str, ...]) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip(NO_PROMTOOL)
    done = subprocess.run([promtool, *check], cwd=FOLDER, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def job(config: str) -> dict[str, Any]:
    (found,) = yaml.safe_load((FOLDER / config).read_text())["scrape_configs"]
    assert isinstance(found, dict)
    return found


def test_the_handbook_says_what_to_do_about_each_alert() -> None:
    page = (FOLDER.parents[1] / "docs" / "operations.md").read_text()
    alerts = re.findall(r"- alert: (\w+)", ALERTS.read_text())
    assert [name for name in alerts if f"`{name}`" not in page] == []
