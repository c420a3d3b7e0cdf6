"""A small project for each way to test that we know well: one test is red before, another one can be broken."""

from __future__ import annotations

import shutil
from typing import Final

import msgspec

from tests.integration.verification.trials import Files, go_caches


class Project(msgspec.Struct, frozen=True, kw_only=True):
    """``second`` breaks another test, which is ``named`` so; ``broken`` makes what cannot be built or loaded.

    ``checks`` are detected where there are none. Without ``tool`` on this machine, the check cannot run.
    """

    name: str
    tool: str
    files: Files
    second: Files
    named: str
    broken: Files
    checks: tuple[str, ...] = ()

    @property
    def can_run(self) -> bool:
        return shutil.which(self.tool) is not None


PYTEST: Final = (
    "from click import f\n\n\ndef test_red():\n    assert f() == 2\n\n\ndef test_ok():\n    assert f() == 1\n"
)
UNITTEST: Final = (
    "import unittest\n\nimport app\n\n\nclass T(unittest.TestCase):\n"
    "    def test_red(self): self.assertEqual(app.f(), 2)\n"
    "    def test_ok(self): self.assertEqual(app.f(), 1)\n"
)
NODE: Final = (
    "const { test } = require('node:test');\nconst assert = require('node:assert');\nconst { f } = require('./a');\n"
    "test('red', () => assert.equal(f(), 2));\ntest('fine', () => assert.equal(f(), 1));\n"
)
GO: Final = (
    'package a\n\nimport "testing"\n\n'
    'func TestRed(t *testing.T) {\n\tif F() != 2 {\n\t\tt.Fatal("red")\n\t}\n}\n\n'
    'func TestOk(t *testing.T) {\n\tif F() != 1 {\n\t\tt.Fatal("broken")\n\t}\n}\n'
)
RUST: Final = "pub fn f() -> i32 {{ {0} }}\n\n#[test]\nfn red() {{ assert_eq!(f(), 2) }}\n"
SUREFIRE: Final = (
    'n=$(cat number); case "$n" in [0-9]*) ;; *) echo "[ERROR] App.java:[1,1] cannot find symbol";; esac\n'
    "mkdir -p target/surefire-reports\n"
    "red=\"<testcase classname='AppTest' name='red'><failure message='not 2'/></testcase>\"\n"
    "fine=\"<testcase classname='AppTest' name='fine'>\"\n"
    '[ "$n" = 1 ] || fine="$fine<failure message=\'not 1\'/>"\n'
    "echo \"<testsuite name='AppTest'>$red$fine</testcase></testsuite>\" > target/surefire-reports/TEST-AppTest.xml\n"
    "exit 1\n"
)
"""What surefire leaves of two tests, where no Maven can run offline."""


def go_cache() -> str:
    """Go's standard library is built once for this machine, and not for each folder of a test."""
    return "".join(f"GOCACHE={folder} GOTOOLCHAIN=local " for folder in go_caches())


PROJECTS: Final = (
    Project(
        name="python-src-layout",
        tool="python3",
        files={
            "pyproject.toml": '[project]\nname = "click"\nversion = "1"\n[tool.pytest.ini_options]\naddopts = "-x"\n',
            # The plugins of this project's own tests cost a second each time.
            "Makefile": "test:\n\tPYTEST_DISABLE_PLUGIN_AUTOLOAD=1 python3 -m pytest\n",
            "src/click/__init__.py": "def f(): return 1\n",
            "tests/test_f.py": PYTEST,
        },
        second={"src/click/__init__.py": "def f(): return 3\n"},
        named="tests.test_f.test_ok",
        broken={"src/click/__init__.py": 'raise RuntimeError("none of the machine\'s")\n'},
    ),
    Project(
        name="python-flat",
        tool="python3",
        files={"app.py": "def f(): return 1\n", "test_app.py": UNITTEST},
        second={"app.py": "def f(): return 3\n"},
        named="test_app.T.test_ok",
        broken={"app.py": "def f(: return 1\n"},
    ),
    Project(
        name="python-tox",
        tool="tox",
        files={"tox.ini": "[testenv]\ncommands = python -m unittest\n", "app.py": "x = 1\n", "test_app.py": UNITTEST},
        second={"app.py": "def f(): return 3\n"},
        named="test_app.T.test_ok",
        broken={"app.py": "def f(: return 1\n"},
    ),
    Project(
        name="javascript-npm",
        tool="npm",
        files={
            "package.json": '{"name": "a", "scripts": {"test": "node --test"}}\n',
            "a.js": "exports.f = () => 1;\n",
            "a.test.js": NODE,
        },
        second={"a.js": "exports.f = () => 3;\n"},
        named="fine",
        broken={"a.js": "exports.f = () => {\n"},
    ),
    Project(
        name="javascript-pnpm",
        tool="pnpm",
        files={
            "package.json": '{"name": "a", "scripts": {"test": "node --test"}}\n',
            "pnpm-lock.yaml": "lockfileVersion: '9.0'\n",
            "a.js": "exports.f = () => 1;\n",
            "a.test.js": NODE,
        },
        second={"a.js": "exports.f = () => 3;\n"},
        named="fine",
        broken={"a.js": "exports.f = () => {\n"},
    ),
    Project(
        name="go",
        tool="go",
        files={
            "go.mod": "module example.com/m\n\ngo 1.20\n",
            "a/a.go": "package a\n\nfunc F() int { return 1 }\n",
            "a/a_test.go": GO,
            "b/b.go": "package b\n\nfunc G() int { return 1 }\n",
        },
        second={"a/a.go": "package a\n\nfunc F() int { return 3 }\n"},
        named="example.com/m/a.TestOk",
        broken={"b/b.go": 'package b\n\nfunc G() int { return "one" }\n'},
        checks=(f"{go_cache()}go test ./...",),
    ),
    Project(
        name="rust",
        tool="cargo",
        files={
            "Cargo.toml": '[package]\nname = "m"\nversion = "0.1.0"\nedition = "2021"\n',
            "src/lib.rs": RUST.format(1),
            "tests/other.rs": "#[test]\nfn fine() { assert_eq!(m::f(), 1) }\n",
        },
        second={"src/lib.rs": RUST.format(3)},
        named="other (tests/other.rs) fine",
        broken={"src/lib.rs": RUST.format('"one"')},
    ),
    Project(
        name="java-reports",
        tool="sh",
        files={"number": "1\n", "check.sh": SUREFIRE},
        second={"number": "3\n"},
        named="AppTest.fine",
        broken={"number": "one\n"},
        checks=("sh check.sh",),
    ),
)
