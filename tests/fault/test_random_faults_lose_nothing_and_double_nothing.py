"""What `make chaos` does: the same campaign, with few faults."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.chaos.campaign import campaign
from bench.chaos.faults import Kind
from bench.chaos.options import Options
from testing.campaign_size import CampaignSize

SEED = 5549
"""Its first four faults kill the brain, an agent and NATS, and lose acknowledgements."""


@pytest.mark.campaign
@pytest.mark.timeout(1500)
@pytest.mark.xdist_group("fault")
async def test_random_faults_lose_nothing_and_double_nothing(tmp_path: Path, campaign_size: CampaignSize) -> None:
    faults = campaign_size.pick(small=4, full=40)
    terms = Options(seed=SEED, minutes=10, questions=0.6, at_once=12, per_s=2, rest_s=0.5, most_faults=faults)
    done = await campaign(terms, tmp_path / "system", print)
    assert not done.verdict.problems, "\n".join(done.verdict.problems)
    assert (done.verdict.lost, done.verdict.doubled) == (0, 0)
    # How many come while the faults are done is a matter of how soon the system recovers from them.
    assert done.verdict.completed == done.verdict.accepted > 0
    assert done.deliveries >= 2 * done.verdict.accepted, "each was delivered twice"
    struck = {blow.name for blow in done.blows}
    assert struck >= {Kind.AGENT, Kind.NATS, Kind.ACKS}
    assert any(name.startswith(Kind.KILL) and name not in list(Kind) for name in struck)
