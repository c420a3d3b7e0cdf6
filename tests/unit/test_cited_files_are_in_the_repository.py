"""Who reads a docstring or a page can open what it cites."""

from __future__ import annotations

import io
import re
import subprocess
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
PAGE: Final = re.compile(r"(?<![\w/.<>*-])[\w./-]*\w\.md\b")
SOURCE: Final = re.compile(
    r"(?<![\w/.<>*~-])(?:\.ci|agents|bench|cli|deploy|docs|scripts|services|shared|testing|tests|web)/[\w./-]*\w"
    r"\.(?:css|json|mjs|py|sh|sql|toml|tsx?|yaml)\b"
)
LINK: Final = re.compile(r"\]\((?!\w+:|#)([^)#\s]+)")
COMMENT: Final = re.compile(r"/\*.*?\*/|//[^\n]*|^\s*#[^\n]*", re.DOTALL | re.MULTILINE)
OUTSIDE: Final = re.compile(r"\b(?:CONTRACT|DESIGN)\b|\bfacts/|\.\./shared/")
"""Notes that people keep beside a checkout, and that no clone has."""
EXAMPLES: Final = frozenset({"AGENTS.md", "CLAUDE.md", "CONTRIBUTING.md", "instructions.md"})
"""Files of the repositories that agents work in, and of an agent's run."""
MADE_UP: Final = frozenset(
    {
        *("services/gateway/inbound/acme.py", "services/gateway/inbound/acme_missed.py"),
        "services/gateway/inbound/acme_details.py",
        *("services/gateway/outbound/channels/acme.py", "cli/doctor/acme.py"),
        *("tests/test_a.py", "tests/test_money.py"),
    }
)
"""Sources that a page or a skill makes up to show something."""


def tracked(*suffixes: str) -> list[Path]:
    """The repository's own files with these suffixes."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    )
    files = (ROOT / name for name in listed.stdout.split("\0") if name.endswith(suffixes))
    return [file for file in files if file.is_file()]


def commentary(file: Path) -> Iterator[str]:
    """The comments and docstrings of a source file; all of a page."""
    text = file.read_text("utf-8")
    match file.suffix:
        case ".py":
            for token in tokenize.generate_tokens(io.StringIO(text).readline):
                if token.type == tokenize.COMMENT or token.string.startswith('"""'):
                    yield token.string
        case ".md":
            yield text
        case _:
            yield from COMMENT.findall(text)


def exists(cited: str, file: Path) -> bool:
    """Whether it is there: from the root, from the citing file's folder, or, for a bare name, anywhere."""
    if "/" not in cited:
        return any(page.name == cited for page in tracked(".md"))
    return (ROOT / cited).exists() or (file.parent / cited).exists()


def dangling(file: Path) -> list[str]:
    """What the file cites and no clone has."""
    said = "\n".join(commentary(file))
    pages = {page for page in PAGE.findall(said) if Path(page).name not in EXAMPLES}
    links = set(LINK.findall(said)) if file.suffix == ".md" else set()
    sources = set(SOURCE.findall(said)) - MADE_UP
    return [each for each in sorted(pages | sources | links) if not exists(each, file)] + OUTSIDE.findall(said)


def test_every_file_that_a_docstring_a_comment_or_a_page_cites_is_in_the_repository() -> None:
    files = [
        each for each in tracked(".py", ".ts", ".tsx", ".md", ".mjs", ".sh", ".yaml", ".toml") if each != Path(__file__)
    ]
    assert len(files) > 300
    assert {str(file.relative_to(ROOT)): found for file in files if (found := dangling(file))} == {}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('"""The rules (CONTRACT.md)."""\n', ["CONTRACT.md", "CONTRACT"]),
        ("# see docs/nowhere.md\n", ["docs/nowhere.md"]),
        ("# see docs/architecture.md\n", []),
        ("# see shared/claude/demo_model.py\n", ["shared/claude/demo_model.py"]),
        ("# see shared/claude/demo/model.py\n", []),
        ('PATH = "docs/nowhere.md"\n', []),
    ],
)
def test_only_a_citation_of_what_is_nowhere_is_found(tmp_path: Path, text: str, found: list[str]) -> None:
    module = tmp_path / "made_up.py"
    module.write_text(text)
    assert dangling(module) == found
