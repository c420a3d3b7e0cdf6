"""The verdict of each check: of the result by itself where it passes, against the base commit where it does not.

A failure is the work's unless the base commit fails in the same way. A failure that does not come a second time is
flaky, and nobody's. What could not run says nothing. An exit code of 0 is no pass where the runner names tests that
fail, or has run none, or where a pipe hides the exit code of what judges.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Collection, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from services.executor.verification.base import BaseCommit
from services.executor.verification.checkout import CleanCheckout, Ran
from services.executor.verification.judges_notes import JudgesOf, Touched
from services.executor.verification.left_out import LeftOut, is_anything_left_out, left_out
from services.executor.verification.naming import bounded, listed
from services.executor.verification.old_judges import not_proven
from services.executor.verification.records import OUTPUT_CHARS, BaseRun
from shared.contracts.evidence import Check, CheckVerdict, Evidence, Note, NoteKind, evidence_of
from shared.contracts.messages import ArtifactRef
from shared.ops.crash_points import crash_point
from shared.workspace.behind import may_hide_more
from shared.workspace.checks import broken_off, hindrance, missing_tool
from shared.workspace.exit_codes import Hidden, can_fail, hidden_exit_codes
from shared.workspace.nothing_done import kept_results, nothing_done
from shared.workspace.reached import is_silent, runs_counting_tests
from shared.workspace.test_results import (
    Comparison,
    Kind,
    Run,
    compare,
    ended_early,
    ended_without_a_word,
    same_output,
)

HEAD_CHARS: Final = 2_000
TAIL_CHARS: Final = 4_000
"""Of an output's two ends in an event."""
TIMED_OUT: Final = 124
"""The exit code of a command that was ended because it took too long, as of timeout(1)."""
_NO_TEST: Final = "no test ran, here or at the base commit"
_BEHIND: Final = "steps behind the one that fails may not have run, so that nothing is known of them"
_NEITHER: Final = re.compile(r"\b[1-9]\d{0,6} (?:xfailed|xpassed|skipped|deselected|ignored|pending|todo)\b")
"""How runners count tests that neither pass nor fail."""
MOST_COUNTS: Final = 4
_GO_TOLD: Final = re.compile(r"^(?:ok  |FAIL)\t", re.MULTILINE)
"""Go tells how a package's tests ended, also where it counts none."""
_GO_PASSED: Final = re.compile(r"^(?:ok  |\?   )\t", re.MULTILINE)
"""It tells no number of a package that has no test any more."""

Store = Callable[[Path], Awaitable[ArtifactRef | None]]
"""Keeps the file with a command's whole output; None when it cannot be kept."""


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """What was observed of a result."""

    checks: tuple[Check, ...] = ()
    setup: tuple[Check, ...] = ()
    evidence: Evidence = Evidence.UNVERIFIED
    notes: tuple[Note, ...] = ()

    @property
    def blamed(self) -> tuple[Check, ...]:
        """The failures that the work has caused."""
        return tuple(check for check in (*self.setup, *self.checks) if check.verdict is CheckVerdict.FAILED)


class Judge:
    """Judges one result. ``setup`` is its own set-up, ``base`` its base commit; ``store`` keeps whole outputs.

    ``judges`` tells what the result does to what judges it.
    """

    def __init__(
        self,
        checks: Sequence[str],
        setup: Sequence[str],
        result: CleanCheckout,
        base: BaseCommit,
        store: Store,
        judges: JudgesOf,
    ) -> None:
        self._checks = checks
        self._setup = setup
        self._result = result
        self._base = base
        self._store = store
        self._judges = judges
        self._touched: Touched | None = None
        self._comparable = True
        self._ran: dict[str, Ran] = {}
        self._notes: list[Note] = []

    async def judge(self) -> Judged:
        """Set the result up, and run every check of it. Raises `GitFailed`."""
        ran = await self._set_up()
        crash_point("verification.set-up")
        setup = [await self._check(each, CheckVerdict.PASSED) for each in ran if each.result.passed]
        if len(setup) == len(ran):
            judged = [await self._judged(command) for command in self._checks]
            checks = self._doubted(judged, await self._judges.replaced())
        else:
            setup.append(await self._judge_setup(ran[-1]))
            why = f"The set-up failed: {ran[-1].result.command}"
            checks = [_not_run(command, why) for command in self._checks]
        return Judged(
            checks=tuple(checks),
            setup=tuple(setup),
            evidence=evidence_of((*setup, *checks), comparable=self._comparable),
            notes=tuple(self._notes),
        )

    def _doubted(self, checks: list[Check], replaced: str) -> list[Check]:
        """Of a judge that the result itself has put there no word counts but that of a failure."""
        if not replaced:
            return checks
        self._comparable = False
        why = f"What judges was replaced, so that this proves nothing: {replaced}."
        return [
            _with_doubt(check, why) if check.verdict in (CheckVerdict.PASSED, CheckVerdict.FAILED_BEFORE) else check
            for check in checks
        ]

    async def _set_up(self) -> list[Ran]:
        """Set the result up; a step that fails is tried once more: downloads fail at times."""
        ran = await self._result.set_up(self._setup)
        if not ran or ran[-1].result.passed or hindrance(ran[-1].result) is not None:
            return ran
        again = await self._result.set_up(self._setup)
        if again[-1].result.passed:
            self._note_flaky(ran[-1], ())
        return again

    async def _judge_setup(self, ran: Ran) -> Check:
        """A set-up that worked at the base commit was broken by the work; else it says nothing of the work."""
        reason = broken_off(ran.result)
        if reason is None and ran.result.command not in self._base.setup:
            reason = "The base commit is set up in another way, so nothing can be compared."
        if reason is None and await self._base.can_be_set_up():
            return await self._check(ran, CheckVerdict.FAILED, "The same set-up succeeds at the base commit.")
        reason = reason or missing_tool(ran.result) or "It fails at the base commit too."
        self._notes.append(Note(kind=NoteKind.SETUP_FAILED, sentence=f"{ran.result.command}: {reason}"))
        return await self._check(ran, CheckVerdict.COULD_NOT_RUN, reason)

    async def _judged(self, command: str) -> Check:
        """The verdict on a command, which is none where it rests on what the result has changed of the judges."""
        check = await self._judge(command)
        if check.verdict not in (CheckVerdict.PASSED, CheckVerdict.FAILED_BEFORE) or not self._comparable:
            return check
        weaker = await self._judges.weaker()
        paths = tuple(dict.fromkeys([*await self._judges.run(), *weaker.apart]))
        if await self._judges.replaced():
            return check
        if weaker.inside and self._ran[command].findings.count:
            self._comparable = False
            found = f"{listed(weaker.inside)} has tests that say less, and they cannot be run apart from the work"
            return _with_doubt(check, _as_sentence(found))
        if not paths:
            return check
        for _ in range(2):  # a test may be flaky
            again = await self._result.run_again_with(command, self._judges.base, paths)
            if _is_green(again, self._ran[command]):
                return check
            if not (found := await self._not_proven(self._ran[command], again, all_of_them=bool(weaker))):
                return check
        self._comparable = False
        why = f"With {listed(paths)} as at the base commit, {found}."
        return _with_doubt(check, why)

    async def _not_proven(self, ran: Ran, again: Ran, *, all_of_them: bool) -> str:
        """What a run with the files of the base commit that judge does not prove, which one with the result's does."""
        before = await self._base.run(ran.result.command)
        if (why := hindrance(again.result)) is not None:
            return f"it cannot be run: {why.removesuffix('.')}"
        compared = (self._run(again), None if before.hindrance else _run(before))
        return await asyncio.to_thread(partial(not_proven, ran.findings, *compared, all_of_them=all_of_them))

    async def _judge(self, command: str) -> Check:
        ran = await self._result.run(command)
        if ran.result.passed:
            return await self._judge_passed(ran)
        if (reason := broken_off(ran.result)) is not None:
            return await self._check(ran, CheckVerdict.COULD_NOT_RUN, reason)
        missing, before = missing_tool(ran.result), await self._base.run_lately(command)
        match missing, before.hindrance:
            case str(), str(hindrance) if hindrance:
                # One part of it could not run; another may have, and found something.
                found = await self._comparison(ran, before)
                if any(name in ran.findings.failed for name in found.new):
                    return await self._judge_new_failure(ran, found.new, before)
                return await self._check(ran, CheckVerdict.COULD_NOT_RUN, missing)
            case str(), _:
                if (await self._base.run_now(command, before)).hindrance:
                    return await self._check(ran, CheckVerdict.COULD_NOT_RUN, missing)
                return await self._check(ran, CheckVerdict.FAILED, f"{missing} At the base commit it can run.")
            case _, str(hindrance) if hindrance:
                # Nobody knows whether the base commit would have failed in the same way.
                return await self._check(ran, CheckVerdict.COULD_NOT_RUN, f"It cannot be compared: {hindrance}")
            case _ if before.exit_code == 0:
                names = _names(ran)
                return await self._judge_new_failure(ran, _without(names, before.findings.hidden) or names, before)
        return await self._compare(ran, before)

    async def _judge_passed(self, ran: Ran) -> Check:
        """Of a command that ended with 0. The base commit is asked only where that is in doubt."""
        hidden, failures = ran.findings.hidden, ran.findings.failed_count or 0
        nameless = 0 if hidden else failures
        if not hidden and not nameless and not await self._ran_nothing(ran):
            return await self._passed(ran)
        before = await self._base.run_lately(ran.result.command)
        if before.hindrance:
            return await self._check(ran, CheckVerdict.COULD_NOT_RUN, f"It cannot be compared: {before.hindrance}")
        then = before.findings
        if nameless:
            return await self._judge_nameless(ran, nameless, before)
        if not hidden:
            if then.count:
                then = (await self._base.run_now(ran.result.command, before)).findings
            if not (count := then.count):
                self._comparable = False
                said = ran.findings.passed_count is not None
                why = _NO_TEST if said else "its test runner does not tell that a test ran, here or at the base commit"
                check = await self._passed(ran, f"It ends with 0, but {why}.")
                return msgspec.structs.replace(check, doubted=check.verdict is CheckVerdict.PASSED)
            told = _NEITHER.findall(ran.result.output[-TAIL_CHARS:])[-MOST_COUNTS:]
            ended = f"no test passed or failed ({', '.join(told)})" if told else "no test ran"
            reason = f"It ends with 0, but {ended}; at the base commit {count} did."
            return await self._check(ran, CheckVerdict.FAILED, reason)
        if new := _without(hidden, (*then.hidden, *then.failed, *then.broken, *then.steps)):
            again = await self._result.run_again(ran.result.command)
            # What a run that broke off does not name has not passed in it.
            flaky = _without(new, again.findings.hidden) if again.result.passed else ()
            before = await self._base.run_now(ran.result.command, before)
            then = before.findings
            old_now = (*then.hidden, *then.failed, *then.broken, *then.steps)
            if still := _without(new, (*flaky, *old_now)):
                reason = f"It ends with 0, but these fail, and did not at the base commit: {listed(still)}."
                return await self._check(ran, CheckVerdict.FAILED, reason, new=still, flaky=flaky)
            if flaky:
                self._note_flaky(ran, flaky)
            new = flaky
        if failures > len(hidden):
            # Not all of the tests that fail have a name.
            return await self._judge_nameless(ran, failures, before)
        if old := _without(hidden, new):
            reason = f"It ends with 0, but these fail, as at the base commit: {listed(old)}."
            if unseen := await self._unseen(ran, before):
                self._comparable = False
                reason += f" {_as_sentence(unseen)}"
            return await self._check(ran, CheckVerdict.FAILED_BEFORE, reason, flaky=new)
        return await self._passed(ran, "A test of it failed once, and passed when it ran again.", flaky=new)

    async def _ran_nothing(self, ran: Ran) -> bool:
        """Whether a runner that always counts its tests has counted none, or has not said a word."""
        found = ran.findings
        if found.ran_nothing or found.passed_count is not None or found.failed_count is not None:
            return found.ran_nothing
        return await asyncio.to_thread(runs_counting_tests, ran.result.command, self._result.tree)

    async def _passed(self, ran: Ran, reason: str = "", *, flaky: tuple[str, ...] = ()) -> Check:
        """Of a command that ended with 0 and tells of no failure: that proves nothing where its exit code is lost."""
        if not (lost := await self._lost_exit_codes(ran)):
            if doubt := await self._doubt(ran):
                self._comparable = False
                reason = f"{reason} It ends with 0, but {doubt}.".strip()
                check = await self._check(ran, CheckVerdict.PASSED, reason, flaky=flaky)
                return msgspec.structs.replace(check, doubted=True)
            return await self._check(ran, CheckVerdict.PASSED, reason, flaky=flaky)
        told = _lost(lost)
        self._notes.append(Note(kind=NoteKind.EXIT_CODE_HIDDEN, sentence=f"{ran.result.command}: {told}"))
        reason = f"It ends with 0, which says nothing of what judges: {told}."
        return await self._check(ran, CheckVerdict.COULD_NOT_RUN, reason, flaky=flaky)

    async def _doubt(self, ran: Ran) -> str:
        """Why a command that ended with 0 proves nothing all the same, or nothing."""
        return (
            await self._did_nothing(ran)
            or await self._ended_early(ran)
            or await self._fell_silent(ran)
            or await self._left_out(ran)
            or await self._complaints(ran)
            or await self._cannot_fail(ran)
        )

    async def _did_nothing(self, ran: Ran) -> str:
        """That it ran nothing, or took what another run had said where the base commit does not."""
        if told := nothing_done(ran.result.output):
            return f"it had nothing to do: {told.rstrip('.')}"
        if not (kept := kept_results(ran.result.output)):
            return ""
        before = await self._base.run(ran.result.command)
        new = _without(kept, kept_results(before.output))
        return f"it took what an earlier run had said: {listed(new)}" if new else ""

    async def _ended_early(self, ran: Ran) -> str:
        """That a process of its tests has ended before they had, as by an ``exit(0)`` in what they load."""
        if not await asyncio.to_thread(ended_without_a_word, ran.result.output):
            return ""
        before = await self._base.run(ran.result.command)
        if await asyncio.to_thread(ended_without_a_word, before.output):
            return ""
        return "a process of its tests ended before they had told how they ended, which none does at the base commit"

    async def _fell_silent(self, ran: Ran) -> str:
        """That a program that nobody knows says nothing, and does at the base commit: it may have ended early."""
        command = ran.result.command
        if ran.findings.count or not await asyncio.to_thread(is_silent, command, ran.result.output, self._result.tree):
            return ""
        before = await self._base.run(command)
        if await asyncio.to_thread(is_silent, command, before.output, self._result.tree) or before.hindrance:
            return ""
        return "it says nothing, and at the base commit it does, so that it may have ended early"

    async def _left_out(self, ran: Ran) -> str:
        """Why the tests that ran prove nothing, as others of the base commit did not; or nothing.

        A class with another name, a mark of a package that went, a pattern: tests are left out in more ways than text
        tells of. The base commit is asked where the result touches what judges it.
        """
        output = ran.result.output
        if not ran.findings.count and _GO_PASSED.search(output):
            count = (await self._base.run(ran.result.command)).findings.count
            if count or not _GO_TOLD.search(output):
                return f"no test ran; at the base commit {count} did" if count else _NO_TEST
        touched = await self._touches()
        counts = ran.findings.passed_count is not None or _GO_PASSED.search(output)
        if not (touched if counts else touched.judges):
            return ""
        before = await self._base.run(ran.result.command)
        found = await self._found_left_out(ran, before)
        if found.doubt:
            # What the record says may be of another day, on which more could run.
            before = await self._base.run_now(ran.result.command, before)
            found = await self._found_left_out(ran, before)
        self._note_left_out(ran, found)
        return found.doubt

    async def _cannot_fail(self, ran: Ran) -> str:
        runs = await asyncio.to_thread(can_fail, ran.result.command, self._result.tree)
        return "" if runs else "it runs nothing that could fail"

    async def _complaints(self, ran: Ran) -> str:
        """What the output of a program that nobody knows says of failures, and does not at the base commit."""
        if not ran.findings.complaints:
            return ""
        before = await self._base.run(ran.result.command)
        new = _without(ran.findings.complaints, before.findings.complaints)
        if new and not before.hindrance:
            before = await self._base.run_now(ran.result.command, before)
            new = _without(new, before.findings.complaints)
        return f"it speaks of what it does not at the base commit: {listed(new)}" if new else ""

    async def _found_left_out(self, ran: Ran, before: BaseRun) -> LeftOut:
        """Tests are told by their names where the result touches what judges it: else names differ from run to run."""
        then = before.findings
        if not await self._touches():
            then = msgspec.structs.replace(then, ran=())
        if before.hindrance or not await asyncio.to_thread(is_anything_left_out, ran.findings, then):
            return LeftOut()
        return await asyncio.to_thread(left_out, ran.findings, then, await self._judges.taken_away())

    async def _touches(self) -> Touched:
        if self._touched is None:
            self._touched = await self._judges.touched()
        return self._touched

    def _note_left_out(self, ran: Ran, found: LeftOut) -> None:
        for sentence in filter(None, (found.told, found.doubt)):
            note = Note(kind=NoteKind.FEWER_TESTS, sentence=f"{ran.result.command}: {sentence}")
            if note not in self._notes:
                self._notes.append(note)

    async def _lost_exit_codes(self, ran: Ran) -> list[Hidden]:
        """What judges and cannot make the command fail, but for test runners that have told how their tests ended."""
        hidden = await asyncio.to_thread(hidden_exit_codes, ran.result.command, self._result.tree)
        told = ran.findings.passed_count is not None or _GO_TOLD.search(ran.result.output)
        return [each for each in hidden if not (each.is_test_runner and told)]

    async def _judge_nameless(self, ran: Ran, now: int, before: BaseRun) -> Check:
        """Of a command that ended with 0, although its runner counts failing tests, none of them by name."""
        then = before.findings.failed_count or 0
        if now > then:
            then = (await self._base.run_now(ran.result.command, before)).findings.failed_count or 0
        if now <= then:
            self._comparable = False  # the tests that fail may be others
            reason = f"It ends with 0, but {now} tests fail without a name; at the base commit {then}."
            return await self._check(ran, CheckVerdict.FAILED_BEFORE, reason)
        again = await self._result.run_again(ran.result.command)
        if again.result.passed and not _names_or_counts(again) and not await self._ran_nothing(again):
            self._note_flaky(ran, ())
            return await self._passed(again, "It failed once, and passed when it ran again.")
        reason = f"It ends with 0, but more tests fail than at the base commit: {now}, there {then}."
        return await self._check(ran, CheckVerdict.FAILED, reason)

    async def _compare(self, ran: Ran, before: BaseRun) -> Check:
        found = await self._comparison(ran, before)
        match found.kind:
            case Kind.SAME:
                self._note_fewer(ran, found)
                return await self._failed_before(ran, found)
            case Kind.NEW:
                return await self._judge_new_failure(ran, found.new, before)
            case Kind.UNCLEAR if found.totals_only:
                self._comparable = False
                reason = (
                    "It fails at the base commit too; the outputs differ only in how much was looked at, or in numbers "
                    "of lines, so nobody can tell whether something else is wrong."
                )
                return await self._check(ran, CheckVerdict.FAILED_BEFORE, reason)
            case Kind.UNCLEAR:
                again = await self._base.run_now(ran.result.command, before)
                if again is before:
                    again = await self._base.run(ran.result.command, again=True)
                elif again.hindrance:
                    reason = f"It cannot be compared: {again.hindrance}"
                    return await self._check(ran, CheckVerdict.COULD_NOT_RUN, reason)
                elif again.exit_code == 0:
                    # What the record says was of another day: the service that was away then is back.
                    return await self._judge_new_failure(ran, (), again)
                elif (await self._comparison(ran, again)).kind is not Kind.UNCLEAR:
                    return await self._compare(ran, again)
                if again.exit_code != 0 and compare(_run(again), _run(before)).kind is Kind.SAME:
                    return await self._check(
                        ran, CheckVerdict.FAILED, "It fails at the base commit too, but not in this way."
                    )
                self._comparable = False
                return await self._check(
                    ran,
                    CheckVerdict.FAILED_BEFORE,
                    "It fails at the base commit too; its output names no tests and is empty, differs from run to run, "
                    "or is too long to compare, so nobody can tell whether it is the same failure.",
                )

    async def _judge_new_failure(self, ran: Ran, new: tuple[str, ...], before: BaseRun) -> Check:
        """Run it once more: what passes then is flaky, and not blamed on the work."""
        again = await self._result.run_again(ran.result.command)
        flaky = _without(new, _names(again))
        if again.result.passed:
            if _names_or_counts(again) or await self._ran_nothing(again):
                return await self._judge_passed(again)
            self._note_flaky(ran, new)
            return await self._passed(again, "It failed once, and passed when it ran again.", flaky=new)
        # What the record says may be of another day: since then a service, a download or a date may have gone.
        before, then = await self._base.run_now(ran.result.command, before), before
        if before.hindrance and not then.hindrance:
            return await self._check(again, CheckVerdict.COULD_NOT_RUN, f"It cannot be compared: {before.hindrance}")
        if before.exit_code != 0 and (second := await self._comparison(again, before)).kind is Kind.SAME:
            if flaky:
                self._note_flaky(ran, flaky)
            return await self._failed_before(again, second, flaky=flaky)
        still = _without(new, flaky)
        if still and flaky:
            self._note_flaky(ran, flaky)
        if not still:  # it names no tests, or others each time
            still, flaky = new, ()
        return await self._check(ran, CheckVerdict.FAILED, _sentence(still, before), new=still, flaky=flaky)

    async def _failed_before(self, ran: Ran, found: Comparison, *, flaky: tuple[str, ...] = ()) -> Check:
        self._comparable = self._comparable and not found.partial
        return await self._check(ran, CheckVerdict.FAILED_BEFORE, _as_sentence(found.why), flaky=flaky)

    async def _comparison(self, ran: Ran, before: BaseRun) -> Comparison:
        found = await asyncio.to_thread(compare, self._run(ran), _run(before))
        if found.kind is Kind.UNCLEAR and not found.totals_only:
            found = await asyncio.to_thread(compare, self._run(ran), _run(before), await self._judges.edited())
        if found.kind is Kind.SAME and not found.partial and (unseen := await self._unseen(ran, before)):
            return msgspec.structs.replace(found, why=f"{found.why}; {unseen}", partial=True)
        return found

    async def _unseen(self, ran: Ran, before: BaseRun) -> str:
        """What two runs with the same failures may hide all the same, or nothing."""
        result, now, then = ran.result, ran.findings, before.findings
        output = self._result.as_we_see(result.output)
        if await asyncio.to_thread(may_hide_more, result.command, result.exit_code, output, self._result.tree):
            return _BEHIND
        if early := ended_early(now, then):
            return early
        others = await self._found_left_out(ran, before)
        self._note_left_out(ran, others)
        if others.doubt:
            return others.doubt
        lost = await self._lost_exit_codes(ran)
        return _lost(lost) if lost and not await asyncio.to_thread(same_output, self._run(ran), _run(before)) else ""

    def _run(self, ran: Ran) -> Run:
        return Run(
            exit_code=ran.result.exit_code,
            output=ran.result.output[-OUTPUT_CHARS:],
            findings=ran.findings,
            checkout=str(self._result.tree_inside),
            home=str(self._result.home_inside),
            cut=len(ran.result.output) > OUTPUT_CHARS,
        )

    def _note_flaky(self, ran: Ran, names: tuple[str, ...]) -> None:
        sentence = f"{ran.result.command} failed once and passed when it ran again: {listed(names) or 'no test named'}"
        self._notes.append(Note(kind=NoteKind.FLAKY, sentence=sentence))

    def _note_fewer(self, ran: Ran, found: Comparison) -> None:
        for sentence in found.notes:
            self._notes.append(Note(kind=NoteKind.FEWER_TESTS, sentence=f"{ran.result.command}: {sentence}"))

    async def _check(
        self,
        ran: Ran,
        verdict: CheckVerdict,
        reason: str = "",
        *,
        new: tuple[str, ...] = (),
        flaky: tuple[str, ...] = (),
    ) -> Check:
        result = ran.result
        self._ran[result.command] = ran
        short = len(result.output) <= HEAD_CHARS + TAIL_CHARS
        return Check(
            command=result.command,
            exit_code=TIMED_OUT if result.timed_out else result.exit_code,
            duration_ms=result.duration_ms,
            output_head="" if short else result.output[:HEAD_CHARS],
            output_tail=result.output if short else result.output[-TAIL_CHARS:],
            output_sha256=result.output_sha256,
            output_size=result.output_size,
            output_cut=result.cut,
            output=await self._store(ran.whole) if result.output_size else None,
            failing_lines=() if verdict is CheckVerdict.PASSED else ran.findings.lines,
            failed_before=verdict is CheckVerdict.FAILED_BEFORE,
            verdict=verdict,
            reason=reason,
            new_failures=bounded(new),
            flaky=bounded(flaky),
        )


def _with_doubt(check: Check, why: str) -> Check:
    is_passed = check.verdict is CheckVerdict.PASSED
    return msgspec.structs.replace(check, reason=f"{check.reason} {why}".strip(), doubted=is_passed)


def _not_run(command: str, reason: str) -> Check:
    return Check(command=command, exit_code=-1, duration_ms=0, verdict=CheckVerdict.COULD_NOT_RUN, reason=reason)


def _run(before: BaseRun) -> Run:
    return Run(
        exit_code=before.exit_code,
        output=before.output,
        findings=before.findings,
        checkout=before.checkout,
        home=before.home,
        cut=before.output_cut,
    )


def _lost(hidden: Sequence[Hidden]) -> str:
    return "; ".join(map(str, hidden[:3]))


def _as_sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."


def _names_or_counts(passed: Ran) -> bool:
    """Of a command that ended with 0: whether it tells of failures all the same."""
    return bool(passed.findings.hidden or passed.findings.failed_count)


def _is_green(again: Ran, ran: Ran) -> bool:
    """Whether a run passed, and ran tests if the other one did."""
    counts = again.findings.count or not ran.findings.count
    return bool(again.result.passed and not _names_or_counts(again) and counts)


def _names(ran: Ran) -> tuple[str, ...]:
    found = ran.findings
    return (*found.broken, *found.failed) or found.steps


def _without(names: Sequence[str], others: Collection[str]) -> tuple[str, ...]:
    return tuple(name for name in names if name not in others)


def _sentence(new: tuple[str, ...], before: BaseRun) -> str:
    at_base = "It passes at the base commit" if before.exit_code == 0 else "It failed before, but not in this way"
    return f"{at_base}; new: {listed(new)}" if new else f"{at_base}."
