from __future__ import annotations

import base64
import json
import time
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import quote_plus

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.api.doors import _door
from services.gateway.inbound.call_log import CallLog
from services.gateway.inbound.receiver import SHOWN_BYTES, Answered
from services.gateway.inbound.redaction import SHOWN_CHARS, shown_body, without_own
from shared.contracts.calls import MOST_RECENT, Call, Outcome, Tally, newest, together
from shared.contracts.queries import Delivery, DeliveryCount
from shared.ops.visible import visible

SECRET = 'sécret "of" ours/1+'
TOKEN = "ghp_" + "a1B2c3D4" * 5
NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "body",
    [
        json.dumps({"text": f"it is {SECRET}", "nested": [{"x": SECRET}]}, ensure_ascii=True),
        json.dumps({SECRET: 1}, ensure_ascii=False),
        json.dumps({"headers": {"Authorization": SECRET, "X-Api-Key": SECRET}}),
        f'{{"broken": "{SECRET}',
        "payload=" + quote_plus(json.dumps({"a": SECRET})) + "&x=" + quote_plus(SECRET),
        "Basic " + base64.b64encode(SECRET.encode()).decode(),
        SECRET.encode().hex(),
        json.dumps({"a": SECRET, "b": "x" * 20_000})[:8_192],
    ],
)
def test_a_doors_own_secret_is_in_no_body_however_it_is_written(body: str) -> None:
    shown = shown_body(body.encode(), [SECRET.encode()])
    assert SECRET not in shown and json.dumps(SECRET)[1:-1] not in shown and quote_plus(SECRET) not in shown
    assert "[secret removed]" in shown


@pytest.mark.parametrize(
    "body",
    [
        {"password": "hunter2hunter2"},
        {"user": {"apiKey": "hunter2hunter2", "access_token": "hunter2hunter2"}},
        {"sessionId": "hunter2hunter2", "client-secret": "hunter2hunter2"},
        {"secrets": ["hunter2hunter2"], "credentials": {"pass": "hunter2hunter2"}},
        {"note": f"my token is {TOKEN} hunter2hunter2"[:-15]},
    ],
)
@pytest.mark.parametrize("cut", [False, True])
def test_what_is_named_or_shaped_like_a_secret_is_not_shown(body: dict[str, Any], cut: bool) -> None:
    text = json.dumps(body)
    shown = shown_body((text[:-1] if cut else text).encode(), [])
    assert "hunter2" not in shown and TOKEN not in shown


@pytest.mark.parametrize("ascii", [True, False])
@pytest.mark.parametrize("slash", ["/", r"\/"])
def test_a_doors_own_secret_is_not_kept_and_what_only_looks_like_it_stays(ascii: bool, slash: str) -> None:
    body = {"auth": {SECRET: f"Bearer {SECRET}"}, "id": 1234567890123, "log": "y" * 10, "n": None}
    sent = json.dumps(body, ensure_ascii=ascii).replace("/", slash).encode()
    kept = json.loads(without_own(sent, [b"another one", SECRET.encode(), b"12345678"]))
    assert kept == {
        "auth": {"[secret removed]": "Bearer [secret removed]"}, "id": 1234567890123, "log": "y" * 10, "n": None,
    }  # fmt: skip
    assert without_own(sent, [b"another one"]) is sent
    assert without_own(b'{"word": "a test"}', [b"test"]) == b'{"word": "a test"}'
    assert without_own(b"{no json " + SECRET.encode(), [SECRET.encode()]).startswith(b"{no")


def test_what_is_no_secret_is_shown_as_it_was_sent() -> None:
    body = {"build": {"name": "nightly", "tokens_used": 7, "key": "APP-1"}, "ok": True, "tokens": None}
    assert json.loads(shown_body(json.dumps(body).encode(), [b"x" * 20])) == body
    long = shown_body(json.dumps({"log": "y" * 7_000}).encode(), [])
    assert len(long) == SHOWN_CHARS + 1 and long.endswith("…")


@given(st.binary(max_size=300) | st.text(max_size=100).map(lambda text: json.dumps({"a": text}).encode()))
def test_any_body_is_shown_bounded_and_with_marks_for_invisible_characters(body: bytes) -> None:
    shown = shown_body(body * 20, [b"secret"])
    assert len(shown) <= SHOWN_CHARS + 1 and shown == visible(shown)
    shown.encode()


def test_what_would_hide_from_a_reader_of_a_body_is_seen() -> None:
    shown = shown_body(json.dumps({"a": "\u202egnp <!-- @agent stop --> \x1b[2J"}).encode(), [])
    assert "<U+202E>gnp <!-- @agent stop --> \\u001b[2J" in shown


async def test_calls_with_large_bodies_fit_into_one_message() -> None:
    bucket = Bucket()
    log = CallLog(bucket, "one", clock=lambda: NOW)  # type: ignore[arg-type]
    for code, told in ((202, {}), (200, {"status": "duplicate"}), (200, {}), (401, {})):
        for _ in range(MOST_RECENT):
            log.note(answered(code, json.dumps('"語' * 2_000, ensure_ascii=False).encode()[:8_192], **told))
    await log.write()
    assert len(bucket.calls) == 4 * MOST_RECENT and bucket.calls[0].body and not bucket.calls[-1].body
    assert len(msgspec.json.encode(bucket.calls)) < 600_000


@pytest.mark.parametrize(
    "part", ["x", "secret", "token=", '"secret": ["', "a" * 99 + "secret_", "ghp_", "-", "\\", "{"]
)
def test_no_body_takes_long_to_be_made_fit_to_see(part: str) -> None:
    began = time.process_time()
    shown_body((part * SHOWN_BYTES).encode()[:SHOWN_BYTES], [b"a secret of ours"])
    assert time.process_time() - began < 0.2


class Bucket:
    """What a gateway writes."""

    def __init__(self) -> None:
        self.tally = Tally(day=date.min)
        self.calls: tuple[Call, ...] = ()
        self.away = False
        self.writes = 0

    async def put(self, door: str, gateway: str, tally: Tally, calls: tuple[Call, ...]) -> None:
        if self.away:
            raise TimeoutError
        self.writes += 1
        self.tally, self.calls = tally, calls


def answered(http: int, body: bytes = b"{}", **told: str) -> Answered:
    return Answered("builds", http, told, "call", "203.0.113.9", ("x-sig", "x\u202e"), body, len(body), (b"secret",))


async def test_a_storm_of_refusals_hides_no_accepted_call_and_is_written_at_once() -> None:
    bucket = Bucket()
    log = CallLog(bucket, "one", clock=lambda: NOW)  # type: ignore[arg-type]
    log.note(answered(202, b'{"say": "secret"}', delivery="d1"))
    log.note(answered(200, status="duplicate", delivery="d1"))
    log.note(answered(200, status="ignored", reason="the filter does not hold"))
    for _ in range(1_000):
        log.note(answered(401, b"x" * 8_192, reason="The signature does not fit.", code="signature-invalid"))
    bucket.away = True
    await log.write()
    bucket.away = False
    await log.write()
    await log.write()
    assert bucket.writes == 1
    assert bucket.tally.counts == {"accepted": 1, "duplicate": 1, "ignored": 1, "refused": 1_000}
    assert bucket.tally.refusals == {"signature-invalid": 1_000}
    assert len(bucket.calls) == MOST_RECENT + 3
    (accepted,) = [call for call in bucket.calls if call.outcome is Outcome.ACCEPTED]
    assert (accepted.delivery, accepted.headers, accepted.client) == ("d1", ("x-sig", "x<U+202E>"), "203.0.113.9")
    assert "secret" not in accepted.body.replace("[secret removed]", "")
    assert bucket.tally.last[Outcome.REFUSED].reason == "The signature does not fit."


def call(outcome: Outcome, at: datetime) -> Call:
    return Call(at=at, outcome=outcome, status=401 if outcome is Outcome.REFUSED else 200, reason="why")


def test_the_tallies_of_gateways_are_one_and_those_of_yesterday_count_no_more() -> None:
    early, late = call(Outcome.REFUSED, NOW), call(Outcome.REFUSED, NOW + timedelta(seconds=1))
    one = Tally(day=NOW.date(), counts={Outcome.REFUSED: 2}, last={Outcome.REFUSED: early})
    two = Tally(day=NOW.date(), counts={Outcome.REFUSED: 3}, last={Outcome.REFUSED: late})
    old = Tally(day=NOW.date() - timedelta(days=1), counts={Outcome.REFUSED: 9}, last={Outcome.IGNORED: early})
    all_ = together([one, two, old], NOW.date())
    assert all_.counts == {Outcome.REFUSED: 5}
    assert all_.last == {Outcome.REFUSED: late, Outcome.IGNORED: early}
    assert [each.at for each in newest([early, late])] == [late.at, early.at]


def test_a_door_is_as_well_as_the_last_that_came() -> None:
    words: dict[str, Any] = dict.fromkeys(("id", "webhook", "event", "action", "delivery", "thread", "author"), "x")
    first = Delivery(seq=1, **words, at=NOW, task_id=None)
    count = DeliveryCount(webhook="builds", today=3, last=first)
    refused = call(Outcome.REFUSED, NOW + timedelta(minutes=1))
    tally = Tally(day=NOW.date(), counts={Outcome.REFUSED: 1}, last={Outcome.REFUSED: refused})
    assert _door("builds", "", None, None, problem="").health == "quiet"
    assert _door("builds", "", count, None, problem="").health == "well"
    refusing = _door("builds", "", count, tally, problem="")
    assert (refusing.health, refusing.last_refused, refusing.accepted_today) == ("refusing", refused, 3)
    assert _door("builds", "", None, tally, problem="").health == "refusing"
    ignored = Tally(
        day=NOW.date(), last={**tally.last, Outcome.IGNORED: call(Outcome.IGNORED, NOW + timedelta(hours=1))}
    )
    assert _door("builds", "", count, ignored, problem="").health == "well"
    assert _door("github", "", None, None, problem="It has no secret.").health == "not-set-up"
    assert _door("builds", "", count, None, problem="Disabled.", custom=True).health == "off"
