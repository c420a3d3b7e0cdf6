"""The composed system in memory: every decider, every reaction, one task; activities and people are the test's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from msgspec.structs import replace

from cli.fold import DECIDERS
from services.brain.policy import ReactionPolicy
from services.brain.reactions import reactions
from services.brain.timers import timers
from services.executor.actors import run as run_actor
from services.executor.reactions import react as executor_react
from services.gateway.reactions import reactions as gateway_reactions
from services.planner.reactions import react as planner_react
from shared.contracts import plan, reply, run, session, task
from shared.contracts.decider import Rejected
from shared.contracts.kinds import kind_of
from shared.contracts.messages import ArtifactRef, Command, Event, TimedCommand, name_of
from shared.contracts.usage import ModelUsage, add_usage
from shared.event_store.envelope import RecordedEvent
from testing.recorded import TASK_ID, recorded

SESSION_ID: Final = "session-1"
BUNDLE: Final = ArtifactRef(name="bundle", sha256="0" * 64, size=1)
QUIET_WITHIN: Final = 100
"""Rounds after which a world that still moves counts as one that never rests."""


def _initial() -> dict[str, Any]:
    return {kind: decider.initial for kind, decider in DECIDERS.items()}


@dataclass
class InMemorySystem:
    """One task with its plan, run, reply and session, the log of their events, and four reactors reading it."""

    policy: ReactionPolicy = field(default_factory=ReactionPolicy)
    states: dict[str, Any] = field(default_factory=_initial)
    log: list[RecordedEvent] = field(default_factory=list)
    heard: Counter[str] = field(default_factory=Counter)
    spent: tuple[ModelUsage, ...] = ()
    refusals: set[str] = field(default_factory=set)

    def copy(self) -> InMemorySystem:
        """The same moment, to go on from in another way."""
        return InMemorySystem(
            self.policy, dict(self.states), list(self.log), Counter(self.heard), self.spent, set(self.refusals)
        )

    @property
    def task(self) -> task.Task:
        state: task.Task = self.states["task"]
        return state

    @property
    def plan(self) -> plan.Plan:
        state: plan.Plan = self.states["plan"]
        return state

    @property
    def run(self) -> run.Run:
        state: run.Run = self.states["run"]
        return state

    @property
    def reply(self) -> reply.Reply:
        state: reply.Reply = self.states["reply"]
        return state

    @property
    def session(self) -> session.Session:
        state: session.Session = self.states["session"]
        return state

    @property
    def timers(self) -> list[TimedCommand]:
        """Every timer that was ever set, oldest first; each may come due now, late, or again."""
        return [command for event in self.log for command in timers(event, self.policy)]

    def events_of(self, kind: str) -> list[Event]:
        """One actor's facts, oldest first."""
        return [each.data for each in self.log if each.kind == kind]

    def tell(self, command: Command) -> Event | None:
        """Decide on a command and keep its event. Raises `Rejected` as the decider does."""
        kind = kind_of(command)
        event = DECIDERS[kind].decide(self.states[kind], command)
        if event is not None:
            # A place's whole spend adds what was not known of it.
            told = event if name_of(command) == "record-spend" else command
            self.spent = add_usage(self.spent, getattr(told, "usage", ()))
            self.keep(event)
        return event

    def tell_or_refuse(self, command: Command) -> Event | None:
        """The same; a refusal is remembered by its code."""
        try:
            return self.tell(command)
        except Rejected as refusal:
            self.refusals.add(refusal.code)
            return None

    def keep(self, event: Event) -> None:
        """Append an event and fold it."""
        kind = kind_of(event)
        made = recorded(
            event,
            id=SESSION_ID if kind == "session" else TASK_ID,
            sequence=1 + len(self.events_of(kind)),
            position=1 + len(self.log),
        )
        self.log.append(replace(made, time=made.time + timedelta(seconds=made.position)))
        self.states[kind] = DECIDERS[kind].evolve(self.states[kind], event)

    def react(self, service: str, event: RecordedEvent) -> None:
        """Let one service react to one event, for the first time or again."""
        for command in self._reactors()[service](event):
            self.tell_or_refuse(command)

    def deliver(self, service: str) -> bool:
        """Hand a service the next event of the log; False when it has read all."""
        if self.heard[service] == len(self.log):
            return False
        self.heard[service] += 1
        self.react(service, self.log[self.heard[service] - 1])
        return True

    def deliver_all(self) -> None:
        """Until every service has read everything."""
        for _ in range(QUIET_WITHIN * 50):
            if not any(self.deliver(service) for service in SERVICES):
                return
        raise AssertionError("the reactions never come to rest")

    def forget_unread_wishes(self) -> None:
        """As if nobody had written or confirmed since the brain last read: that may steer a task anew."""
        unread = {at for at, each in enumerate(self.log) if at >= self.heard["brain"] and _is_a_wish(each.data)}
        for service in SERVICES:
            self.heard[service] -= sum(at < self.heard[service] for at in unread)
        self.log = [each for at, each in enumerate(self.log) if at not in unread]

    def finish(self, *, well: bool) -> None:
        """Deliver everything, and let every activity end what it has begun: well, or with a failure."""
        for _ in range(QUIET_WITHIN):
            self.deliver_all()
            commands = [*self.open_work(well=well), *self._awaited_timers()]
            if not commands:
                return
            for command in commands:
                self.tell(command)
        raise AssertionError("the work never comes to an end")

    def open_work(self, *, well: bool) -> list[Command]:
        """The next honest report of every activity that is under way."""
        agents = [*self._triage_work(well), *self._review_work(well), *self._plan_work(well), *self._run_work(well)]
        return [*agents, *self._answer_work(well), *self._reply_work(well)]

    def _awaited_timers(self) -> list[Command]:
        """The end of a pause: time passes."""
        if self.task.status is not task.Status.PAUSED:
            return []
        return [
            each for each in self.timers[-1:] if isinstance(each, task.Resume) and each.at == self.task.paused_until
        ]

    def _triage_work(self, well: bool) -> list[Command]:
        if not self.task.triaging:
            return []
        attempt = self.task.triage_attempt
        if not well:
            return [task.RecordFailure(stage="triage", attempt=attempt, code="x", message="X.")]
        return [
            task.RecordTriage(
                attempt=attempt, verdict=task.Verdict.PLAN, decided_by="rules", reason="", repo="r", base_commit="c0"
            )
        ]

    def _review_work(self, well: bool) -> list[Command]:
        if self.task.status is not task.Status.REVIEWING:
            return []
        attempt = self.task.triage_attempt
        if not well:
            return [task.RecordFailure(stage="reviewing", attempt=attempt, code="x", message="X.")]
        return [task.RecordReviewWritten(attempt=attempt, summary="s")]

    def _plan_work(self, well: bool) -> list[Command]:
        if self.plan.status is not plan.Status.DRAFTING:
            return []
        if self.plan.claimed_draft != self.plan.draft:
            return [plan.Claim(draft=self.plan.draft, worker="w", session="s")]
        attempt = self.plan.attempt
        if self.plan.stopping:
            return [plan.RecordStopped(attempt=attempt)]
        if not well:
            return [plan.Fail(attempt=attempt, code="x", message="X.")]
        return [plan.Propose(attempt=attempt, markdown=f"# Plan {attempt}", summary="s")]

    def _run_work(self, well: bool) -> list[Command]:
        if self.run.status not in run_actor.OPEN:
            return []
        if self.run.status is run.Status.QUEUED:
            return [run.Claim(round=self.run.round, worker="w", session="s")]
        attempt = self.run.attempt
        if self.run.stopping:
            return [run.RecordStopped(attempt=attempt)]
        if not well:
            return [run.Fail(attempt=attempt, code="x", message="X.")]
        return [run.Succeed(attempt=attempt, summary="s", commit=f"c{attempt}", branch="b", bundle=BUNDLE)]

    def _answer_work(self, well: bool) -> list[Command]:
        now = self.session
        match now:
            case session.Session(answering=None):
                return []
            case _ if now.claimed_answer != now.answer:
                return [session.Claim(answer=now.answer, worker="w", session="s")]
            case _ if now.interrupting:
                return [session.RecordInterrupted(attempt=now.attempt)]
            case _ if not well:
                return [session.Fail(attempt=now.attempt, code="x", message="X.")]
            case _:
                return [session.Answer(attempt=now.attempt, text="A calculator.")]

    def _reply_work(self, well: bool) -> list[Command]:
        commands: list[Command] = []
        for name, effect in self.reply.effects.items():
            match effect.status:
                case reply.EffectStatus.REQUESTED:
                    commands.append(reply.Claim(effect=name, worker="w"))
                case reply.EffectStatus.CLAIMED if well:
                    commands.append(reply.Post(effect=name, attempt=effect.attempt))
                case reply.EffectStatus.CLAIMED:
                    commands.append(reply.Fail(effect=name, attempt=effect.attempt, code="x", message="X."))
        for name, display in self.reply.displays.items():
            match display.status:
                case reply.EffectStatus.REQUESTED:
                    commands.append(reply.Claim(effect=name, worker="w"))
                case reply.EffectStatus.CLAIMED:
                    revision = display.wanted.revision
                    commands.append(reply.Show(effect=name, attempt=display.attempt, revision=revision))
        return commands

    def _reactors(self) -> dict[str, Callable[[RecordedEvent], list[Command]]]:
        return {
            "brain": reactions(self.policy),
            "planner": planner_react,
            "executor": executor_react,
            "gateway": gateway_reactions({"github"}),
        }


def _is_a_wish(event: Event) -> bool:
    return kind_of(event) == "delivery" or isinstance(event, session.Confirmed)


SERVICES: Final = ("brain", "planner", "executor", "gateway")
