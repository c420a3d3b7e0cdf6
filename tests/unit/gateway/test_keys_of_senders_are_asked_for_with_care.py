from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable

import httpx
import pytest

from services.gateway.custom import sender_keys
from services.gateway.custom.sender_keys import AGAIN_S, KEPT_S, MAX_BYTES, KeysUnavailable, SenderKeys

URL = "https://keys.example/jwks.json"


class There:
    """A sender's address that answers as a test says, and counts."""

    def __init__(self, answer: Callable[[httpx.Request], httpx.Response]) -> None:
        self.asked: list[httpx.Request] = []
        self.now = 0.0
        self.addresses = ["203.0.114.7"]
        self._answer = answer

    def keys(self, *own_hosts: str) -> SenderKeys:
        return SenderKeys(
            own_hosts, resolve=self._resolve, transport=httpx.MockTransport(self._handle), clock=lambda: self.now
        )

    async def _resolve(self, host: str, port: int) -> list[str]:
        return self.addresses

    def _handle(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        return self._answer(request)


def having(*kids: str) -> Callable[[httpx.Request], httpx.Response]:
    body = {"keys": [{"kid": kid, "kty": "RSA"} for kid in kids] + [{"kid": "e", "use": "enc"}, "nonsense"]}
    return lambda _: httpx.Response(200, stream=_Body(json.dumps(body).encode()))


class _Body(httpx.AsyncByteStream):
    def __init__(self, *parts: bytes) -> None:
        self.parts = parts

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self.parts:
            yield part


async def test_keys_are_kept_and_read_again_for_an_unknown_one_but_seldom() -> None:
    there = There(having("k1"))
    keys = there.keys()
    found = await asyncio.gather(*(keys.of(URL, "k1") for _ in range(20)))
    assert [key["kid"] for key in found[0]] == ["k1"] and len(there.asked) == 1
    for at, asked in ((AGAIN_S / 2, 1), (AGAIN_S + 1, 2), (AGAIN_S + 2, 2)):
        there.now = at
        await keys.of(URL, "rotated")
        assert len(there.asked) == asked
    there.now += KEPT_S - 1
    await keys.of(URL, "k1")
    assert len(there.asked) == 2
    there.now += 2
    await keys.of(URL, "k1")
    assert len(there.asked) == 3


async def test_the_host_that_was_looked_up_is_the_one_that_is_asked() -> None:
    there = There(having("k1"))
    await there.keys().of("https://keys.example:8443/jwks.json", None)
    (request,) = there.asked
    assert (request.url.host, request.headers["host"]) == ("203.0.114.7", "keys.example:8443")
    assert request.extensions["sni_hostname"] == "keys.example"


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.8",
        "192.168.1.1",
        "169.254.169.254",
        "::1",
        "fe80::1%eth0",
        "::ffff:10.0.0.1",
        "0.0.0.0",
        "64:ff9b::a00:8",
        "2002:a00:8::1",
    ],
)
async def test_nothing_inside_of_our_own_network_is_asked_unless_the_operator_says_so(address: str) -> None:
    there = There(having("k1"))
    there.addresses = ["203.0.114.7", address]
    with pytest.raises(KeysUnavailable, match="JOURNEYMAN_JWKS_HOSTS"):
        await there.keys("other.example").of(URL, None)
    assert there.asked == []
    assert await there.keys("Keys.Example").of(URL, None)


@pytest.mark.parametrize(
    "answer",
    [
        lambda _: httpx.Response(302, headers={"Location": "https://169.254.169.254/"}),
        lambda _: httpx.Response(500),
        lambda _: httpx.Response(200, stream=_Body(*[b"x" * 65536] * 1_600)),
        lambda _: httpx.Response(200, stream=_Body(b"[]")),
        lambda _: httpx.Response(200, stream=_Body(b'{"keys": {}}')),
        lambda _: httpx.Response(200, stream=_Body(b"[" * 5_000)),
        lambda _: httpx.Response(200, stream=_Body(b"\xff")),
    ],
    ids=["redirects", "fails", "100 MB", "no object", "no list", "deep", "no UTF-8"],
)
async def test_an_answer_without_keys_is_not_followed_nor_read_to_its_end_nor_asked_for_again_at_once(
    answer: Callable[[httpx.Request], httpx.Response],
) -> None:
    there = There(answer)
    keys = there.keys()
    for _ in range(3):
        with pytest.raises(KeysUnavailable):
            await keys.of(URL, "k1")
    assert len(there.asked) == 1 and MAX_BYTES < 1_000_000


async def test_an_answer_that_never_ends_is_given_up_and_the_keys_of_before_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sender_keys, "WAIT_S", 0.05)

    class Hangs(_Body):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            while True:
                await asyncio.sleep(0.01)
                yield b" "

    answers = [having("k1")]
    there = There(lambda request: answers[-1](request))
    keys = there.keys()
    await keys.of(URL, "k1")
    answers.append(lambda _: httpx.Response(200, stream=Hangs()))
    there.now = KEPT_S + 1
    assert [key["kid"] for key in await keys.of(URL, "k1")] == ["k1"]
    with pytest.raises(KeysUnavailable):
        await there.keys().of(URL, "k1")


@pytest.mark.parametrize("url", ["http://keys.example/", "https://me:secret@keys.example/", "https://", "https://[::1"])
async def test_an_address_that_is_none_to_ask_is_refused(url: str) -> None:
    there = There(having("k1"))
    with pytest.raises(KeysUnavailable):
        await there.keys().of(url, None)
    assert there.asked == []
