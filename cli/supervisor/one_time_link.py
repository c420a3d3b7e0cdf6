"""The link by which whoever has started a system logs in at its dashboard."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Final

import httpx

from shared.ops.certificate import trust_in
from shared.ops.machine_token import read_machine_token

WITHIN_S: Final = 15.0
"""The brain makes the first admin known a moment after everything is ready."""
AGAIN_S: Final = 0.1


async def one_time_link(http: str, data: Path, certificate: Path | None = None) -> str | None:
    """A link for the person of this machine's token; None where they may let nobody in, or it takes too long.

    ``certificate`` is the one that the gateway is known by.
    """
    until = time.monotonic() + WITHIN_S
    async with httpx.AsyncClient(
        base_url=http, timeout=WITHIN_S, trust_env=False, verify=trust_in(certificate)
    ) as gateway:
        while time.monotonic() < until:
            machine = read_machine_token(data)
            if machine is None:
                return None
            try:
                answer = await gateway.post(
                    f"/api/users/{machine.name}/link",
                    headers={"Authorization": f"Bearer {machine.token}", "X-Journeyman": "1"},
                )
            except httpx.HTTPError:
                return None
            if answer.is_success:
                return str(answer.json()["url"])
            if answer.status_code not in (404, 503, 504):
                return None
            await asyncio.sleep(AGAIN_S)
    return None
