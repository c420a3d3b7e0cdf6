"""What the benchmarks feed in: deliveries that the gateway takes for real, and a log that the projection can read."""

from __future__ import annotations

from collections import defaultdict

from bench.history import history
from bench.payload import issue_opened, request, signature, task_of
from services.gateway.inbound import github
from services.gateway.inbound.signature import is_signed
from services.projector.projection import project
from services.projector.projection.facts import Stored, read
from shared.contracts.delivery import Signal
from shared.contracts.ids import derived_task_id
from shared.contracts.subjects import Actor
from shared.event_store.envelope import RecordedEvent, decode_event
from shared.event_store.journal import Head, checked
from shared.ops.config import Config


def test_a_delivery_is_about_ten_kilobytes_and_its_signature_is_right() -> None:
    body = issue_opened(7)
    assert 8_000 < len(body) < 12_000
    assert is_signed(signature(body, "s3cret"), body, (b"s3cret",))
    head, _, sent = request(body, host="127.0.0.1:80", path="/webhooks/github", secret="s3cret").partition(b"\r\n\r\n")
    assert sent == body and f"Content-Length: {len(body)}".encode() in head


def test_no_two_deliveries_are_the_same() -> None:
    requests = {request(issue_opened(number), host="h", path="/", secret="s") for number in range(50)}
    assert len(requests) == 50 and len({issue_opened(number) for number in range(50)}) == 50


def test_the_gateway_reads_a_delivery_as_work_of_somebody_trusted() -> None:
    body = issue_opened(7, text="It is wrong.\n@agent implement", repo="octo/app")
    signal = github.read("issues", body, Config()).meaning
    assert isinstance(signal, Signal)
    assert (signal.directive, signal.trusted, signal.repo) == ("implement", True, "octo/app")
    assert derived_task_id(signal.opened_at_ms, signal.thread) == task_of(7, "octo/app")


def test_the_made_up_log_is_chained_and_the_projection_takes_every_event() -> None:
    log = list(history(3_000, seed=1))
    by_actor: dict[Actor, list[RecordedEvent]] = defaultdict(list)
    for position, event in enumerate(log, start=1):
        recorded = decode_event(event.subject, event.body, position)
        by_actor[recorded.actor].append(recorded)
    for actor, events in by_actor.items():
        checked(actor, events, Head())
    facts = [read(Stored(position, event.subject, event.body)) for position, event in enumerate(log, start=1)]
    changes = project({}, facts)
    assert changes.unread == []
    assert len(changes.timeline) == 3_000
    assert len({fact.kind + fact.name for fact in facts}) > 20


def test_the_same_seed_makes_the_same_log() -> None:
    assert list(history(200, seed=3)) == list(history(200, seed=3))
