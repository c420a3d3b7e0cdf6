from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest

from services.gateway.custom.examples import example_body, example_call, signed
from services.gateway.custom.paths import find
from services.gateway.custom.verification import verify
from services.gateway.inbound.sender import Incoming
from shared.contracts.webhook import Definition, Paths, Scheme, Verification

SECRETS = {Scheme.STANDARD: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}
HOSTILE = """it's "$(touch /tmp/owned)" `id` \\ !"""
WAYS = [
    Verification(scheme=Scheme.HMAC, header="X-Sig", prefix="sha256="),
    Verification(scheme=Scheme.HMAC, header="X-Sig", prefix=HOSTILE, algorithm="sha512", encoding="base64"),
    Verification(scheme=Scheme.BEARER),
    Verification(scheme=Scheme.BEARER, header="X-Token", prefix=HOSTILE),
    Verification(scheme=Scheme.BASIC, username=HOSTILE),
    Verification(scheme=Scheme.STANDARD),
    Verification(scheme=Scheme.JWT, audience=HOSTILE, issuer="us"),
    Verification(scheme=Scheme.JWT),
    Verification(scheme=Scheme.NONE),
]


@pytest.fixture(scope="module")
def heard() -> Iterator[tuple[str, list[Incoming]]]:
    """A server's address, and what it has heard."""
    told: list[Incoming] = []

    class Hear(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            told.append(Incoming(webhook=self.path, headers=headers, body=body, client=self.client_address[0]))
            self.send_response(202)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Hear)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", told
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("how", WAYS, ids=lambda how: f"{how.scheme}{' hostile' if HOSTILE in str(how) else ''}")
def test_the_command_that_is_shown_is_accepted_when_it_is_pasted_in_a_shell(
    how: Verification, heard: tuple[str, list[Incoming]]
) -> None:
    for program in ("bash", "curl", "openssl", "od"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not here")
    address, told = heard
    secret = SECRETS.get(how.scheme, """a "secret" of $ours, it's long enough""")
    body = json.dumps({"title": HOSTILE, "ü": [1]}, ensure_ascii=False)
    call = example_call("deploys", Definition(verification=how), address, body)
    assert secret not in call
    environment = {"PATH": os.environ["PATH"], "SECRET": secret, "NO_PROXY": "*"}
    ran = subprocess.run(["bash", "-c", call], env=environment, capture_output=True, text=True, timeout=30, check=True)
    assert "202" in ran.stdout, ran.stderr
    assert told[-1].webhook == "/webhooks/deploys" and told[-1].body == body.encode()
    verify(how, told[-1], [secret.encode()])


@pytest.mark.parametrize("how", WAYS, ids=str)
def test_what_we_sign_ourselves_counts(how: Verification) -> None:
    secret = SECRETS.get(how.scheme, "a secret of ours, long enough for a JWT").encode()
    headers = {name.lower(): value for name, value in signed(how, b"{}", secret).items()}
    verify(how, Incoming(webhook="deploys", headers=headers, body=b"{}", client="127.0.0.1"), [secret])


def test_a_body_is_made_in_which_plain_paths_find_something_and_plain_filters_hold() -> None:
    definition = Definition(
        verification=Verification(scheme=Scheme.NONE),
        paths=Paths(id="build.id", title="build.name", thing="build.branch", text="join(', ', lines)", url="build.url"),
        filters=("status == 'failed' && build.branch == 'main'", "build.failed", "length(@) > `0`"),
        repo="octo/app",
    )
    found = find(definition, json.dumps(example_body(definition, id="42")).encode())
    assert (found.failed, found.id, found.title, found.thing) == ("", "42", "A test", "main")
    empty = Definition(verification=definition.verification, filters=("a.b", "a == 'x'", "contains(a, 'b')"))
    assert example_body(empty) == {"a": {"b": True}}
