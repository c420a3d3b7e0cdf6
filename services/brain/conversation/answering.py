"""Answering: an agent with tools of ours, in a conversation that goes on, and what it says."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import structlog

from services.brain.actors.session import REMEMBERED_LINES
from shared.claude.agent_activity import AgentActivity, AgentWork, Reception
from shared.claude.conversation.outcome import Outcome
from shared.claude.conversation.spoken import spoken
from shared.claude.conversation.transcript import SessionUnusable, pack_session, restore_session, session_folder
from shared.claude.role import RoleInvalid
from shared.claude.runner import quoted
from shared.claude.tools.server import Tool, configuration, served
from shared.claude.work_dirs import remove_run_dirs
from shared.contracts import session
from shared.contracts.messages import ArtifactRef
from shared.contracts.session import Asked, Line, Session
from shared.contracts.subjects import Actor, event_filter
from shared.event_store.envelope import RecordedEvent
from shared.nats.objects import ArtifactLost, Artifacts, ArtifactTooLarge
from shared.ops.crash_points import crash_point
from shared.ops.settings import Settings
from shared.runtime.activity import ActivityContext, HandOver

AGENT: Final = "assistant"
MAX_ANSWER_CHARS: Final = 64 * 1024
CONTEXT_LINES: Final = 40
CONTEXT_CHARS: Final = 20_000

Report = session.Answer | session.Fail | session.RecordInterrupted
ToolsOf = Callable[[RecordedEvent, int, Asked], Sequence[Tool]]
"""The tools for one attempt at the answer to a message, which the event tells the beginning of."""

log = structlog.get_logger(__name__)


class Answering:
    """The activity behind `session.answer-started`."""

    def __init__(self, settings: Settings, agents: AgentActivity, artifacts: Artifacts, tools_of: ToolsOf) -> None:
        self._settings = settings
        self._agents = agents
        self._artifacts = artifacts
        self._tools_of = tools_of

    async def answer(self, event: RecordedEvent, context: ActivityContext) -> None:
        """Give one answer; a worker that takes it over attaches to its agent or starts a new one."""
        await self._agents.until_agents_run(context)
        await self._agents.perform(event, context, self._answer(event, context))

    async def give_up(self, event: RecordedEvent, reason: str) -> None:
        """Report an answer that failed again and again for a reason of ours."""
        sentence = f"The brain could not answer ({reason}): see its log, then ask again."
        await self._agents.give_up(
            event.actor,
            self._claim(self._agents.work(event.actor, event.data.answer)),
            lambda attempt: session.Fail(attempt=attempt, code="internal-error", message=sentence),
        )

    async def _answer(self, event: RecordedEvent, context: ActivityContext) -> None:
        started: session.AnswerStarted = event.data
        work = self._agents.work(event.actor, started.answer)
        attempt = await self._agents.claim(event.actor, self._claim(work))
        if attempt is None:
            await self._reconcile_elsewhere(work, context)
            await self._clear(work)
            return
        crash_point("answering.claimed")
        report = await self._talk(event, work, attempt)
        reception = await self._agents.report(
            event.actor,
            report,
            stopped=lambda: session.RecordInterrupted(attempt=attempt, text=_said(work), usage=report.usage),
        )
        crash_point("answering.reported")
        if reception is Reception.OVERTAKEN:
            await self._clear(work)
            raise HandOver
        await self._reconcile_elsewhere(work, context)
        await self._clear(work)

    def _claim(self, work: AgentWork) -> session.Claim:
        return session.Claim(answer=work.number, worker=self._agents.runner.worker, session=work.session())

    async def _talk(self, event: RecordedEvent, work: AgentWork, attempt: int) -> Report:
        """The agent's work, from its conversation of before to what is to be reported."""
        state: Session = await self._agents.host.state(event.actor)
        asked = state.answering
        assert asked is not None, "who claimed an answer has a message to answer"
        began = time.monotonic()
        try:
            agent = self._agents.runner.agent(AGENT)
        except RoleInvalid as error:
            return session.Fail(attempt=attempt, code="agent-invalid", message=str(error))
        folder = work.local.empty_dir(self._agents.runner.data_dir)
        folder.mkdir(parents=True, exist_ok=True)
        forks = await self._restored(state, folder)

        def ends(heard: RecordedEvent) -> bool:
            match heard.data:
                case session.InterruptRequested(answer=number):
                    return number == work.number
                case session.Claimed(attempt=newest):
                    return newest > attempt
                case _:
                    return False

        async with served(self._tools_of(event, attempt, asked), folder):
            outcome = await self._agents.run_read_only(
                work,
                agent,
                cwd=folder,
                prompt=prompt(asked, () if forks else state.lines),
                forks=forks,
                tools=configuration(folder),
                hears=event_filter(event.actor),
                after=event.position,
                ends=ends,
            )
        crash_point("answering.talked")
        if (await self._agents.host.state(event.actor)).interrupting:
            return session.RecordInterrupted(attempt=attempt, text=_said(work), usage=outcome.usage)
        return await self._report(event.actor, work, attempt, outcome, int((time.monotonic() - began) * 1000))

    async def _report(
        self, actor: Actor, work: AgentWork, attempt: int, outcome: Outcome, duration_ms: int
    ) -> session.Answer | session.Fail:
        text = _said(work) or outcome.text.strip()
        if not outcome.ok or not text:
            code = "answer-empty" if outcome.ok else outcome.code
            sentence = "The brain ended without a word: ask again." if outcome.ok else outcome.message
            return session.Fail(attempt=attempt, code=code, message=sentence, usage=outcome.usage)
        return session.Answer(
            attempt=attempt,
            text=text,
            usage=outcome.usage,
            duration_ms=duration_ms,
            session=outcome.session_id,
            transcript=await self._kept(actor, outcome.session_id),
        )

    async def _restored(self, state: Session, folder: Path) -> str:
        """The CLI's conversation to go on from, brought here; empty when there is none, or it is lost."""
        if not state.resumes or state.transcript is None:
            return ""
        try:
            packed = await self._artifacts.get(state.transcript)
            # A confined CLI knows the conversations of its own working directory, and each answer has a new one.
            await asyncio.to_thread(restore_session, self._agents.runner.config_dir, folder, packed)
        except (ArtifactLost, SessionUnusable) as error:
            log.warning("a conversation cannot go on, its last lines are given instead", reason=str(error))
            return ""
        return state.resumes

    async def _kept(self, actor: Actor, cli_session: str) -> ArtifactRef | None:
        try:
            packed = await asyncio.to_thread(pack_session, self._agents.runner.config_dir, cli_session)
            return await self._artifacts.put(f"{actor.id}.conversation.tar.gz", packed)
        except (FileNotFoundError, ValueError, SessionUnusable, ArtifactTooLarge) as error:
            log.warning("the conversation cannot be kept", reason=str(error))
            return None

    async def _reconcile_elsewhere(self, work: AgentWork, context: ActivityContext) -> None:
        if context.delivered > 1:
            await work.reconcile_elsewhere()

    async def _clear(self, work: AgentWork) -> None:
        """Leave nothing of the answer on this machine: the next one goes on from what is in ARTIFACTS."""
        await asyncio.to_thread(work.end_processes)
        await work.reconcile_here()
        crash_point("answering.reconciled")
        work.remove_run_dirs()
        folder = work.local.empty_dir(self._agents.runner.data_dir)
        remove_run_dirs(session_folder(self._agents.runner.config_dir, folder), folder)


def _said(work: AgentWork) -> str:
    """What the agent has said in its newest process, cut where it is longer than an answer may be."""
    text = next(filter(None, map(spoken, reversed(work.run_dirs))), "")
    if len(text) <= MAX_ANSWER_CHARS:
        return text
    return f"{text[:MAX_ANSWER_CHARS]}\n\n[cut here by Journeyman: {len(text) - MAX_ANSWER_CHARS} more characters]"


def prompt(asked: Asked, before: tuple[Line, ...]) -> str:
    """What the agent is told: the message and what it is about, and what was said before where it does not know that.

    ``before`` ends with the message itself, and with messages that wait behind it.
    """
    parts = []
    if earlier := _earlier(asked, before):
        parts += ["The conversation so far, its last lines:", quoted("conversation", earlier)]
    if asked.repo:
        parts.append(f"The person has chosen the repository {asked.repo}.")
    for each in asked.attachments:
        where = f" of {each.repo}" if each.repo else ""
        parts.append(f"The message is about the {each.kind} {quoted('attachment', each.reference)}{where}.")
    return "\n\n".join((*parts, asked.message))


def _earlier(asked: Asked, lines: tuple[Line, ...]) -> str:
    # The message is the newest line of its author and text: what came after it was said while it waited.
    texts = [(line.author, line.text) for line in lines[-REMEMBERED_LINES:]]
    if (asked.author, asked.message) in texts:
        texts = texts[: len(texts) - 1 - texts[::-1].index((asked.author, asked.message))]
    told = [f"{author or 'Journeyman'}: {text}" for author, text in texts[-CONTEXT_LINES:]]
    return "\n\n".join(told)[-CONTEXT_CHARS:]
