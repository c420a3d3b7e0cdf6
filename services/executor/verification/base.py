"""The base commit of a result: how it says it is checked, and what its checks say. Asked only where a check fails.

What was seen of it before, by any task, is not run again.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager

from msgspec.structs import replace

from services.executor.verification.checkout import CleanCheckout
from services.executor.verification.records import OUTPUT_CHARS, BaseRecords, BaseRun, Commands
from shared.ops.crash_points import crash_point
from shared.workspace.checks import hindrance
from shared.workspace.detect import detect_checks, detect_setup

Open = Callable[[], AbstractAsyncContextManager[CleanCheckout]]


class BaseCommit(contextlib.AsyncExitStack):
    """One base commit, checked out when it is first needed and removed at the end of the block.

    ``source`` and ``commit`` name it in the records.
    """

    def __init__(self, source: str, commit: str, records: BaseRecords, opened: Open) -> None:
        super().__init__()
        self._source = source
        self._commit = commit
        self._records = records
        self._open = opened
        self._checkout: CleanCheckout | None = None
        self._commands = Commands((), ())
        self._is_set_up: bool | None = None
        self._ran: set[str] = set()

    async def commands(self, setup: Sequence[str] | None, checks: Sequence[str] | None) -> Commands:
        """What is configured, else what the base commit's own files say: the work does not choose its judge."""
        if setup is not None and checks is not None:
            self._commands = Commands(tuple(setup), tuple(checks))
            return self._commands
        known = self._records.load(self._source, self._commit)
        if known.commands is None:
            tree = (await self._opened()).tree
            known = replace(known, commands=Commands(tuple(detect_setup(tree)), tuple(detect_checks(tree))))
            self._records.save(known, self._source, self._commit)
        assert known.commands is not None
        self._commands = Commands(
            known.commands.setup if setup is None else tuple(setup),
            known.commands.checks if checks is None else tuple(checks),
        )
        return self._commands

    @property
    def setup(self) -> tuple[str, ...]:
        """The steps of its set-up."""
        return self._commands.setup

    async def run_now(self, command: str, known: BaseRun) -> BaseRun:
        """What it says today: ``known``, where that is no record of another day, which is replaced else."""
        if command in self._ran:
            return known
        run = await self.run(command, again=True)
        self._remember(command, run)
        return run

    async def run_lately(self, command: str) -> BaseRun:
        """What it says; by a record of failures only as long as that may hold: another day excuses nobody."""
        known = await self.run(command)
        return await self.run_now(command, known) if known.tells_of_failure and known.may_be_over else known

    async def run(self, command: str, *, again: bool = False) -> BaseRun:
        """What the command says at the base commit, after the checks in front of it: what they build or leave behind is
        there at the result too. ``again`` runs it even if that is known.
        """
        if not again and (seen := self._records.load(*self._key).runs.get(command)) is not None:
            return seen
        checkout = await self._opened()
        if not await self._set_up(checkout):
            return BaseRun(exit_code=-1, hindrance="The set-up fails at the base commit.")
        for earlier in self._commands.checks[: self._commands.checks.index(command)]:
            if earlier not in self._ran:
                self._remember(earlier, await self._run(checkout, earlier))
        run = await self._run(checkout, command)
        if not again:
            self._remember(command, run)
        return run

    async def _run(self, checkout: CleanCheckout, command: str) -> BaseRun:
        ran = await checkout.run(command)
        self._ran.add(command)
        crash_point("verification.base-asked")
        return BaseRun(
            exit_code=ran.result.exit_code,
            output=ran.result.output[-OUTPUT_CHARS:],
            output_cut=len(ran.result.output) > OUTPUT_CHARS,
            findings=ran.findings,
            checkout=str(checkout.tree_inside),
            home=str(checkout.home_inside),
            hindrance=hindrance(ran.result) or "",
            at=time.time(),
        )

    def _remember(self, command: str, run: BaseRun) -> None:
        if not run.hindrance:
            known = self._records.load(*self._key)
            self._records.save(replace(known, runs={**known.runs, command: run}), *self._key)

    async def can_be_set_up(self) -> bool:
        """Whether every step of the set-up succeeds at the base commit now; another day says nothing of the network."""
        return await self._set_up(await self._opened())

    async def _set_up(self, checkout: CleanCheckout) -> bool:
        if self._is_set_up is None:
            ran = await checkout.set_up(self._commands.setup)
            self._is_set_up = all(each.result.passed for each in ran)
        return self._is_set_up

    @property
    def _key(self) -> tuple[str, ...]:
        return (self._source, self._commit, *self._commands.setup, "", *self._commands.checks)

    async def _opened(self) -> CleanCheckout:
        if self._checkout is None:
            self._checkout = await self.enter_async_context(self._open())
        return self._checkout
