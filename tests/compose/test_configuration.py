"""What compose.yaml promises on paper: read back through `docker compose config`, nothing started."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

import pytest

from shared.ops.setting_sources import PREFIX
from shared.ops.settings import Settings

from .stack import SERVICES, run

AGENTS = ("brain", "planner", "executor")


def configuration_of(engine: Mapping[str, str], *files: str, **settings: str) -> dict[str, Any]:
    clean = {name: value for name, value in engine.items() if not name.startswith(("JOURNEYMAN_", "COMPOSE_"))}
    environment = {**clean, "COMPOSE_FILE": os.pathsep.join(files), "COMPOSE_DISABLE_ENV_FILE": "1", **settings}
    told: dict[str, Any] = json.loads(run("docker", "compose", "config", "--format", "json", environment=environment))
    return told


@pytest.fixture(scope="module")
def services(engine: Mapping[str, str]) -> dict[str, Any]:
    told: dict[str, Any] = configuration_of(engine, "compose.yaml")["services"]
    return told


@pytest.mark.parametrize("files", [("compose.yaml",), ("compose.yaml", "compose.demo.yaml")])
def test_the_compose_files_are_valid_without_any_setting(engine: Mapping[str, str], files: tuple[str, ...]) -> None:
    assert set(SERVICES) <= set(configuration_of(engine, *files)["services"])


def test_nothing_that_scales_has_a_fixed_name_or_port(services: dict[str, Any]) -> None:
    for name, service in services.items():
        assert "container_name" not in service, name
        assert "hostname" not in service, name
    assert [name for name, service in services.items() if service.get("ports")] == ["gateway"]


def test_the_gateway_is_published_on_loopback_only(services: dict[str, Any]) -> None:
    assert [port["host_ip"] for port in services["gateway"]["ports"]] == ["127.0.0.1"]


@pytest.mark.parametrize("service", ["nats", "provision", *SERVICES])
def test_every_container_has_a_read_only_root_and_no_capabilities(services: dict[str, Any], service: str) -> None:
    assert services[service]["read_only"] is True
    assert services[service]["cap_drop"] == ["ALL"]
    assert services[service]["security_opt"] == ["no-new-privileges:true"]
    assert not services[service].get("privileged")


@pytest.mark.parametrize("service", ["nats", *SERVICES])
def test_every_long_running_service_has_a_health_check(services: dict[str, Any], service: str) -> None:
    assert services[service]["healthcheck"]["test"]
    assert services[service]["restart"] == "unless-stopped"


def test_no_service_starts_before_the_streams_exist(services: dict[str, Any]) -> None:
    for service in SERVICES:
        assert services[service]["depends_on"]["provision"]["condition"] == "service_completed_successfully"
    assert services["provision"]["depends_on"]["nats"]["condition"] == "service_healthy"


@pytest.mark.parametrize(
    ("name", "having"),
    [("GITHUB_WEBHOOK_SECRET", {"gateway"}), ("GITHUB_TOKEN", {"gateway"}), ("ANTHROPIC_API_KEY", set(AGENTS))],
)
def test_a_secret_of_the_environment_reaches_those_that_need_it_and_a_file_is_no_value(
    engine: Mapping[str, str], name: str, having: set[str]
) -> None:
    value = "hunter2-hunter2-hunter2"
    told = configuration_of(engine, "compose.yaml", **{f"{PREFIX}{name}": value})["services"]
    assert {service for service, its in told.items() if value in json.dumps(its)} == having
    told = configuration_of(engine, "compose.yaml", **{f"{PREFIX}{name}_FILE": value})["services"]
    assert value not in json.dumps(told)


@pytest.mark.parametrize(
    ("settings", "told"),
    [({}, False), ({f"{PREFIX}ANTHROPIC_API_KEY_FILE": "key"}, True), ({"ANTHROPIC_API_KEY": "key"}, True)],
)
def test_the_gateway_knows_whether_agents_have_a_key_without_having_it(
    engine: Mapping[str, str], settings: dict[str, str], told: bool
) -> None:
    gateway = configuration_of(engine, "compose.yaml", **settings)["services"]["gateway"]
    assert bool(gateway["environment"][f"{PREFIX}ANTHROPIC_API_KEY"]) is told
    assert "anthropic_api_key" not in [secret["source"] for secret in gateway["secrets"]]


@pytest.mark.parametrize("service", SERVICES)
def test_only_settings_that_exist_are_passed_on(services: dict[str, Any], service: str) -> None:
    names = {name.removeprefix(PREFIX).lower() for name in services[service]["environment"] if PREFIX in name}
    assert {name if name in Settings.model_fields else name.removesuffix("_file") for name in names} <= set(
        Settings.model_fields
    )


@pytest.mark.parametrize("service", AGENTS)
def test_a_service_that_runs_agents_is_given_the_model_key_and_no_other_secret(
    services: dict[str, Any], service: str
) -> None:
    secrets = [secret["source"] for secret in services[service].get("secrets", [])]
    assert [name for name in secrets if not name.startswith("nats_")] == ["anthropic_api_key"]
    mounted = [volume.get("source", "") for volume in services[service]["volumes"]]
    assert not [source for source in mounted if "demo" in source]


@pytest.mark.parametrize("service", AGENTS)
def test_a_service_that_runs_agents_can_only_read_the_target_repositories(
    services: dict[str, Any], service: str
) -> None:
    repositories = [volume for volume in services[service]["volumes"] if volume["target"] == "/repos"]
    assert [volume.get("read_only") for volume in repositories] == [True]


@pytest.mark.parametrize("service", SERVICES)
def test_each_replica_has_a_data_volume_of_its_own(services: dict[str, Any], service: str) -> None:
    data = [volume for volume in services[service]["volumes"] if volume["target"] == "/data"]
    assert [volume.get("source") for volume in data] == [None]
