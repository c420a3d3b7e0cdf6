"""What an agent, a stranger or a repository wrote runs in the sandbox: nobody starts programs but who is named here."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
SPAWNS: Final = {
    "subprocess": {"run", "call", "Popen", "check_call", "check_output", "getoutput", "getstatusoutput"},
    "asyncio": {"create_subprocess_exec", "create_subprocess_shell"},
    "os": {
        *("system", "popen", "fork", "forkpty", "posix_spawn", "posix_spawnp"),
        *("execl", "execle", "execlp", "execlpe", "execv", "execve", "execvp", "execvpe"),
        *("spawnl", "spawnle", "spawnlp", "spawnlpe", "spawnv", "spawnve", "spawnvp", "spawnvpe"),
    },
    "pty": {"fork", "spawn"},
    "multiprocessing": {"Process", "Pool", "get_context"},
    "concurrent.futures": {"ProcessPoolExecutor"},
    "shared.workspace.child": {"Child"},
}
DOORS: Final = {
    "shared/claude/process/process.py": "the CLI: what the sandbox makes of it, and its wrapper",
    "shared/workspace/checks.py": "set-up and checks: what the sandbox makes of them",
    "shared/sandbox/self_test.py": "a question to the sandbox",
    "shared/workspace/child.py": "how a door starts its program",
    "shared/workspace/git.py": "our own git, without hooks, filters and settings of anybody",
    "shared/claude/demo/repo.py": "git, for the demonstration's repository, which we wrote",
    "shared/nats/server.py": "the NATS server",
    "cli/supervisor/process.py": "the services",
    "cli/doctor/machine.py": "what the machine has, by its versions",
}


def spawns(text: str) -> Iterator[str]:
    """What of a module starts programs, by name and line."""
    tree = ast.parse(text)
    modules: dict[str, str] = {}
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                modules |= {alias.asname or alias.name: alias.name for alias in names if alias.name in SPAWNS}
            case ast.ImportFrom(module=str(module), names=names) if module in SPAWNS:
                yield from (f"{each.name} in line {node.lineno}" for each in names if each.name in SPAWNS[module])
            case ast.Attribute(attr="subprocess_exec" | "subprocess_shell"):
                yield f"{node.attr} in line {node.lineno}"
            case _:
                pass
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=of, attr=name) if name in SPAWNS.get(modules.get(ast.unparse(of), ""), ()):
                yield f"{name} in line {node.lineno}"
            case _:
                pass


def product() -> dict[str, list[str]]:
    files = (file for part in ("shared", "services", "cli") for file in (ROOT / part).rglob("*.py"))
    texts = {str(file.relative_to(ROOT)): file.read_text("utf-8") for file in files}
    words = ("subprocess", "import os", "from os", "pty", "multiprocessing", "concurrent", "Child")
    found = {name: list(spawns(text)) for name, text in texts.items() if any(word in text for word in words)}
    return {name: spawned for name, spawned in found.items() if spawned}


def test_programs_are_started_where_it_is_said_and_nowhere_else() -> None:
    found = product()
    assert {name: spawned for name, spawned in found.items() if name not in DOORS} == {}, "start it by a door"
    assert sorted(DOORS) == sorted(found), "a door that starts nothing any more"


def test_the_doors_to_what_others_wrote_lead_through_the_sandbox() -> None:
    for door in ("shared/claude/process/process.py", "shared/workspace/checks.py"):
        assert ".command(" in (ROOT / door).read_text("utf-8")


def test_a_spawn_is_seen_however_it_is_written() -> None:
    for text in (
        "import subprocess\nsubprocess.run(['x'])",
        "from subprocess import run\nrun(['x'])",
        "import subprocess as s\ns.Popen(['x'])",
        "import os\nos.execv('x', [])",
        "from asyncio import create_subprocess_exec as start\nstart('x')",
        "import asyncio\nasyncio.create_subprocess_shell('x')",
        "import concurrent.futures\nconcurrent.futures.ProcessPoolExecutor()",
        "from shared.workspace.child import Child",
        "loop.subprocess_exec(x)",
    ):
        assert list(spawns(text)), text
    assert not list(spawns("import os\nos.path.exists('x')\nclient.call('x')\nrun()\n"))
