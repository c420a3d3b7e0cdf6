"""Where `up` has the services answer /health and /metrics: at ports that Prometheus can be told once."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from cli.failures import Failure
from cli.supervisor.children import LaunchPlan, service_environment
from cli.supervisor.names import HEALTH_OFFSETS
from cli.supervisor.preflight import UpOptions, plan_for
from shared.ops.settings import load_settings
from testing.nats import free_port

FREE = dict.fromkeys(HEALTH_OFFSETS, 0)


def ports(tmp_path: Path, *, port: int, **asked: int) -> dict[str, int]:
    settings = load_settings({}, data_dir=tmp_path, http_port=port, **asked)
    return plan_for(UpOptions(port=port, data=tmp_path), settings).health_ports


def test_one_setting_moves_all_of_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.supervisor.preflight.is_free", lambda host, port: True)
    first = free_port()
    found = ports(tmp_path, port=free_port(), health_port=first)
    assert found == {"brain": first, "planner": first + 1, "executor": first + 2, "projector": first + 3}
    plan = plan_for(UpOptions(data=tmp_path), load_settings({}, data_dir=tmp_path, http_port=0, health_port=first))
    environment = service_environment("projector", plan, tmp_path / "ready", {})
    assert environment["JOURNEYMAN_HEALTH_PORT"] == str(first + 3)


def test_zero_picks_free_ones_as_it_does_for_the_dashboard(tmp_path: Path) -> None:
    assert ports(tmp_path, port=free_port(), health_port=0) == FREE
    assert ports(tmp_path, port=0) == FREE


def test_ports_that_were_asked_for_and_are_taken_are_refused_with_the_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", free_port()))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(Failure, match=f"JOURNEYMAN_HEALTH_PORT={port} .* {port} is taken"):
            ports(tmp_path, port=free_port(), health_port=port)
    monkeypatch.setattr("cli.supervisor.preflight.is_free", lambda host, port: True)
    with pytest.raises(Failure, match="65536 is taken"):
        ports(tmp_path, port=free_port(), health_port=65533)


def test_a_second_system_that_nobody_told_where_to_be_gets_free_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.supervisor.preflight.is_free", lambda host, port: port != 9102)
    assert ports(tmp_path, port=free_port()) == FREE
    monkeypatch.setattr("cli.supervisor.preflight.is_free", lambda host, port: True)
    assert ports(tmp_path, port=free_port())["projector"] == 9103


def test_the_scripted_model_comes_back_where_agents_that_outlived_it_look_for_it(tmp_path: Path) -> None:
    def plan() -> LaunchPlan:
        settings = load_settings({}, data_dir=tmp_path, http_port=0, demo_model=True)
        return plan_for(UpOptions(port=0, data=tmp_path), settings)

    assert plan().model_port == 0
    with socket.socket() as before:
        before.bind(("127.0.0.1", 0))
        before.listen()
        port = before.getsockname()[1]
        plan().model_port_file.parent.mkdir()
        plan().model_port_file.write_text(str(port))
        assert plan().model_port == 0, "somebody else has it now"
    assert plan().model_port == port
