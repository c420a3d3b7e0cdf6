"""The settings, the files that repeat them, the doctor and the supervisor know each sender's secret from `SENDERS`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from cli.doctor.finding import FindingState
from cli.doctor.machine import webhook_secrets
from cli.supervisor.children import LaunchPlan, service_environment
from shared.ops import settings_files
from shared.ops.config import Config, SenderPolicy
from shared.ops.senders import SENDERS, secret_setting
from shared.ops.settings import load_settings, variable_of

PLAN = LaunchPlan(data=Path("data"), http_host="127.0.0.1", http_port=8080)


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where there is no .env."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    told: dict[str, Any] = yaml.safe_load(settings_files.COMPOSE.read_text())
    return told


@pytest.mark.parametrize("name", SENDERS)
def test_the_name_of_a_sender_makes_an_address_a_variable_and_a_module(name: str) -> None:
    assert name.isascii() and name.isidentifier() and name == name.lower()


@pytest.mark.parametrize("name", SENDERS)
def test_the_secret_is_read_from_the_variable_or_from_the_file_that_are_called_after_the_sender(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert variable_of(secret_setting(name)) == f"JOURNEYMAN_{name.upper()}_WEBHOOK_SECRET"
    file = tmp_path / "secret"
    file.write_text("from a file\n")
    monkeypatch.setenv(f"{variable_of(secret_setting(name))}_FILE", str(file))
    assert load_settings().webhook_secret(name).get_secret_value() == "from a file"
    monkeypatch.setenv(variable_of(secret_setting(name)), "from a variable")
    assert load_settings().webhook_secret(name).get_secret_value() == "from a variable"
    assert "from a variable" not in repr(load_settings())


def test_what_compose_passes_on_of_the_senders_is_current() -> None:
    text = settings_files.COMPOSE.read_text()
    assert settings_files.with_settings(text) == text, "run `make docs`"


def test_a_compose_file_without_the_marks_is_refused_with_the_mend() -> None:
    with pytest.raises(ValueError, match="put it back"):
        settings_files.with_settings("services: {}\n")


@pytest.mark.parametrize("name", SENDERS)
def test_in_containers_the_gateway_alone_has_the_secret_as_a_file(name: str, compose: dict[str, Any]) -> None:
    secret, variable = secret_setting(name), f"{variable_of(secret_setting(name))}_FILE"
    assert compose["secrets"][secret] == {"file": f"${{{variable}:-/dev/null}}"}
    assert compose["services"]["gateway"]["environment"][variable] == f"/run/secrets/{secret}"
    assert [each for each, service in compose["services"].items() if secret in service.get("secrets", ())] == [
        "gateway"
    ]


@pytest.mark.parametrize("name", SENDERS)
@pytest.mark.parametrize("ending", ["", "_FILE"])
def test_under_the_supervisor_the_gateway_alone_has_the_secret(name: str, ending: str) -> None:
    variable = variable_of(secret_setting(name)) + ending
    having = [
        service
        for service in ("brain", "planner", "executor", "gateway", "projector")
        if variable in service_environment(service, PLAN, Path("ready"), {variable: "s3cret"})
    ]
    assert having == ["gateway"]


@pytest.mark.parametrize(("name", "title"), SENDERS.items())
def test_the_doctor_says_of_each_sender_that_is_used_whether_its_secret_is_set_and_how_to_set_it(
    name: str, title: str, tmp_path: Path
) -> None:
    (missing,) = webhook_secrets(load_settings(), tmp_path, Config(senders={name: SenderPolicy()}))
    assert missing.state is FindingState.NOTE and f"{title}'s webhooks are refused" in missing.detail
    assert variable_of(secret_setting(name)) in missing.mend
    (there,) = webhook_secrets(load_settings({}, **{secret_setting(name): "s3cret"}), tmp_path, Config())
    assert there.state is FindingState.GOOD and title in there.detail


def test_the_doctor_has_one_line_for_somebody_who_uses_no_sender(tmp_path: Path) -> None:
    (none,) = webhook_secrets(load_settings(), tmp_path, Config())
    assert none.state is FindingState.NOTE and all(title in none.detail for title in SENDERS.values())
    (missing,) = webhook_secrets(load_settings({}, jira_url="https://jira.example"), tmp_path, Config())
    assert "Jira's webhooks are refused" in missing.detail
