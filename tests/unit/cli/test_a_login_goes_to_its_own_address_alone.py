"""What logs in to one NATS is shown to no other one."""

from __future__ import annotations

from pathlib import Path

from cli.contexts import Context
from cli.endpoint import login_for
from shared.nats.login import NO_LOGIN, Login
from shared.ops.settings import load_settings


def test_the_login_of_the_settings_belongs_to_their_address(tmp_path: Path) -> None:
    creds = tmp_path / "a.creds"
    creds.touch()
    settings = load_settings({}, nats_url="tls://ours:4222", nats_creds=creds)
    assert login_for(settings, "tls://ours:4222") == Login(creds=creds)
    assert login_for(settings, "tls://theirs:4222") == NO_LOGIN
    assert login_for(load_settings({}, nats_creds=creds), "nats://127.0.0.1:4222") == NO_LOGIN, "the embedded one's"


def test_a_context_has_a_login_of_its_own(tmp_path: Path) -> None:
    context = Context(url="tls://theirs:4222", nkey=str(tmp_path / "n"), ca=str(tmp_path / "ca"))
    assert context.login == Login(nkey=tmp_path / "n", ca=tmp_path / "ca")


def test_a_login_shows_no_password() -> None:
    login = Login(user="jm", password=load_settings({}, nats_user="jm", nats_password="hush").nats_password)
    assert login.words == "the password of jm"
    assert "hush" not in repr(login)
