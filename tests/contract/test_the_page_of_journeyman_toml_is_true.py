"""docs/journeyman-toml.md is made of the model that reads the file, and its example is a file that is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.ops import config_page
from shared.ops.config import Config, load_config


def test_the_page_of_journeyman_toml_is_not_stale() -> None:
    assert config_page.PAGE.read_text() == config_page.markdown(), "run `make docs`"


def test_every_key_says_what_it_is() -> None:
    schema = Config.model_json_schema()
    tables = {name: model for name, model in schema["$defs"].items() if model["type"] == "object"}
    silent = [
        f"{name}.{key}"
        for name, model in {**tables, "Config": schema}.items()
        for key, its in model["properties"].items()
        if not its.get("description")
    ]
    assert silent == [], "write a docstring behind the field, or Field(description=…)"


@pytest.mark.parametrize("text", [config_page.EXAMPLE])
def test_the_example_is_read(text: str, tmp_path: Path) -> None:
    (tmp_path / "journeyman.toml").write_text(text)
    config = load_config(tmp_path / "journeyman.toml")
    assert set(config.repos) == {"acme/web-app", "acme/tools"}
    assert config.policy.bots == ("renovate[bot]",)
