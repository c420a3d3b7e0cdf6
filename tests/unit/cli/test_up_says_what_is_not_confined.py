"""Whoever starts everything hears at once where nothing is confined, or can be: else no agent would start unseen."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from cli.supervisor.console import UpConsole
from cli.supervisor.run import say_what_is_not_confined
from shared.ops.settings import load_settings
from shared.sandbox.binary import BwrapMissing


async def said(**settings: str) -> str:
    file = io.StringIO()
    await say_what_is_not_confined(UpConsole(Console(file=file, width=500)), load_settings({}, **settings))
    return file.getvalue()


async def test_what_is_switched_off_is_told_and_what_holds_is_not() -> None:
    assert "off: agents" in await said(sandbox="off")
    assert await said() == ""


async def test_what_is_missing_is_told_with_its_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise BwrapMissing("bwrap is not there: run `make install`.")

    monkeypatch.setattr("cli.doctor.machine.find_bwrap", missing)
    assert "bwrap is not there. Run `make install`" in await said()
