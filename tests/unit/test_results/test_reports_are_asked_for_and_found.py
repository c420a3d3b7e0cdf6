from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from shared.workspace.test_results import read_failures, refuses_reports, report_environment, report_files
from shared.workspace.test_results.report_files import MAX_FILES
from tests.unit.test_results.recorded import text_of


def run_pytest(checkout: Path, reports: Path, command: str, **environment: str) -> tuple[int, str]:
    """Run ``command`` as a check would be, with ``pytest`` standing for this interpreter's."""
    plain = {
        "PATH": os.environ["PATH"],
        "CI": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }
    done = subprocess.run(
        ["/bin/sh", "-c", f'pytest() {{ "{sys.executable}" -m pytest "$@"; }}\n{command}'],
        cwd=checkout,
        env={**plain, **environment, **report_environment(reports, environment)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return done.returncode, done.stdout


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "check out"
    for name in ("one", "two"):
        (folder / name).mkdir(parents=True)
        (folder / name / "pytest.ini").write_text("[pytest]\n")
        (folder / name / f"test_{name}.py").write_text(f"def test_{name}():\n    assert 0\n")
    return folder


def test_pytests_in_two_folders_each_write_a_report(checkout: Path, tmp_path: Path) -> None:
    reports, began = tmp_path / "the reports", time.time()
    code, output = run_pytest(checkout, reports, "(cd one && pytest); cd two && pytest -rN --tb=no")
    found = report_files(reports, checkout, began)
    assert [path.name for path in found] == ["junit.xml", "junit.xml"]
    findings = read_failures("", code, output, found, checkout)
    assert findings.failed == ("test_one.test_one", "test_two.test_two")
    assert findings.failed_count == 2


def test_strict_projects_with_their_own_options_run_as_without_us(checkout: Path, tmp_path: Path) -> None:
    (checkout / "one" / "pytest.ini").write_text(
        "[pytest]\naddopts = --strict-config --strict-markers -o console_output_style=count -o xfail_strict=true\n"
        "filterwarnings = error\n"
    )
    (checkout / "one" / "test_one.py").write_text("def test_one(record_property):\n    record_property('a', 'b')\n")
    code, output = run_pytest(checkout / "one", tmp_path / "reports", "pytest", PYTEST_ADDOPTS="-k 'one or two'")
    assert code == 0, output
    assert "1 passed" in output


def test_an_operators_own_report_is_written_and_found(checkout: Path, tmp_path: Path) -> None:
    began = time.time()
    code, output = run_pytest(
        checkout / "one", tmp_path / "reports", "pytest --junitxml=junit.xml -o junit_family=xunit2"
    )
    found = report_files(tmp_path / "reports", checkout, began)
    assert found == [checkout / "one" / "junit.xml"]
    assert read_failures("", code, output, found, checkout).failed == ("test_one.test_one",)


def test_options_that_are_set_already_are_kept(tmp_path: Path) -> None:
    given = report_environment(tmp_path, {"PYTEST_ADDOPTS": "-x"})["PYTEST_ADDOPTS"]
    assert given.startswith("--maxfail=0 --continue-on-collection-errors -x -o junit_family=xunit1 --junitxml=")


def test_a_project_without_pytests_report_plugin_is_told(checkout: Path, tmp_path: Path) -> None:
    _, output = run_pytest(checkout / "one", tmp_path / "reports", "pytest -p no:junitxml")
    assert refuses_reports(output)
    assert not refuses_reports(text_of("pytest.txt"))


def write(path: Path, age: float = 0.0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("<testsuite/>")
    if age:
        os.utime(path, (time.time() - age,) * 2)
    return path


def test_reports_are_found_at_the_usual_places_and_nowhere_else(tmp_path: Path) -> None:
    checkout, reports = tmp_path / "checkout", tmp_path / "reports"
    wanted = [
        write(reports / "any.xml"),
        write(checkout / "app" / "build" / "test-results" / "test" / "TEST-a.xml"),
        write(checkout / "junit.xml"),
        write(checkout / "module" / "target" / "surefire-reports" / "TEST-com.example.A.xml"),
    ]
    write(checkout / "node_modules" / "x" / "junit.xml")
    write(checkout / "pom.xml")
    write(checkout / "target" / "surefire-reports" / "TEST-old.xml", age=60)
    (checkout / "a").mkdir()
    (checkout / "a" / "junit.xml").symlink_to(checkout / "junit.xml")
    (checkout / "linked").symlink_to(reports)
    os.mkfifo(checkout / "pytest.xml")
    assert report_files(reports, checkout, time.time() - 10) == wanted


def test_no_folder_gives_no_reports(tmp_path: Path) -> None:
    assert report_files(tmp_path / "none", tmp_path / "nothing", 0) == []


def test_reports_are_bounded(tmp_path: Path) -> None:
    for number in range(MAX_FILES + 5):
        (tmp_path / f"{number}.xml").touch()
    assert len(report_files(tmp_path, tmp_path / "none", 0)) == MAX_FILES


def test_surefire_is_known_by_its_folder(tmp_path: Path) -> None:
    report = write(tmp_path / "target" / "surefire-reports" / "TEST-a.xml")
    report.write_text(text_of("surefire-junit.xml"))
    found = read_failures("mvn -q test", 1, text_of("surefire.txt"), [report])
    assert (found.runner, len(found.failed), found.passed_count) == ("surefire", 4, 2)


@pytest.mark.parametrize(
    "report",
    [
        '<!DOCTYPE a [<!ENTITY b "x">]><testsuite><testcase name="&b;"><failure/></testcase></testsuite>',
        '<!DOCTYPE testsuite SYSTEM "file:///x"><testsuite><testcase name="a"><failure/></testcase></testsuite>',
        '<testsuite><testcase name="a"><failure/></testcase>',
        '<?xml version="1.0" encoding="no-such"?><testsuite><testcase name="a"><failure/></testcase></testsuite>',
        "",
        "<html/>",
    ],
    ids=["entity", "external", "cut", "encoding", "empty", "other"],
)
def test_what_is_no_plain_report_is_left_out(tmp_path: Path, report: str) -> None:
    (tmp_path / "junit.xml").write_text(report)
    assert read_failures("", 1, "", [tmp_path / "junit.xml"]).failed == ()


def test_links_pipes_and_missing_reports_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "real.xml").write_text("<testsuite><testcase name='a'><failure/></testcase></testsuite>")
    (tmp_path / "link.xml").symlink_to("real.xml")
    os.mkfifo(tmp_path / "pipe.xml")
    assert read_failures("", 1, "", [tmp_path / "real.xml"]).failed == ("a",)
    others = [tmp_path / name for name in ("link.xml", "pipe.xml", "none.xml")] + [tmp_path]
    assert read_failures("", 1, "", others).failed == ()


def test_pytest_goes_on_whatever_the_project_or_a_module_says(checkout: Path, tmp_path: Path) -> None:
    (checkout / "one" / "pytest.ini").write_text("[pytest]\naddopts = -x\n")
    (checkout / "one" / "test_none.py").write_text("import nosuchmodule\n")
    (checkout / "one" / "test_last.py").write_text("def test_last():\n    assert 0\n")
    code, output = run_pytest(checkout / "one", tmp_path / "reports", "pytest")
    found = read_failures("", code, output, [], checkout)
    assert found.failed == ("test_last.test_last", "test_one.test_one")
    assert found.broken == ("test_none (not collected)",)
    assert not found.stopped


def test_go_is_asked_for_names_beside_the_flags_that_are_set_already(tmp_path: Path) -> None:
    assert report_environment(tmp_path)["GOFLAGS"] == "-test.v"
    assert report_environment(tmp_path, {"GOFLAGS": "-mod=mod"})["GOFLAGS"] == "-mod=mod -test.v"
    settings = tmp_path / ".config" / "go" / "env"
    settings.parent.mkdir(parents=True)
    settings.write_text("GOPROXY=off\nGOFLAGS=-tags=mine\n")
    assert report_environment(tmp_path, {"HOME": str(tmp_path)})["GOFLAGS"] == "-tags=mine -test.v"


def test_a_makefile_with_flags_of_its_own_for_go_keeps_them(tmp_path: Path) -> None:
    (tmp_path / "Makefile").write_text("GOFLAGS ?= -race\n")
    assert "GOFLAGS" not in report_environment(tmp_path, {}, tmp_path)


def test_a_flag_that_a_command_of_go_does_not_know_is_taken_back() -> None:
    assert refuses_reports("flag provided but not defined: -test.v\nusage: go build\n")
    assert refuses_reports("go: parsing $GOFLAGS: unknown flag -test.v\n")
    assert not refuses_reports("flag provided but not defined: -v\n")
