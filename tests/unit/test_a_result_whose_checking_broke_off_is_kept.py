from __future__ import annotations

from services.executor.conclusion import broken_off
from shared.contracts import run
from shared.contracts.evidence import Evidence, Note, NoteKind
from shared.contracts.messages import ArtifactRef

BUNDLE = ArtifactRef(name="result.bundle", sha256="0" * 64, size=1)
COMMIT, TREE, PARENT = "c" * 40, "d" * 40, "e" * 40
NOTE = Note(kind=NoteKind.HELD_BACK, sentence="a cache")
RESULT = run.RecordCommit(
    attempt=1,
    commit="c" * 40,
    tree="d" * 40,
    parent="e" * 40,
    bundle=BUNDLE,
    diff=BUNDLE,
    summary="Done.",
    notes=(NOTE,),
)


def test_a_result_whose_checking_broke_off_is_offered_with_its_own_commit_and_nothing_known_of_it() -> None:
    failed = run.Fail(attempt=2, code="workspace-failed", message="Git could not read it.")
    told = broken_off(failed, RESULT, "journeyman/x")
    assert told.result is not None
    assert (told.result.commit, told.result.checked_commit, told.result.bundle) == (
        RESULT.commit,
        RESULT.commit,
        BUNDLE,
    )
    assert (told.attempt, told.evidence, told.notes) == (2, Evidence.UNVERIFIED, (NOTE,))
    assert told.message.startswith("Git could not read it. The agent's work is done and kept")
    assert "Publish the result as it is, retry from it, or retry afresh." in told.message
