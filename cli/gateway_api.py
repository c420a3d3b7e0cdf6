"""What commands ask of the gateway's API, where only the gateway can answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx

PATIENCE_S = 30.0


def asked(
    method: str, path: str, body: dict[str, Any] | None = None, *, within_s: float = PATIENCE_S
) -> dict[str, Any]:
    """The answer of the gateway of the system that is acted on; raises `Failure` for every other one."""
    import httpx

    from cli.endpoint import find_endpoint
    from cli.failures import Failure

    endpoint, _ = find_endpoint()
    try:
        with httpx.Client(base_url=endpoint.http, timeout=within_s, trust_env=False) as http:
            answer = http.request(method, path, json=body, headers={"X-Journeyman": "1"})
    except httpx.HTTPError as error:
        raise Failure(f"The gateway at {endpoint.http} does not answer ({error}): check that it runs.") from error
    if answer.is_success:
        told: dict[str, Any] = answer.json()
        return told
    raise Failure(_problem(answer))


def _problem(answer: httpx.Response) -> str:
    try:
        told = answer.json()
    except ValueError:
        return f"The gateway answered {answer.status_code}."
    wrong = [f"{each['field']}: {each['message']}" for each in told.get("errors", ())]
    return " ".join([str(told.get("detail", answer.status_code)), *wrong])
