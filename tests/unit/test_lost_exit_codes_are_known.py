"""A command that ends with 0 says nothing of a program whose exit code a pipe, ``|| true`` or what follows has lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.workspace.exit_codes import Hidden, can_fail, hidden_exit_codes

MAKEFILE = (
    "piped:\n\t@mycc a.c 2>&1 | tee log\n"
    "many: piped\n"
    "loop:\n\tfor f in *.c; do lint $$f; done\n"
    "strict:\n\tfor f in *.c; do lint $$f || exit 1; done\n"
    "helped:\n\tmycc $(./helper)\n"
    "kept:\n\tr=0; lint a || r=1; lint b || r=1; exit $$r\n"
)
FILES = {
    "Makefile": MAKEFILE,
    "sub/Makefile": ".SHELLFLAGS := -eu -o pipefail -c\nall:\n\tmycc | tee log\n",
    "check.sh": "#!/bin/sh\nlint a\nlint b\n",
    "helper": "#!/bin/sh\nfetch-tool || true\n",
    "strict.sh": "#!/bin/sh\nset -e\nlint a\nlint b\nlint c | cat\n",
    "package.json": '{"scripts": {"test": "lint . | cat && jest", "ok": "lint . && jest"}}\n',
    "web/package.json": '{"scripts": {"test": "lint . | cat"}}\n',
    "blind.py": "import subprocess\nsubprocess.run(['lint'])\nprint('all fine')\n",
    "looks.py": "import subprocess\nsubprocess.run(['lint'], check=True)\n",
    "blind.mjs": "spawnSync('lint', ['a'])\nconsole.log('fine')\n",
    "looks.js": "process.exit(spawnSync('lint').status)\n",
    "quiet/package.json": '{"scripts": {"test": "lint . || true", "say": "echo none yet"}}\n',
    "quiet/Makefile": "test:\n\t@echo none yet\nall: test\n\tlint .\n",
    "allowed.sh": "lint . || true\n",
    "tox.ini": "[testenv]\ncommands =\n    - lint src\n    pytest\n",
}


@pytest.mark.parametrize(
    ("command", "by"),
    [
        ("mycc a.c | tee log", "a pipe"),
        ("mycc a.c 2>&1 |& cat", "a pipe"),
        ("FLAGS=-w timeout 60 ./build.sh | tee log", "a pipe"),
        ("mycc && lint | tee log", "a pipe"),
        ("sh -c 'mycc | tee log'", "a pipe"),
        ("mycc || true", "`|| true`"),
        ("mycc && lint || :", "`|| :`"),
        ("mycc || echo failed", "`|| echo`"),
        ("mycc || exit 0", "`|| exit`"),
        ("mycc || { echo it failed; exit 0; }", "`|| echo`"),
        ("mycc; true", "the commands behind it"),
        ("mycc\necho done", "the commands behind it"),
        ("(cd a && mycc); echo done", "the commands behind it"),
        ("for f in *; do lint $f; done", "a loop"),
        ("mycc &", "`&`"),
        ("mycc & wait", "`&`"),
        ("find . -name '*.c' -exec lint {} \\;", "find"),
        ("flake8 --exit-zero", "an option"),
        ("cat <<END | tee log\nit's\nEND", "`| tee`"),
        ("make piped", "a pipe"),
        ("make many", "a pipe"),
        ("cd . && make loop", "a loop"),
        ("sh check.sh", "the commands behind it"),
        ("./strict.sh", "a pipe"),
        ("npm test", "a pipe"),
        ("cd web && npm test", "a pipe"),
        ("yarn --cwd web test", "a pipe"),
        ("cd quiet && npm test", "`|| true`"),
        ("sh allowed.sh", "`|| true`"),
        ("pytest & lint", "`&`"),
        ("node --test a.js & node b.js & wait", "`&`"),
        ("python3 blind.py", "a script that does not look at what it starts"),
        ("cd . && node blind.mjs", "a script that does not look at what it starts"),
        ("tox", "tox, which ignores it"),
    ],
)
def test_what_hides_an_exit_code_is_named(command: str, by: str, tmp_path: Path) -> None:
    assert by in [each.by for each in hidden(command, tmp_path)]


@pytest.mark.parametrize(
    "command",
    [
        "mycc a.c",
        "mycc > log 2>&1",
        "set -o pipefail; mycc | tee log",
        "set -e; mycc; lint",
        "mycc && lint",
        "mycc || lint",
        "mycc; r=$?; cat log; exit $r",
        "if mycc; then echo yes; else exit 1; fi",
        "if [ -f a ]; then mycc; else lint; fi",
        "! mycc",
        "(cd a && mycc) || exit 1",
        "mycc & wait $!",
        "pytest & wait $!",
        "node server.js & node --test",
        "python3 looks.py && node looks.js",
        "./server & pytest",
        'test -z "$(gofmt -l .)"',
        "cat log | grep -v noise",
        "git ls-files '*.c' | xargs lint",
        "go list ./... | xargs go vet",
        "find . -name '*.c' -exec lint {} +",
        "echo 'a | b; c' # || true",
        "make strict | tee log",
        "make kept",
        "make -C sub",
        "npm run ok",
        "lint || true; mycc",
        "flake8 --exit-zero && mycc",
        "lint > log || true; ! grep -q error log",
        "npm ci\nmycc",
        "pip install -q lint | tail -1; mycc",
        "make helped",
        "mycc || (echo it failed && exit 1)",
        "mycc || { echo it failed; exit 1; }; lint",
        "mycc || { echo it failed; false; }",
        "case $1 in test) mycc ;; lint) lint . ;; esac",
        "bash -eo pipefail -c 'mycc | tee log; lint | cat'",
        "go test ./... && go tool cover -func=c.out | tail -n 1",
    ],
)
def test_what_keeps_its_exit_code_is_not_named(command: str, tmp_path: Path) -> None:
    assert hidden(command, tmp_path) == []


@pytest.mark.parametrize(
    ("command", "can"),
    [
        ("cd quiet && make test", False),
        ("cd quiet && npm run say", False),
        ("cd quiet && make all", True),
        ("npm test", True),
        ("make nothing-is-known-of", True),
        ("true", True),
    ],
)
def test_a_target_that_only_prints_words_cannot_fail(command: str, can: bool, tmp_path: Path) -> None:
    hidden(command, tmp_path)
    assert can_fail(command, tmp_path) is can


def hidden(command: str, folder: Path) -> list[Hidden]:
    for name, text in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    return hidden_exit_codes(command, folder)
