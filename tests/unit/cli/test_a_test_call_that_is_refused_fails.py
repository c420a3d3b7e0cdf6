"""`journeyman webhook test` stands in scripts: they go by its exit code."""

from __future__ import annotations

from typing import Any

import pytest

from cli.commands import webhook


@pytest.mark.parametrize(("status", "fails"), [(202, False), (200, False), (404, True), (401, True)])
@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_a_test_call_that_is_refused_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], status: int, fails: bool, flags: list[str]
) -> None:
    told: dict[str, Any] = {"status": status, "delivery": "", "task_id": "", "reason": "The webhook takes none."}
    monkeypatch.setattr(webhook, "asked", lambda *_: told)
    arguments = ["test", "deploys", *flags]
    if fails:
        with pytest.raises(SystemExit) as left:
            webhook.command.main(arguments, standalone_mode=False)
        assert left.value.code == 1
    else:
        webhook.command.main(arguments, standalone_mode=False)
    assert "takes none" in capsys.readouterr().out
