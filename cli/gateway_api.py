"""What commands ask of the gateway's API, where only the gateway can answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

    from cli.endpoint import Endpoint

PATIENCE_S = 30.0


def asked(
    method: str, path: str, body: dict[str, Any] | None = None, *, within_s: float = PATIENCE_S
) -> dict[str, Any]:
    """The answer of the gateway of the system that is acted on; raises `Failure` for every other one."""
    from cli.endpoint import find_endpoint

    endpoint, _ = find_endpoint()
    return asked_at(
        endpoint.http, method, path, body, token=token_of(endpoint), within_s=within_s, certificate=endpoint.certificate
    )


def token_of(endpoint: Endpoint) -> str:
    """What lets us in there: the token that we logged in by, or that of this machine; empty where there is none."""
    from shared.ops.machine_token import read_machine_token

    if endpoint.token:
        return endpoint.token
    machine = read_machine_token(endpoint.data)
    return "" if machine is None else machine.token


def token_at(http: str, endpoint: Endpoint) -> str:
    """What lets us in at an address: that of the system that is acted on where it is its, else that of a context, else
    that of a system of this machine; empty where there is none. No token is shown to another address than its own.
    """
    from cli import contexts
    from cli.endpoint import data_of_dashboard, same_dashboard
    from shared.ops.machine_token import read_machine_token

    if same_dashboard(http, endpoint.http):
        return token_of(endpoint)
    for context in contexts.read().named.values():
        if context.token and same_dashboard(http, context.http):
            return context.token
    data = data_of_dashboard(http)
    machine = None if data is None else read_machine_token(data)
    return "" if machine is None else machine.token


def asked_at(
    http: str,
    method: str,
    path: str,
    body: dict[str, Any] | None = None,
    *,
    token: str = "",
    within_s: float = PATIENCE_S,
    certificate: Path | None = None,
) -> dict[str, Any]:
    """The same of the gateway at an address, known by its ``certificate`` where it runs here.

    Raises `Failure` for every other answer.
    """
    import httpx

    from cli.failures import Failure
    from shared.ops.certificate import trust_in

    headers = {"X-Journeyman": "1"} | ({"Authorization": f"Bearer {token}"} if token else {})
    try:
        with httpx.Client(base_url=http, timeout=within_s, trust_env=False, verify=trust_in(certificate)) as client:
            answer = client.request(method, path, json=body, headers=headers)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Failure(f"The gateway at {http} does not answer ({error}): check that it runs.") from error
    if answer.is_success:
        told: dict[str, Any] = answer.json()
        return told
    raise refusal_of(answer)


def refusal_of(answer: httpx.Response) -> Exception:
    """What the gateway has against it, as a `Failure`; the mend where nobody here is logged in."""
    from cli.failures import Failure

    try:
        told = answer.json()
    except ValueError:
        return Failure(f"The gateway answered {answer.status_code}.")
    if told.get("code") in ("not-logged-in", "token-wrong"):
        return Failure(
            "You are not logged in there: `journeyman login` takes a link or a token. Who may read the data directory "
            "of the gateway needs neither: name that with --data."
        )
    detail = str(told.get("detail", answer.status_code))
    wrong = [f"{each['field']}: {each['message']}" for each in told.get("errors", ())]
    others = [each for each in wrong if each not in detail]  # the sentence has the first one
    return Failure(f"{detail} Also: {'; '.join(others)}." if others else detail)
