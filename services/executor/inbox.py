"""What reaches an attempt from outside while it works: a stop, what people say, and another worker's claim."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial

import structlog

from shared.claude.conversation.converse import Answer, Say
from shared.claude.runner import Job
from shared.contracts import run
from shared.contracts.subjects import event_filter
from shared.event_store.envelope import RecordedEvent
from shared.event_store.journal import Journal
from shared.runtime.watcher import insist, watch

Tell = Callable[[run.RecordResumed], Awaitable[object]]

log = structlog.get_logger(__name__)


class Inbox:
    """Follows the run's events, whichever instance took the command.

    ``stop`` is set when the work is to end; ``lost`` says that it is another worker's. `attach` hands everything that
    was said, and what will be, to the agent's newest process.
    """

    def __init__(self, journal: Journal, requested: RecordedEvent, attempt: int) -> None:
        self.stop = asyncio.Event()
        self.lost = False
        self._journal = journal
        self._requested = requested
        self._attempt = attempt
        self._said: list[Say | Answer] = []
        self._numbers: dict[str, int] = {}
        self._answered: asyncio.Queue[run.RecordResumed] = asyncio.Queue()
        self._job: Job | None = None

    async def watch(self) -> None:
        """Hear of everything since the round was requested, until cancelled."""
        subjects = event_filter(self._requested.actor)
        await watch(self._journal, subjects, after=self._requested.position, handle=self._hear)

    async def report_answers(self, tell: Tell) -> None:
        """Tell that the agent was handed an answer, until the log has it; runs until cancelled."""
        while True:
            resumed = await self._answered.get()
            await insist(partial(tell, resumed))
            self._answered.task_done()

    async def answers_reported(self) -> None:
        """Wait until the log has every answer: a run has one open question at a time."""
        await self._answered.join()

    def attach(self, job: Job) -> None:
        """Let this process hear everything that was said to the attempt so far, and what comes."""
        self._job = job
        for each in self._said:
            job.inputs.put_nowait(each)

    def detach(self, unheard: Sequence[str]) -> int:
        """The process has ended, and had not got to these messages. What is said from now on waits for the next one.

        Returns the number of the last input before the first that it did not hear.
        """
        waiting = {each.message_id for each in self._left() if isinstance(each, Say)} | set(unheard)
        missed = [number for id, number in self._numbers.items() if id in waiting]
        self._job = None
        return min(missed) - 1 if missed else max(self._numbers.values(), default=0)

    def _left(self) -> Iterator[Say | Answer]:
        while self._job is not None and not self._job.inputs.empty():
            yield self._job.inputs.get_nowait()

    def lose(self) -> None:
        """The work is another worker's now: end it here."""
        self.lost = True
        self.stop.set()

    def _hear(self, event: RecordedEvent) -> None:
        match event.data:
            case run.StopRequested():
                self.stop.set()
            case run.Claimed(attempt=newest) if newest > self._attempt:
                log.warning("another worker has taken over; leaving", attempt=newest)
                self.lose()
            case run.InputGiven(number=number, message=message, request_id=request) if request:
                self._numbers[request] = number
                self._hand_over(Answer(request, message))
                self._answered.put_nowait(run.RecordResumed(attempt=self._attempt, request_id=request))
            case run.InputGiven(number=number, message=message):
                say = Say(f"{event.actor.id}:input:{number}", message)
                self._numbers[say.message_id] = number
                self._hand_over(say)
            case _:
                return

    def _hand_over(self, said: Say | Answer) -> None:
        self._said.append(said)
        if self._job is not None:
            self._job.inputs.put_nowait(said)
