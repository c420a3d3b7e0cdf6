"""The planner: wiring only."""

from __future__ import annotations

from services.planner.activities import Drafting
from services.planner.actors import plan
from services.planner.reactions import FILTERS, react
from shared.claude.agent_activity import AgentActivity
from shared.claude.orphans import OrphanSweeper
from shared.claude.runner import AgentRunner
from shared.ops.settings import Settings
from shared.ops.timings import PRODUCTION, Timings
from shared.runtime.service import Service
from shared.runtime.service import main as run_service
from shared.workspace.gateway_git import GatewayGit


async def run(settings: Settings, timings: Timings) -> None:
    """Connect, register, run."""
    service = await Service.connect("planner", settings, timings)
    host = service.host(plan.DECIDER)
    service.react(react, FILTERS)
    runner = AgentRunner(settings, service.bus)
    service.told["sandbox"] = runner.confining.word
    agents = AgentActivity(settings, host, service.journal, runner)
    drafting = Drafting(settings, agents, GatewayGit(service.bus))
    service.activity(
        "draft",
        "evt.plan.*.drafting-started",
        drafting.draft,
        slots=settings.max_concurrent_plans,
        give_up=drafting.give_up,
    )
    orphans = OrphanSweeper(settings, service.journal, ("plan",), host.report, timings=timings)
    service.loop(orphans.run, drain=orphans.drain)
    await service.run()


def main(timings: Timings = PRODUCTION) -> None:
    """Entry point of the service."""
    run_service("planner", run, timings)


if __name__ == "__main__":
    main()
