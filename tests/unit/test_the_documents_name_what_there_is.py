"""The commands, targets, settings and addresses that README and docs/ name are there, with these words and options."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Final

import click
import pytest
import yaml

from cli.main import cli
from shared.contracts.subjects import read_request_subject
from shared.contracts.task import TERMINAL, Status
from shared.event_store.envelope import MessageMetadata, decode_command, utc_now
from shared.ops.config import load_config
from shared.ops.setting_sources import unknown
from shared.ops.settings import Settings

ROOT: Final = Path(__file__).resolve().parents[2]
PAGES: Final = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
STAMP: Final = MessageMetadata(id="x", source="nats", time=utc_now(), principal="nats:operator")


def all_in(pattern: str) -> list[str]:
    """What the first group of the pattern finds in any page, each once."""
    return sorted({found for page in PAGES for found in re.findall(pattern, page.read_text(), re.MULTILINE)})


COMMANDS: Final = all_in(r"(?:`|^|bin/|\s)(journeyman (?:[a-z-]+)(?: [^`\n]*)?)`") + [
    f"journeyman {each}" for each in all_in(r"`((?:task|parked|deliveries) [a-z-]+(?: [^`\n]*)?)`")
]


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_that_is_named_takes_these_words_and_options(line: str) -> None:
    written = re.sub(r"\bN\b", "7", line.replace('"…"', "words").translate({ord("["): None, ord("]"): None}))
    arguments = shlex.split(re.split(r" \||…|#|>", written)[0])[1:]
    context: click.Context = click.Context(cli, info_name="journeyman")
    command: click.Command | None = cli
    while isinstance(command, click.Group) and arguments:
        name, command, arguments = command.resolve_command(context, arguments)
        assert command is not None
        context = click.Context(command, info_name=name, parent=context)
    if isinstance(command, click.Group) or command is None:
        return
    try:
        command.make_context(context.info_name, arguments, parent=context.parent)
    except click.exceptions.MissingParameter:
        return  # a name in the middle of a sentence has none of its arguments
    except click.exceptions.NoArgsIsHelpError:
        return
    except click.BadParameter as error:
        assert "does not exist" in error.message, line  # FILE stands for one


def test_the_targets_of_make_that_are_named_are_there() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(all_in(r"(?:`|^)make ([a-z-]+)")) | set(all_in(r"make -C \S+ ([a-z-]+)"))
    assert {"demo", "up", "test", "install"} <= named
    assert named <= targets


def test_who_waits_for_a_task_as_the_api_page_says_hears_of_every_end() -> None:
    waits = re.findall(r"select\(IN\((.*?)\)\)", (ROOT / "docs" / "http-api.md").read_text(), re.DOTALL)[0]
    ends = TERMINAL | {Status.AWAITING_APPROVAL, Status.WAITING_INPUT, Status.IN_REVIEW}
    assert set(re.findall(r'"([^"]+)"', waits)) == ends


def test_the_settings_that_are_named_are_settings() -> None:
    named = all_in(r"\b(JOURNEYMAN_[A-Z][A-Z_]*[A-Z])\b(?!_?[…<*])")
    # `JOURNEYMAN_ACME_…` is a made-up sender; a name that is cut off ends with an ellipsis.
    assert [each for each in unknown(dict.fromkeys(named, "x"), Settings.model_fields) if "_ACME_" not in each] == []


def test_the_services_that_are_scaled_are_there() -> None:
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    assert set(all_in(r"--scale ([a-z]+)=")) <= set(services)


@pytest.mark.parametrize(
    ("tool", "kind", "verb", "body"),
    [
        each
        for page in PAGES
        for each in re.findall(r"nats (pub|req) (?:cmd|req)\.(\w+)\.\S+\.([\w-]+) '([^']*)'", page.read_text())
    ],
)
def test_a_message_that_is_named_is_a_command(tool: str, kind: str, verb: str, body: str) -> None:
    actor, verb = read_request_subject(f"req.{kind}.T1.{verb}")
    decode_command(actor, verb, body.encode(), fallback=STAMP)


def test_readmes_configuration_is_read(tmp_path: Path) -> None:
    readme = (ROOT / "README.md").read_text().replace("\n   ", "\n")
    (tmp_path / "journeyman.toml").write_text(re.findall(r"```toml\n(.*?)```", readme, re.DOTALL)[0])
    assert load_config(tmp_path / "journeyman.toml").repos


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_files_that_a_page_links_to_are_there(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []
