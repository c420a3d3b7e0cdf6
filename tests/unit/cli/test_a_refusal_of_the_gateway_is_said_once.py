"""What the gateway refuses is one sentence, and each field in it once."""

from __future__ import annotations

import httpx
from litestar.exceptions import ValidationException

from cli.gateway_api import refusal_of
from services.gateway.problems import problem_of


def refused(*wrong: tuple[str, str]) -> str:
    error = ValidationException(extra=[{"key": key, "message": message} for key, message in wrong])
    return str(refusal_of(httpx.Response(400, content=problem_of(error).body("/api/webhooks"))))


def test_one_wrong_field_is_said_once() -> None:
    assert refused(("name", "Expected `str`")) == "The request does not fit: name: Expected `str`."


def test_further_ones_follow() -> None:
    said = refused(("name", "Expected `str`"), ("repo", "too long"), ("agent", "too long"))
    assert said == "The request does not fit: name: Expected `str`. Also: repo: too long; agent: too long."
