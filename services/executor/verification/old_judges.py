"""What a check that passes does not prove by the judges that the base commit has (pure)."""

from __future__ import annotations

from services.executor.verification.naming import listed
from shared.workspace.test_results import Findings, Kind, Run, compare, lost_tests


def not_proven(now: Findings, again: Run, before: Run | None, *, all_of_them: bool) -> str:
    """What ``again``, the run with the files of the base commit that judge, does not show; nothing where it shows all.

    ``now`` was found with the result's own files. ``before`` is the run at the base commit, None where there is none to
    compare with. ``all_of_them``: tests that the result does not run any more have to pass too.
    """
    old = again.findings
    if before is not None and all_of_them and before.findings.ran:
        then = before.findings
        green = {*then.ran} - {*then.failed, *then.hidden}
        not_green = tuple(sorted(green & {*old.failed, *old.hidden, *lost_tests(old, then).names}))
        if not_green or not old.ran:
            return _do_not_pass(not_green) or "it does not pass"
        return ""
    if before is not None and now.ran:
        then = before.findings
        # Those that the result brings may need what it has changed.
        green = {*now.ran} & {*then.ran} - {*now.failed, *now.hidden, *then.failed, *then.hidden}
        return _do_not_pass(tuple(sorted(green - ({*old.ran} - {*old.failed, *old.hidden}))))
    if before is not None and compare(again, before).kind is Kind.SAME:
        return ""
    return "it does not pass"


def _do_not_pass(names: tuple[str, ...]) -> str:
    return f"these tests do not pass: {listed(names)}" if names else ""
