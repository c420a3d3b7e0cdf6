"""Which tests failed in one run of a check command, and whether the base commit fails in the same way.

``read_failures`` reads report files and the output of a run, ``compare`` sets a run at the result beside a run at the
base. ``report_environment`` and ``report_files`` say how runners are made to write reports and where those are found.
Nothing here runs a command; only report files are read.
"""

from shared.workspace.test_results.compare import Comparison, Kind, Run, compare, ended_early, fewer_tests, same_output
from shared.workspace.test_results.failing_lines import failing_lines
from shared.workspace.test_results.findings import Findings, read_failures
from shared.workspace.test_results.lost import Lost, deleted_among, lost_tests, not_told, red_before
from shared.workspace.test_results.normalise import normalise
from shared.workspace.test_results.report_files import refuses_reports, report_environment, report_files
from shared.workspace.test_results.stopped import ended_without_a_word

__all__ = [
    "Comparison",
    "Findings",
    "Kind",
    "Lost",
    "Run",
    "compare",
    "deleted_among",
    "ended_early",
    "ended_without_a_word",
    "failing_lines",
    "fewer_tests",
    "lost_tests",
    "normalise",
    "not_told",
    "read_failures",
    "red_before",
    "refuses_reports",
    "report_environment",
    "report_files",
    "same_output",
]
