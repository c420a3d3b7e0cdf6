"""A sender that the product does not have, made of one module and one line, in a copy of the source."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from shared.contracts.delivery import Accepted, SignalKind
from shared.contracts.subjects import Actor
from shared.nats.bus import Bus
from shared.nats.journal import NatsJournal
from shared.ops.timings import PRODUCTION
from testing.eventually import eventually
from testing.nats import Nats
from testing.prefork import Prefork
from tests.integration.gateway.gateway_process import Gateway, issue_opened, sent_until_stored, signed

ROOT: Final = Path(__file__).resolve().parents[3]
SECRET: Final = "acme's own secret"
HOOK: Final = "/webhooks/acme"
TICKET: Final = (
    b'{"number": 7, "title": "It drops", "text": "It does.", "author": "grace", "opened_at_ms": 1700000000000}'
)

ADAPTER: Final = '''
"""Tickets of Acme."""

import msgspec

from services.gateway.inbound.sender import Ignored, Reading, Sender, decoded, from_header
from services.gateway.inbound.signature import hmac_sha256
from services.gateway.inbound.text import clean
from shared.contracts.delivery import Signal, SignalKind


class Ticket(msgspec.Struct, frozen=True):
    number: int
    title: str
    text: str
    author: str
    opened_at_ms: int


_tickets = msgspec.json.Decoder(Ticket)


def read(event, body, policy):
    ticket = decoded(_tickets, body, "Acme", event)
    if event != "ticket-opened":
        return Reading(action="", sender=ticket.author, meaning=Ignored(f"{event} is nothing we act on"))
    signal = Signal(
        kind=SignalKind.WORK,
        thread=f"acme:{ticket.number}",
        opened_at_ms=ticket.opened_at_ms,
        title=ticket.title,
        text=clean(ticket.text),
        author=ticket.author,
    )
    return Reading(action="opened", sender=ticket.author, meaning=signal)


SENDER = Sender(
    verify=hmac_sha256("Acme-Signature", prefix=""),
    event=from_header("Acme-Event"),
    delivery_id=from_header("Acme-Delivery"),
    read=read,
)
'''
LINE: Final = '    "acme": "Acme",\n'


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source with the two places of the new sender."""
    tree = tmp_path_factory.mktemp("tree")
    for folder in ("cli", "services", "shared", "agents"):
        shutil.copytree(ROOT / folder, tree / folder, ignore=shutil.ignore_patterns("static", "__pycache__"))
    shutil.copy(ROOT / "compose.yaml", tree)
    (tree / "services/gateway/inbound/acme.py").write_text(ADAPTER)
    registry = tree / "shared/ops/senders.py"
    before = registry.read_text()
    first = '    "github": "GitHub",\n'
    assert before.count(first) == 1
    registry.write_text(before.replace(first, first + LINE))
    return tree


@pytest.fixture
def here(tree: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Programs that are started come from the copy."""
    monkeypatch.chdir(tree)
    return tree


@pytest.fixture(scope="module")
def prefork(tree: Path) -> Iterator[Prefork]:
    """Gateways of the copy."""
    with Prefork("gateway", tree=tree) as prefork:
        yield prefork


def acme(body: bytes, delivery: str = "t-1", event: str = "ticket-opened", secret: str = SECRET) -> dict[str, str]:
    return {
        "Content-Type": "application/json",
        "Acme-Event": event,
        "Acme-Delivery": delivery,
        "Acme-Signature": hmac.new(secret.encode(), body, hashlib.sha256).hexdigest(),
    }


def problem(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def sent_until_accepted(http: httpx.AsyncClient) -> list[httpx.Response]:
    """Every answer to the ticket; as a sender does, it is sent again while the answer is 503."""
    answers: list[httpx.Response] = []

    async def sent() -> bool:
        answers.append(await http.post(HOOK, content=TICKET, headers=acme(TICKET)))
        return answers[-1].status_code != 503

    await eventually(sent)
    return answers


async def test_a_signed_delivery_is_stored_with_its_meaning_and_anything_else_is_refused_as_for_github(
    prefork: Prefork, nats_server: Nats, bus: Bus, tmp_path: Path
) -> None:
    settings = {"JOURNEYMAN_ACME_WEBHOOK_SECRET": SECRET}
    async with (
        Gateway(nats_server.url, tmp_path / "data", PRODUCTION, prefork, **settings) as gateway,
        gateway.http() as http,
    ):
        wrong = await http.post(HOOK, content=TICKET, headers=acme(TICKET, secret="another"))
        unsigned = {name: value for name, value in acme(TICKET).items() if name != "Acme-Signature"}
        missing = await http.post(HOOK, content=TICKET, headers=unsigned)
        unnamed = await http.post(HOOK, content=TICKET, headers=acme(TICKET) | {"Acme-Event": "x" * 201})
        deep = b"[" * 100_000
        unreadable = await http.post(HOOK, content=deep, headers=acme(deep))
        ignored = await http.post(HOOK, content=TICKET, headers=acme(TICKET, event="ticket-closed"))
        unknown = await http.post("/webhooks/acme-2", content=TICKET, headers=acme(TICKET))
        *again, taken = await sent_until_accepted(http)
        twice = await http.post(HOOK, content=TICKET, headers=acme(TICKET))
        issue = issue_opened()
        *_, of_github = await sent_until_stored(http, issue, signed(issue))
    assert problem(wrong) == (401, "signature-invalid")
    assert "JOURNEYMAN_ACME_WEBHOOK_SECRET" in wrong.json()["detail"]
    assert problem(missing) == (401, "signature-invalid")
    assert "Acme-Signature" in missing.json()["detail"]
    assert problem(unnamed) == (400, "header-missing")
    assert problem(unreadable) == (400, "body-unreadable")
    assert "what Acme sends for 'ticket-opened'" in unreadable.json()["detail"]
    assert (ignored.status_code, ignored.json()["status"]) == (200, "ignored")
    assert problem(unknown) == (404, "webhook-unknown")
    assert "github, acme" in unknown.json()["detail"]
    assert taken.status_code == 202 or again
    assert twice.json() == {"status": "duplicate", "delivery": taken.json()["delivery"]}
    assert "delivery" in of_github.json()

    (event,) = await NatsJournal(bus).load(Actor("delivery", taken.json()["delivery"]))
    accepted: Accepted = event.data
    assert event.principal == "acme:grace"
    assert (accepted.webhook, accepted.event, accepted.action, accepted.delivery) == (
        "acme", "ticket-opened", "opened", "t-1",
    )  # fmt: skip
    assert (accepted.signal.kind, accepted.signal.thread) == (SignalKind.WORK, "acme:7")
    assert bytes(accepted.body) == TICKET


async def test_without_its_secret_the_new_sender_is_not_configured(
    prefork: Prefork, nats_server: Nats, tmp_path: Path
) -> None:
    async with Gateway(nats_server.url, tmp_path / "data", PRODUCTION, prefork) as gateway, gateway.http() as http:
        answer = await http.post(HOOK, content=TICKET, headers=acme(TICKET))
    assert problem(answer) == (401, "webhook-not-configured")
    assert "set JOURNEYMAN_ACME_WEBHOOK_SECRET" in answer.json()["detail"]


def test_the_doctor_and_the_written_files_know_the_new_senders_secret(here: Path, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "shared.ops.settings_files"], check=True)
    assert "#JOURNEYMAN_ACME_WEBHOOK_SECRET=" in (here / ".env.example").read_text()
    assert (here / "compose.yaml").read_text().count("/run/secrets/acme_webhook_secret") == 1
    assert "the Acme webhook has a secret" in doctor(tmp_path, JOURNEYMAN_ACME_WEBHOOK_SECRET=SECRET)
    (tmp_path / "journeyman.toml").write_text('[senders.acme]\npeople = ["grace"]\n')
    mend = doctor(tmp_path)["no secret: Acme's webhooks are refused"]
    assert "JOURNEYMAN_ACME_WEBHOOK_SECRET" in mend


def doctor(data: Path, **environment: str) -> dict[str, str]:
    """What the doctor says of webhooks → the mend."""
    done = subprocess.run(
        [sys.executable, "-c", "from cli.main import main; main()", "doctor", "--json"],
        env={
            **os.environ,
            "JOURNEYMAN_DATA_DIR": str(data),
            "JOURNEYMAN_NATS_URL": "nats://127.0.0.1:1",
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return {each["detail"]: each["mend"] for each in found if each["what"] == "webhooks"}
