"""compose.yaml gives the services every setting that is documented, and each secret to those that need it alone."""

from __future__ import annotations

from typing import Any, Final

import pytest
import yaml

from shared.ops import settings_files
from shared.ops.settings import Settings, load_settings, variable_of

AGENTS: Final = {"brain", "planner", "executor"}
ALL: Final = {*AGENTS, "gateway", "projector", "provision"}


@pytest.fixture(scope="module")
def given() -> dict[str, dict[str, Any]]:
    """The environment of each service."""
    services = yaml.safe_load(settings_files.COMPOSE.read_text())["services"]
    return {name: services[name]["environment"] for name in ALL}


@pytest.mark.parametrize("name", sorted(Settings.model_fields.keys() - settings_files.NOT_PASSED_ON.keys()))
def test_a_setting_is_passed_on_or_it_is_said_why_not(name: str, given: dict[str, dict[str, Any]]) -> None:
    names = {variable_of(name), variable_of(name).removesuffix("_FILE")}
    having = {service for service, its in given.items() if names & set(its)}
    assert having, f"give {variable_of(name)} to a service in compose.yaml, or say in NOT_PASSED_ON why not"
    secret = any(word in name for word in ("secret", "_token", "private_key", "signing_key"))
    assert having == ({"gateway"} if secret else AGENTS | {"gateway"} if name == "anthropic_api_key" else having)
    if not secret and "anthropic" not in name:
        assert having == ALL, "what is no secret means the same everywhere"


def test_what_is_not_passed_on_are_settings(given: dict[str, dict[str, Any]]) -> None:
    assert set(settings_files.NOT_PASSED_ON) <= set(Settings.model_fields)


def test_the_models_key_is_the_agents_alone(given: dict[str, dict[str, Any]]) -> None:
    assert "${ANTHROPIC_API_KEY:+" in given["gateway"]["JOURNEYMAN_ANTHROPIC_API_KEY"], "a mark that there is one"
    assert {name for name, its in given.items() if "ANTHROPIC_API_KEY" in its} == AGENTS


def test_an_empty_variable_leaves_a_file_to_be_read(tmp_path: Any) -> None:
    (tmp_path / "secret").write_text("of the file")
    variables = {"JOURNEYMAN_GITHUB_TOKEN": "", "JOURNEYMAN_GITHUB_TOKEN_FILE": str(tmp_path / "secret")}
    assert load_settings(variables).github_token.get_secret_value() == "of the file"
