"""The gateway's web application in memory, with the people of a `House` before its door."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any, Final, cast

import httpx

from services.gateway.app import Parts, create_app
from services.gateway.web import Web
from shared.nats.bus import Bus
from shared.nats.pulse import Pulse
from shared.ops.settings import load_settings
from testing.people import House

OWN: Final = {"Host": "127.0.0.1:8080", "X-Journeyman": "1"}
ADDRESS: Final = "http://127.0.0.1:8080"
COOKIE: Final = "journeyman-8080"


class Doorstep:
    """The web application with a door, and behind its routes these parts alone: who gets through to others fails."""

    def __init__(self, house: House, **parts: Any) -> None:
        self.house = house
        nothing: dict[str, Any] = {field.name: None for field in fields(Parts)}
        there = {"settings": load_settings({}), "door": house.door, "people": house.people, "web": Web(Path("nowhere"))}
        there |= {"people_commands": house.commands, "pulse": Pulse(cast(Bus, None))}
        app: Any = create_app(Parts(**nothing | there | parts))
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        self.http = httpx.AsyncClient(transport=transport, base_url=ADDRESS, headers=OWN)

    async def code(self, method: str, path: str, **headers: str) -> str:
        """The problem's code, or the status of what is no problem."""
        answer = await self.http.request(method, f"{ADDRESS}{path}", headers=headers)
        told = answer.headers["content-type"].startswith("application/problem+json")
        return str(answer.json()["code"]) if told else str(answer.status_code)
