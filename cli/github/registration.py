"""Making the App: a page on this machine sends the browser to GitHub, which sends it back with a code for its key.

GitHub gives the key out once. Only this machine reaches the page, and only with the secret in its address; a code
counts only with the state that went to GitHub.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import html
import json
import secrets
from typing import Final
from urllib.parse import parse_qs, quote, urlsplit

from cli.github.manifest import manifest, registration_url
from services.gateway.github.answers import Manifested
from services.gateway.github.site import site_of
from services.gateway.github.transport import Transport

_PAGE: Final = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Journeyman</title>
<style>
body{{font:16px/1.5 system-ui;max-width:34rem;margin:4rem auto;padding:0 1rem}}
button{{font:inherit;padding:.5rem 1rem}}
</style>
<h1>{title}</h1>{body}</html>"""
_MAX_HEAD: Final = 16 * 1024


class Registration:
    """One App to be made. Enter it, open ``url`` in a browser, and wait for `made`."""

    def __init__(self, transport: Transport, api_url: str, *, name: str, public_url: str, organization: str) -> None:
        self._transport = transport
        self._site = site_of(api_url)
        self._name = name
        self._public_url = public_url
        self._organization = organization
        self._state = secrets.token_urlsafe(24)
        self._entry = secrets.token_urlsafe(24)
        self._made: asyncio.Future[Manifested] = asyncio.get_running_loop().create_future()
        self._asking = False
        self.port = 0

    @property
    def url(self) -> str:
        """The page to open."""
        return f"http://127.0.0.1:{self.port}/{self._entry}"

    async def __aenter__(self) -> Registration:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=_MAX_HEAD)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def made(self) -> Manifested:
        """The App and its secrets, once somebody has made it. Raises a `GitHubError` where GitHub does not give it."""
        return await self._made

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(
                ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError, ValueError
            ):
                async with asyncio.timeout(30):
                    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                    method, target, _ = head[0].split(" ")
                    hosts = [line.partition(":")[2].strip() for line in head[1:] if line.lower().startswith("host:")]
                    # Another name that leads to this machine is a page of somebody else's.
                    mine = hosts == [f"127.0.0.1:{self.port}"] and method == "GET"
                    status, title, body = await self._answer(target) if mine else _nothing()
                    writer.write(self._http(status, _PAGE.format(title=title, body=body)))
                    await writer.drain()
        finally:
            writer.close()

    async def _answer(self, target: str) -> tuple[int, str, str]:
        parts = urlsplit(target)
        if _same(parts.path, f"/{self._entry}"):
            return 200, "One click, then GitHub asks you", self._form()
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path == "/made" and _same(query.get("state", ""), self._state) and query.get("code"):
            return await self._exchange(query["code"])
        return _nothing()

    def _form(self) -> str:
        redirect = f"http://127.0.0.1:{self.port}/made"
        asked = manifest(self._name, homepage=self._site, public_url=self._public_url, redirect_url=redirect)
        action = registration_url(self._site, self._organization, self._state)
        return (
            f'<form method="post" action="{html.escape(action)}">'
            f'<input type="hidden" name="manifest" value="{html.escape(json.dumps(asked))}">'
            "<p>GitHub shows what the App may do, and asks for its name.</p>"
            "<button>Make the App on GitHub</button></form>"
        )

    async def _exchange(self, code: str) -> tuple[int, str, str]:
        if self._asking:
            return 200, "The App is made", "<p>Go back to the terminal.</p>"
        self._asking = True
        try:
            path = f"/app-manifests/{quote(code, safe='')}/conversions"
            made = await self._transport.ask(Manifested, "POST", path, authorization="", account="app")
        except Exception as error:
            self._made.set_exception(error)
            return 502, "GitHub did not give out the App", "<p>The terminal says why.</p>"
        self._made.set_result(made)
        return 200, "The App is made", "<p>Go back to the terminal: it says what is left to do.</p>"

    def _http(self, status: int, page: str) -> bytes:
        body = page.encode()
        policy = f"default-src 'none'; style-src 'unsafe-inline'; form-action {self._site}; frame-ancestors 'none'"
        lines = [
            f"HTTP/1.1 {status} -",
            "content-type: text/html; charset=utf-8",
            f"content-length: {len(body)}",
            f"content-security-policy: {policy}",
            "referrer-policy: no-referrer",
            "cache-control: no-store",
            "connection: close",
        ]
        return "\r\n".join([*lines, "", ""]).encode() + body


def _nothing() -> tuple[int, str, str]:
    return 404, "There is nothing here", "<p>Open the address that the terminal shows.</p>"


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())
