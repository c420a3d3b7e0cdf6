"""What README, the page of the API and that of proxies tell an operator to do is done, against a system that runs."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Final

import httpx
import pytest
import websockets

from testing.api_client import ApiClient
from testing.eventually import eventually
from testing.nats import free_port
from testing.nats_logins import Authority
from testing.programs import NO_PROXY
from testing.system import JOURNEYMAN, System

pytestmark = pytest.mark.xdist_group("system")

ROOT: Final = Path(__file__).resolve().parents[2]
WITHIN_S: Final = 120.0


async def bash(script: str, folder: Path, system: System, given: bytes = b"") -> str:
    """What a shell puts out, with `journeyman` on the path and this system chosen; fails where a command does."""
    environment = {
        "PATH": f"{JOURNEYMAN.parent}:{os.environ['PATH']}",
        "HOME": str(folder),
        "JOURNEYMAN_URL": system.nats,
        "TERM": "dumb",
    }
    process = await asyncio.create_subprocess_exec(
        *("bash", "-euo", "pipefail", "-c", script),
        env=environment,
        cwd=folder,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(given), WITHIN_S)
    assert process.returncode == 0, f"{script}\n{out.decode()}\n{err.decode()}"
    return out.decode()


async def test_the_page_of_the_api_is_followed(system: System, tmp_path: Path) -> None:
    if shutil.which("jq") is None or shutil.which("curl") is None:
        pytest.skip("curl or jq is missing: `apt-get install curl jq`")
    page = (ROOT / "docs" / "http-api.md").read_text().replace("http://127.0.0.1:8080", system.http)
    blocks = re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
    said = await bash("\n".join(blocks), tmp_path, system)
    assert "task.approved" in said
    assert '"status": "completed"' in said
    assert "diff --git" in said
    assert '"code": "not-found"' in said
    assert '"status": 400' in said


async def test_readmes_commands_are_followed(system: System, api_client: ApiClient, tmp_path: Path) -> None:
    readme = (ROOT / "README.md").read_text()
    submit = re.findall(r"`\.venv/bin/(journeyman task submit [^`]*) --wait`", readme)[0]
    approve, follow_up = (
        re.findall(rf"`(journeyman task {verb} ID[^`]*)`", readme)[0] for verb in ("approve", "follow-up")
    )
    logs, diff = (f"journeyman {each}" for each in re.findall(r"`(task (?:logs|diff) ID[^`]*)`", readme))

    id = (await bash(submit, tmp_path, system)).strip()
    await api_client.until(id, "task.plan-ready")
    await bash(approve.replace("ID", id), tmp_path, system, b"y\n")
    assert "assistant" in await bash(f"{logs.replace('ID', id)} --json", tmp_path, system)
    await api_client.completed(id)
    assert "diff --git" in await bash(diff.replace("ID", id), tmp_path, system)
    await bash(follow_up.replace("ID", id), tmp_path, system)
    assert "followed-up" in [event.name for event in await api_client.story(id)]
    await api_client.say(id, "stop")


@contextlib.asynccontextmanager
async def running(*command: str, port: int, folder: Path) -> AsyncIterator[None]:
    """A program, once it listens on the port."""
    with (folder / "proxy.log").open("wb") as told:
        process = await asyncio.create_subprocess_exec(
            *command, env={**os.environ, "HOME": str(folder)}, stdout=told, stderr=told
        )

    async def listens() -> bool:
        assert process.returncode is None, (folder / "proxy.log").read_text()
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return True
        return False

    try:
        await eventually(listens)
        yield
    finally:
        process.terminate()
        await process.wait()


def nginx(folder: Path, system: System, cert: Path, key: Path, port: int) -> list[str]:
    hashed = subprocess.run(["openssl", "passwd", "-apr1", "s3cret"], capture_output=True, text=True, check=True).stdout
    (folder / "htpasswd").write_text(f"ada:{hashed}")
    server = (ROOT / "deploy" / "proxy" / "nginx.conf").read_text()
    for old, new in {
        "/etc/ssl/journeyman/cert.pem": str(cert),
        "/etc/ssl/journeyman/key.pem": str(key),
        "/etc/nginx/journeyman.htpasswd": str(folder / "htpasswd"),
        "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
        "http://127.0.0.1:8080": system.http,
    }.items():
        assert old in server
        server = server.replace(old, new)
    paths = "".join(
        f"{name}_temp_path {folder / name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;\n" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(
        f"{user}daemon off;\npid {folder / 'pid'};\nerror_log stderr;\nevents {{}}\n"
        f"http {{\naccess_log off;\n{paths}{server}\n}}\n"
    )
    return ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")]


def caddy(folder: Path, system: System, cert: Path, key: Path, port: int) -> list[str]:
    hashed = subprocess.run(
        ["caddy", "hash-password", "--plaintext", "s3cret"], capture_output=True, text=True, check=True
    ).stdout.strip()
    site = (ROOT / "deploy" / "proxy" / "Caddyfile").read_text()
    for old, new in {
        "\njourneyman.example.com {": f"\nhttps://127.0.0.1:{port} {{\n\ttls {cert} {key}",
        "<hash>": hashed,
        "reverse_proxy 127.0.0.1:8080": f"reverse_proxy {system.http.removeprefix('http://')}",
    }.items():
        assert old in site
        site = site.replace(old, new)
    (folder / "Caddyfile").write_text(f"{{\n\tadmin off\n\tauto_https disable_redirects\n}}\n{site}")
    return ["caddy", "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]


@pytest.mark.parametrize("proxy", [nginx, caddy])
async def test_a_proxy_asks_people_for_a_password_and_lets_webhooks_and_live_pages_through(
    system: System, tmp_path: Path, proxy: Callable[[Path, System, Path, Path, int], list[str]]
) -> None:
    if shutil.which(proxy.__name__, path=f"{os.environ['PATH']}:/usr/sbin") is None:
        pytest.skip(NO_PROXY)
    authority, port = Authority(tmp_path / "authority"), free_port()
    command = proxy(tmp_path, system, *authority.signs("proxy"), port)
    trust = ssl.create_default_context(cafile=str(authority.ca))
    here = f"https://127.0.0.1:{port}"
    async with (
        running(*command, port=port, folder=tmp_path),
        httpx.AsyncClient(base_url=here, verify=trust, timeout=60) as http,
    ):
        assert (await http.get("/api/status")).status_code == 401
        ada = httpx.BasicAuth("ada", "s3cret")
        assert (await http.get("/api/status", auth=ada)).json()["services"]
        unsigned = await http.post("/webhooks/github", content=b"{}", headers={"Content-Type": "application/json"})
        assert unsigned.json()["code"].startswith("signature"), "our own refusal, not the proxy's"
        large = await http.post("/webhooks/github", content=b" " * 2_000_000)
        assert large.status_code != 413
        basic = {
            "Authorization": next(ada.auth_flow(httpx.Request("GET", here))).headers["Authorization"],
            "Origin": here,
        }
        async with websockets.connect(f"wss://127.0.0.1:{port}/ws", ssl=trust, additional_headers=basic) as socket:
            await socket.send('{"type":"ping"}')
            assert '"pong"' in str(await asyncio.wait_for(socket.recv(), 30))
