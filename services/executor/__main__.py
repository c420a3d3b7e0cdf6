"""The executor: wiring only."""

from __future__ import annotations

from services.executor.activities import Executing
from services.executor.actors import run as run_actor
from services.executor.reactions import FILTERS, react
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
    service = await Service.connect("executor", settings, timings)
    host = service.host(run_actor.DECIDER)
    service.react(react, FILTERS)
    runner = AgentRunner(settings, service.bus)
    service.told["sandbox"] = runner.confining.word
    agents = AgentActivity(settings, host, service.journal, runner)
    executing = Executing(settings, agents, service.artifacts, GatewayGit(service.bus), timings=timings)
    service.activity(
        "run", "evt.run.*.requested", executing.execute, slots=settings.max_concurrent_runs, give_up=executing.give_up
    )
    orphans = OrphanSweeper(settings, service.journal, ("run",), host.report, timings=timings)
    service.loop(orphans.run, drain=orphans.drain)
    await service.run()


def main(timings: Timings = PRODUCTION) -> None:
    """Entry point of the service."""
    run_service("executor", run, timings)


if __name__ == "__main__":
    main()
