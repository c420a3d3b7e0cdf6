"""Whatever is sent to the API: no 500, and each answer is one that the OpenAPI document has, in its shape."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from traceback import format_exception_only
from typing import Any, Final

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from shared.contracts import task
from shared.nats.bus import Bus
from testing.campaign_size import CampaignSize
from testing.door import BEARER
from testing.eventually import eventually
from testing.nats import Nats
from tests.integration.gateway.api_support import waiting_plan
from tests.integration.gateway.gateway_process import Gateway, ServiceProcess, happen

ALWAYS: Final[list[Any]] = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
LATER: Final = {503, 504}
"""What is said while a part of the system is away: documented, and no error of ours."""
UNBOUNDED: Final = {"/webhooks/{name}", "/webhooks/{name}/{key}"}
"""The document leaves open what senders send."""
IDS: Final = ("T1", "T2", "no such", "%00", "a/b", "ü", "x" * 300)


@pytest.fixture
async def api(
    nats_server: Nats, tmp_path: Path, gateway: Gateway, brain: ServiceProcess, bus: Bus
) -> AsyncIterator[str]:
    """The address of a gateway with everything that answers questions and takes commands, and two tasks."""
    await waiting_plan(bus, "T1", brain=brain)
    seq = await happen(bus, "T2", task.Submitted(title="other", text="y", source=task.Source(kind="api")))
    async with ServiceProcess("projector", nats_server.url, tmp_path / "projector"), gateway.http() as http:

        async def listed() -> bool:
            return (await http.get("/api/tasks", params={"min_seq": seq})).status_code == 200

        await eventually(listed, within=90)
        yield str(http.base_url)


async def test_whatever_is_sent_to_the_api_the_answer_is_one_of_its_document(api: str) -> None:
    await asyncio.to_thread(_every_operation, api, examples=3, number=1)


@pytest.mark.campaign
@pytest.mark.timeout(3600)
async def test_whatever_is_sent_to_the_api_in_many_runs(api: str, campaign_size: CampaignSize) -> None:
    await asyncio.to_thread(_every_operation, api, examples=campaign_size.pick(small=10, full=150), number=2)


def _every_operation(api: str, *, examples: int, number: int) -> None:
    """Each operation with data that its document allows, and with data that it does not."""
    told: Counter[str] = Counter()
    wrong: list[str] = []
    with httpx.Client(base_url=api, trust_env=False, timeout=60, headers=BEARER) as http:
        document = http.get("/schema/openapi.json").json()
    found: list[Any] = list(schemathesis.openapi.from_dict(document).get_all_operations())
    for operation in (each.ok() for each in found):
        if operation.path in UNBOUNDED:
            continue
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            # Nothing can be wrong with a request that has nothing but its path.
            if mode is GenerationMode.POSITIVE or len(operation.body) or len(operation.query):
                try:
                    _one_operation(operation, mode, api, examples, number, told)
                except (Exception, BaseExceptionGroup) as error:
                    wrong.append(f"{operation.label} ({mode}):\n{''.join(format_exception_only(error))}")
    print(dict(told))
    assert not wrong, "\n\n".join(wrong)
    assert told["2"] and told["4"]


def _one_operation(
    operation: Any,
    mode: GenerationMode,
    api: str,
    examples: int,
    number: int,
    told: Counter[str],
) -> None:
    @seed(number)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(generation_mode=mode), st.sampled_from(IDS))
    def every(case: Any, id: str) -> None:
        if case.path_parameters and "id" in case.path_parameters:
            case.path_parameters["id"] = id
        response = case.call(base_url=api, timeout=60, headers=dict(BEARER))
        assert response.status_code < 500 or response.status_code in LATER, response.text
        case.validate_response(response, checks=ALWAYS)
        told[str(response.status_code)[0]] += 1

    every()
