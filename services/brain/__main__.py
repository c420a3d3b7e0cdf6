"""The brain: wiring only."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from services.brain.activities import Triage
from services.brain.actors import session, task, user, webhook
from services.brain.conversation.answering import Answering
from services.brain.conversation.tools import Looks, Proposals
from services.brain.policy import ReactionPolicy
from services.brain.reactions import FILTERS, reactions
from services.brain.repositories import repository_check
from services.brain.reviewing import Reviewing
from services.brain.timers import FILTERS as SET_BY
from services.brain.timers import timers
from shared.claude.agent_activity import AgentActivity
from shared.claude.orphans import OrphanSweeper
from shared.claude.runner import AgentRunner
from shared.claude.tools.server import Tool
from shared.contracts.session import Asked
from shared.contracts.task import Approval
from shared.event_store.envelope import RecordedEvent
from shared.nats.objects import Artifacts
from shared.ops.settings import Settings
from shared.ops.timings import PRODUCTION, Timings
from shared.runtime.service import Service
from shared.runtime.service import main as run_service
from shared.workspace.gateway_git import GatewayGit


async def run(settings: Settings, timings: Timings) -> None:
    """Connect, register, run."""
    service = await Service.connect("brain", settings, timings)
    host = service.host(
        *(task.DECIDER, session.DECIDER, webhook.DECIDER, user.DECIDER), check=repository_check(settings.config_path)
    )
    policy = ReactionPolicy(
        approval=Approval(settings.approval),
        approval_timeout_s=settings.approval_timeout_hours * 3600,
        review_silence_s=timings.review_silence_s,
        review_settles_s=timings.review_settles_s,
        checks_settle_s=timings.checks_settle_s,
    )
    service.react(reactions(policy), FILTERS)
    service.keep_time(host, partial(timers, policy=policy), SET_BY)
    runner = AgentRunner(settings, service.bus)
    service.told["sandbox"] = runner.confining.word
    agents = AgentActivity(settings, host, service.journal, runner)
    triage = Triage(settings, agents, policy, GatewayGit(service.bus))
    service.activity(
        "triage",
        "evt.task.*.triage-requested",
        triage.triage,
        slots=settings.max_concurrent_triages,
        give_up=triage.give_up,
    )
    reviewing = Reviewing(settings, agents, policy, GatewayGit(service.bus))
    service.activity(
        "review",
        "evt.task.*.review-requested",
        reviewing.review,
        slots=settings.max_concurrent_reviews,
        give_up=reviewing.give_up,
    )
    artifacts = Artifacts(service.bus)
    looks = Looks(settings, service.client, artifacts, GatewayGit(service.bus))

    def tools(started: RecordedEvent, attempt: int, asked: Asked) -> Sequence[Tool]:
        return (*looks.tools(), *Proposals(looks, host.report, started, attempt, asked).tools())

    answering = Answering(settings, agents, artifacts, tools)
    service.activity(
        "answer",
        "evt.session.*.answer-started",
        answering.answer,
        slots=settings.max_concurrent_answers,
        give_up=answering.give_up,
    )
    orphans = OrphanSweeper(settings, service.journal, ("task", "session"), host.report, timings=timings)
    service.loop(orphans.run, drain=orphans.drain)
    await service.run()


def main(timings: Timings = PRODUCTION) -> None:
    """Entry point of the service."""
    run_service("brain", run, timings)


if __name__ == "__main__":
    main()
