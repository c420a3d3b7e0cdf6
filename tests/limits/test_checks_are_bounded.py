from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from services.executor.verification.judge import Judged
from shared.contracts.evidence import CheckVerdict, Evidence, NoteKind
from shared.ops.limits import MEBI, Limits
from tests.integration.verification.trials import Trial

NOTE = {"NOTE.md": "hello\n"}
FILL = "head -c {mebi}M /dev/urandom > {where}/filled-{mebi}"


@pytest.fixture
def place(tmp_path: Path) -> Trial:
    trial = Trial(tmp_path, {"README.md": "hi\n"})
    trial.verification = trial.executor(limits=Limits(max_check_disk_bytes=8 * MEBI, max_check_output_bytes=MEBI))
    return trial


async def test_a_set_up_that_fills_the_disk_is_ended_with_all_its_processes_and_proves_nothing(place: Trial) -> None:
    alive = place.folder / "alive"
    runaway = f"setsid sh -c 'while sleep 0.05; do echo >> {alive}; done' & {FILL.format(mebi=9, where='.')}; sleep 300"
    began = time.monotonic()
    judged = await place.judge(NOTE, "true", setup=(runaway,))
    assert time.monotonic() - began < 60
    assert judged.evidence is Evidence.UNVERIFIED
    (step,), (check,) = judged.setup, judged.checks
    assert step.verdict is check.verdict is CheckVerdict.COULD_NOT_RUN
    assert step.reason == "It filled more than 8.0 MiB of the disk and was ended."
    assert [(note.kind, note.sentence) for note in judged.notes] == [
        (NoteKind.SETUP_FAILED, f"{runaway}: {step.reason}")
    ]
    heard = alive.stat().st_size
    await asyncio.sleep(0.3)  # what would write, would have written by now
    assert alive.stat().st_size == heard > 0


@pytest.mark.parametrize("where", [".", "$HOME", "$TMPDIR", "$PIP_CACHE_DIR"])
async def test_what_is_filled_counts_wherever_a_command_may_write_and_not_below_the_bound(
    where: str, place: Trial
) -> None:
    for mebi, evidence in ((7, Evidence.VERIFIED), (9, Evidence.UNVERIFIED)):
        setup = (f"mkdir -p {where}", FILL.format(mebi=mebi, where=where))
        judged = await place.judge(NOTE, "true", setup=setup)
        assert judged.evidence is evidence
    left = sum(file.stat().st_size for file in place.folder.glob("caches/*/*/filled*"))
    assert left <= 8 * MEBI, "else each task would add as much to the caches"


async def test_what_lay_in_the_caches_before_does_not_count(place: Trial) -> None:
    setup = ("mkdir -p $PIP_CACHE_DIR", "head -c 6M /dev/urandom > $PIP_CACHE_DIR/of-task-$$")
    for _ in range(3):
        assert (await place.judge(NOTE, "true", setup=setup)).evidence is Evidence.VERIFIED


async def test_a_check_behind_one_that_filled_the_disk_is_not_begun(place: Trial) -> None:
    judged = await place.judge(NOTE, FILL.format(mebi=9, where="."), "touch $HOME/begun")
    assert judged.evidence is Evidence.UNVERIFIED
    assert [check.reason for check in judged.checks] == [
        "It filled more than 8.0 MiB of the disk and was ended.",
        "It was not begun: an earlier command filled more than 8.0 MiB of the disk.",
    ]


async def test_a_check_that_never_stops_to_write_is_ended(place: Trial) -> None:
    def said(judged: Judged) -> tuple[CheckVerdict, str]:
        (check,) = judged.checks
        return check.judged, check.reason

    assert said(await place.judge(NOTE, f"head -c {MEBI} /dev/zero")) == (CheckVerdict.PASSED, "")
    ended = (CheckVerdict.COULD_NOT_RUN, "It wrote more than 1.0 MiB of output and was ended.")
    assert said(await place.judge(NOTE, "yes")) == ended
