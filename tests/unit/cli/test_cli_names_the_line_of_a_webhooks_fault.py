"""`journeyman webhook add FILE`: what is wrong in the file is told with its line, before anything is sent."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cli.failures import Failure
from cli.webhook_file import MAX_BYTES, read_webhook_file

GOOD = """\
name: builds
verification: { scheme: hmac, header: X-Build-Signature, prefix: "sha256=" }
paths: # JMESPath
  id: build.id
  title: build.name
filters:
  - status == 'failed'
  - branch == 'main'
directive: plan
"""


def test_a_file_as_the_handbook_has_it_is_read(tmp_path: Path) -> None:
    file = tmp_path / "hook.yaml"
    file.write_text(GOOD)
    assert read_webhook_file(file)["filters"] == ["status == 'failed'", "branch == 'main'"]


@pytest.mark.parametrize(
    ("old", "new", "line", "told"),
    [
        ("  title: build.name", "  title: build[", 5, "title"),
        ("  - branch == 'main'", "  - branch ==", 8, "filter 2"),
        ("  - branch == 'main'", "  - 7", 8, "Expected `str`"),
        ("  id: build.id", "  ident: build.id", 4, "no field 'ident'"),
        ("directive: plan", "directive: ship", 9, "'ship'"),
        ("directive: plan", "directve: plan", 9, "no field 'directve'"),
        ("directive: plan", "name: again", 9, "second time"),
        ("  title: build.name", "  title: [a, b]", 5, "Expected `str`"),
        ("scheme: hmac", "scheme: rot13", 2, "rot13"),
        ("scheme: hmac", "scheme: hmaq", 2, "Write one of hmac, bearer, basic, standard-webhooks, jwt, none"),
        ("scheme: hmac", "schema: hmac", 2, "no field 'schema'"),
        ("verification: {", "verification: }", 2, "no YAML"),
        ("directive: plan", "directive: plan\n\tdescription: x", 10, "no YAML"),
        ("  id: build.id", "  id: &a build.id\n  url: *a", 4, "alias"),
        ("directive: plan", "directive: !!python/object:os.system plan", 9, "no YAML"),
    ],
)
def test_a_fault_is_told_with_its_line(tmp_path: Path, old: str, new: str, line: int, told: str) -> None:
    file = tmp_path / "hook.yaml"
    assert old in GOOD
    file.write_text(GOOD.replace(old, new))
    with pytest.raises(Failure) as failure:
        read_webhook_file(file)
    assert f"line {line}" in str(failure.value) and told in str(failure.value), failure.value


@pytest.mark.parametrize(
    "content", [b"", b"- a\n", b"name: x\n", b"verification: hmac\n", b"\xff\xfe", b"x" * (MAX_BYTES + 1)]
)
def test_a_file_that_describes_no_webhook_is_told_so(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "hook.yaml"
    file.write_bytes(content)
    with pytest.raises(Failure, match=r"hook\.yaml"):
        read_webhook_file(file)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=80), st.sampled_from(GOOD.splitlines()))
def test_no_file_ends_in_a_traceback(tmp_path: Path, text: str, line: str) -> None:
    file = tmp_path / "hook.yaml"
    for written in (text, GOOD + text, GOOD.replace(line, text), f"verification: {text}"):
        file.write_text(written, errors="replace")
        with contextlib.suppress(Failure):
            read_webhook_file(file)
