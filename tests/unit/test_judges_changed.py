"""A change to what judges the work is told: tests, their configuration, scripts that checks run, CI."""

from __future__ import annotations

import time

import pytest

from shared.workspace.judges import MAX_FILES, JudgeChange, judges_changed

Tree = dict[str, str]


def told(before: Tree, after: Tree, *commands: str) -> list[str]:
    """What is told of the change from one tree to another, as ``path: what``."""
    return [f"{each.path}: {each.what}" for each in changes(before, after, *commands)]


CONFIGURATION = (
    *("conftest.py", "pkg/conftest.py", "pytest.ini", "tox.ini", "jest.config.js", "web/vitest.config.ts"),
    *(".mocharc.yml", "karma.conf.js", "playwright.config.ts", "phpunit.xml.dist", ".rspec", "spec/spec_helper.rb"),
    *(".config/nextest.toml", "test/test_helper.exs", ".coveragerc", ".mvn/maven.config"),
)
CI = (
    *(".github/workflows/ci.yml", ".gitlab-ci.yml", ".circleci/config.yml", "Jenkinsfile", "ci/run.sh"),
    *("azure-pipelines.yml", ".travis.yml"),
)


def test_what_npm_runs_scripts_with_is_told() -> None:
    told_of = told({}, {".npmrc": "script-shell=/bin/true\n"}, "npm test")
    assert told_of == [".npmrc: setting that puts another program in the place of the test runner added"]


@pytest.mark.parametrize("path", CONFIGURATION)
def test_test_configuration_is_told_whether_it_is_new_changed_or_gone(path: str) -> None:
    assert told({}, {path: "b"}) == [f"{path}: test configuration added"]
    assert told({path: "a"}, {path: "b"}) == [f"{path}: test configuration changed"]
    assert told({path: "a"}, {}) == [f"{path}: test configuration deleted"]


@pytest.mark.parametrize("path", CI)
def test_ci_configuration_is_told(path: str) -> None:
    assert told({path: "a"}, {path: "b"}) == [f"{path}: CI configuration changed"]


@pytest.mark.parametrize(
    ("path", "before", "unrelated", "related"),
    [
        (
            "pyproject.toml",
            "[project]\nversion = '1'\n[tool.pytest.ini_options]\naddopts = ''\n",
            "[project]\nversion = '2'\n[tool.pytest.ini_options]\naddopts = ''\n",
            "[project]\nversion = '1'\n[tool.pytest.ini_options]\naddopts = '--ignore=x'\n",
        ),
        (
            "setup.cfg",
            "[metadata]\nname = a\n",
            "[metadata]\nname = b\n",
            "[tool:pytest]\nx = y\n[metadata]\nname = a\n",
        ),
        (
            "package.json",
            '{"version": "1", "scripts": {"test": "jest", "start": "x"}}',
            '{"version": "2", "scripts": {"test": "jest", "start": "y"}, "dependencies": {"z": "1"}}',
            '{"version": "1", "scripts": {"test": "jest || true", "start": "x"}}',
        ),
        ("package.json", '{"jest": {"bail": 1}}', '{"name": "x", "jest": {"bail": 1}}', '{"jest": {"bail": 0}}'),
        ("pom.xml", "<a>1</a>\n", "<a>2</a>\n", "<a>1</a>\n<skipTests>true</skipTests>\n"),
        ("Cargo.toml", "[lib]\n", "[lib]\nname = 'x'\n", "[lib]\ntest = false\n"),
        ("pyproject.toml", "a = 1", "a = 1 # same", "= broken"),
    ],
)
def test_of_files_with_other_things_in_them_only_the_part_about_tests_is_told(
    path: str, before: str, unrelated: str, related: str
) -> None:
    assert told({path: before}, {path: unrelated}) == []
    assert told({path: before}, {path: related}) == [f"{path}: test configuration changed"]


MAKEFILE = "FLAGS = -x\ntest: build\n\t./scripts/check.sh\nbuild:\n\tcc a.c\ndeploy:\n\tscp a b\n"


@pytest.mark.parametrize(
    ("old", "new", "is_told"),
    [
        ("\tscp a b", "\tscp a c", False),
        ("deploy:", "release:", False),
        ("\t./scripts/check.sh", "\ttrue", True),
        ("\tcc a.c", "\tcc -DX a.c", True),
        ("FLAGS = -x", "FLAGS = -y", True),
    ],
)
def test_of_a_makefile_the_targets_that_the_checks_call_are_told(old: str, new: str, is_told: bool) -> None:
    change = {"Makefile": MAKEFILE}, {"Makefile": MAKEFILE.replace(old, new)}
    assert told(*change, "make test") == (["Makefile: commands that the checks run changed"] if is_told else [])
    assert told(*change, "go test ./...") == []


def test_the_recipes_of_a_justfile_and_the_tasks_of_a_taskfile_are_told() -> None:
    before = {"justfile": "test arg='':\n  cargo test\nfmt:\n  cargo fmt\n", "Taskfile.yml": "tasks:\n  test:\n"}
    after = {"justfile": before["justfile"].replace("cargo test", "true"), "Taskfile.yml": "tasks:\n  test: []\n"}
    assert told(before, after, "just test", "task test") == [
        "Taskfile.yml: commands that the checks run changed",
        "justfile: commands that the checks run changed",
    ]
    assert told(before, before | {"justfile": before["justfile"].replace("fmt", "format")}, "just test") == []


@pytest.mark.parametrize(
    ("path", "commands"),
    [
        ("check.sh", ["sh check.sh"]),
        ("tools/check", ["./tools/check --all"]),
        ("api/tools/check.py", ["cd api && python3 tools/check.py"]),
        ("scripts/check.sh", ["make test"]),
        ("scripts/lint.js", ["npm test"]),
    ],
)
def test_scripts_that_the_checks_run_are_told(path: str, commands: list[str]) -> None:
    tree = {"Makefile": MAKEFILE, "package.json": '{"scripts": {"pretest": "node scripts/lint.js", "test": "x"}}'}
    assert told(tree | {path: "a"}, tree | {path: "b"}, *commands) == [f"{path}: script that the checks run changed"]
    assert told(tree | {path: "a"}, tree | {path: "b"}, "cargo test") == []


# For each language: a file name, a test, the same test asserting less, and the same test skipped.
LANGUAGES = [
    (
        "tests/test_a.py",
        "def test_NAME():\n    assert f()\n",
        "assert f()",
        "f()",
        "def test",
        "@pytest.mark.skip\ndef test",
    ),
    ("a.test.ts", "it('NAME', () => {\n  expect(f()).toBe(1)\n})\n", "expect(f()).toBe(1)", "f()", "it(", "it.skip("),
    (
        "a_test.go",
        "func TestNAME(t *testing.T) {\n\tt.Fatal(1)\n}\n",
        "t.Fatal(1)",
        "f()",
        ") {\n",
        ") {\n\tt.Skip()\n",
    ),
    ("src/lib.rs", "#[test]\nfn NAME() {\n    assert_eq!(f(), 1);\n}\n", "assert_eq!", "drop", "fn ", "#[ignore]\nfn "),
    (
        "src/test/java/ATest.java",
        '@Test\n@Tag("x")\nvoid NAME() {\n  assertEquals(1, f());\n}\n',
        "assertEquals(1, f())",
        "f()",
        "void",
        "@Disabled\nvoid",
    ),
    (
        "A.Tests/ATests.cs",
        "[Fact]\npublic void NAME() {\n  Assert.Equal(1, F());\n}\n",
        "Assert",
        "F",
        "[Fact]",
        '[Fact(Skip = "x")]',
    ),
    (
        "spec/a_spec.rb",
        "it 'NAME' do\n  expect(f).to eq 1\nend\n",
        "expect(f).to eq 1",
        "f",
        "  expect",
        "  skip\n  expect",
    ),
    (
        "tests/ATest.php",
        "public function testNAME() {\n  $this->assertSame(1, f());\n}\n",
        "$this->assertSame",
        "f",
        "  $this",
        "  $this->markTestSkipped(); $this",
    ),
    ("test/a_test.exs", 'test "NAME" do\n  assert f()\nend\n', "assert f()", "f()", "test ", "@tag :skip\ntest "),
    (
        "Tests/ATests.swift",
        "func testNAME() {\n  XCTAssertEqual(f(), 1)\n}\n",
        "XCTAssertEqual",
        "g",
        "  XCT",
        "  throw XCTSkip()\n  XCT",
    ),
    (
        "tests/a_test.cpp",
        "TEST(A, NAME) {\n  EXPECT_EQ(f(), 1);\n}\n",
        "EXPECT_EQ",
        "g",
        "  EXPECT",
        "  GTEST_SKIP();\n  EXPECT",
    ),
]


@pytest.mark.parametrize(
    ("path", "text", "strong", "weak", "plain", "skipped"), LANGUAGES, ids=[each[0] for each in LANGUAGES]
)
def test_weakened_tests_are_counted_in_every_language(
    path: str, text: str, strong: str, weak: str, plain: str, skipped: str
) -> None:
    one, two, three = (text.replace("NAME", name) for name in ("alpha", "beta", "gamma"))
    assert told({path: one + two + three}, {path: one}) == [f"{path}: 2 tests deleted"]
    assert told({path: one + two}, {path: one + two.replace(plain, skipped)}) == [f"{path}: 1 test skipped"]
    assert told({path: one + two}, {path: one + two.replace(strong, weak)}) == [f"{path}: 1 assertion fewer"]
    assert told({path: one + two}, {}) == [f"{path}: test file deleted with 2 tests"]
    # New, stronger, renamed and moved tests are no weaker ones.
    assert told({}, {path: one.replace(plain, skipped)}) == []
    assert told({path: one}, {path: one + two}) == []
    assert told({path: one + two}, {path: one + three}) == []
    head, _, name = path.rpartition("/")
    assert told({path: one + two}, {f"{head}/more/{name}".lstrip("/"): one + two + three}) == []


def test_a_test_that_leaves_the_others_out_is_told_also_in_a_new_file() -> None:
    assert told({}, {"a.test.js": "it.only('x', () => {})"}) == ["a.test.js: 1 mark added that leaves other tests out"]
    main = "func TestMain(m *testing.M) { os.Exit(0) }\n"
    assert told({}, {"main_test.go": main}) == ["main_test.go: 1 mark added that leaves other tests out"]


def test_a_test_that_is_made_to_pass_by_failing_is_told_and_a_new_one_of_that_kind_is_not() -> None:
    old, new = "#[test]\nfn a() { f() }\n", "#[test]\n#[should_panic]\nfn b() { g() }\n"
    assert told({"lib.rs": old}, {"lib.rs": old + new}) == []
    inverted = old.replace("fn", "#[should_panic]\nfn")
    assert told({"lib.rs": old}, {"lib.rs": inverted}) == ["lib.rs: 1 test made to pass by failing"]


def test_a_helper_of_tests_that_asserts_less_is_told() -> None:
    before = {"tests/helpers.py": "def check(a):\n    assert a\n", "app/helpers.py": "def check(a):\n    assert a\n"}
    after = dict.fromkeys(before, "def check(a):\n    pass\n")
    assert told(before, after) == ["tests/helpers.py: 1 assertion fewer"]


def test_an_assertion_behind_a_colon_is_one() -> None:
    before = {"test_a.py": "def test_a(): assert f()\n"}
    assert told(before, {"test_a.py": "def test_a(): return\n"}) == ["test_a.py: 1 assertion fewer"]


def test_deleted_tests_of_an_unknown_kind_and_changed_snapshots_are_told() -> None:
    before = {"t/a.bats": "x", "web/__snapshots__/a.snap": "1", "lib/test_help.lua": ""}
    assert told(before, {"web/__snapshots__/a.snap": "2"}) == [
        "lib/test_help.lua: test file deleted",
        "t/a.bats: test file deleted",
        "web/__snapshots__/a.snap: recorded expectations changed",
    ]


def changes(before: Tree, after: Tree, *commands: str) -> list[JudgeChange]:
    """What is told of the change from one tree to another."""
    files = [
        (path, "A" if path not in before else "D" if path not in after else "M")
        for path in sorted(before.keys() | after.keys())
        if before.get(path) != after.get(path)
    ]
    return judges_changed(files, lambda path: before.get(path, ""), lambda path: after.get(path, ""), commands)


def replacing(before: Tree, after: Tree, *commands: str) -> list[str]:
    """The paths of what takes the judge's place."""
    return [each.path for each in changes(before, after, *commands) if each.replaces]


def run(before: Tree, after: Tree, *commands: str) -> list[str]:
    """The paths of what is run by the checks or with the tests."""
    return [each.path for each in changes(before, after, *commands) if each.is_run]


def test_a_module_in_the_place_of_the_runner_is_told() -> None:
    assert told({}, {"pytest.py": "", ".venv/bin/python": ""}) == [
        ".venv/bin/python: installed package added",
        "pytest.py: module that takes the place of the test runner added",
    ]


@pytest.mark.parametrize(
    "path",
    [
        *("pytest.py", "pytest/__init__.py", "pytest/__main__.py", "_pytest/__init__.py", "unittest/__main__.py"),
        *("src/pluggy.py", "pytest.pyc", "pytest.cpython-311-x86_64-linux-gnu.so", "pytest", "api/pytest.py"),
        *("sitecustomize.py", "src/usercustomize.py", "lib/a.pth", "argparse.py", "src/dataclasses/__init__.py"),
        *("api/inspect.py", "src/coverage.py", ".venv/lib/python3/site-packages/x.py", "node_modules/.bin/jest"),
        *("web/node_modules/vitest/index.js", "vendor/bin/phpunit", "vendor/github.com/stretchr/testify/assert/a.go"),
        *("src/test/java/org/junit/jupiter/api/Assertions.java", "lib/minitest.rb", "include/gtest/gtest.h"),
        *("go", "tools/go", "tools/python3", "tools/grep", "npm", "gradle/wrapper/gradle-wrapper.jar"),
    ],
)
def test_a_file_that_takes_the_place_of_the_judge_replaces_it(path: str) -> None:
    makefile = {"Makefile": "PATH := $(PWD)/tools:$(PATH)\ntest:\n\tgo test && ./gradlew test\n"}
    commands = ("make test", "cd api && python3 -m pytest")
    assert replacing(makefile, makefile | {path: "x"}, *commands) == [path]
    assert replacing(makefile | {path: "x"}, makefile, *commands) == [], "what goes takes no place"


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        (".npmrc", "save-exact=true\n", "save-exact=true\nscript-shell=/bin/true\n"),
        (".yarnrc.yml", "", "yarnPath: ./yarn.cjs\n"),
        (".cargo/config.toml", "[build]\njobs = 1\n", "[target.x]\nrunner = 'true'\n"),
        ("Cargo.toml", "[lib]\nname = 'a'\n", "[lib]\nname = 'a'\nharness = false\n"),
        ("package.json", '{"devDependencies": {"jest": "^29.0.0"}}', '{"devDependencies": {"jest": "file:./jest"}}'),
        ("package.json", "{}", '{"overrides": {"vitest": "npm:mine@1.0.0"}}'),
        ("tools/jest/package.json", "", '{"name": "jest", "bin": "x.js"}'),
        ("pyproject.toml", "", "[project]\nname = 'pytest'\n"),
        ("pyproject.toml", "", "[tool.uv.sources]\npytest = { path = 'mine' }\n"),
        ("pyproject.toml", "", '[dependency-groups]\ndev = ["pytest @ file:./mine"]\n'),
        ("requirements-dev.txt", "pytest==8\n", "pytest @ file:./mine\n"),
        ("go.mod", "module a\n", "module a\nreplace github.com/stretchr/testify => ./mine\n"),
        ("Gemfile", "gem 'rspec'\n", "gem 'rspec', path: 'mine'\n"),
    ],
)
def test_a_setting_that_names_another_judge_replaces_it(path: str, before: str, after: str) -> None:
    assert replacing({path: before}, {path: after}, "npm test") == [path]
    assert replacing({path: after}, {path: after + " "}, "npm test") == [], "it was there before"


def test_what_is_named_like_a_judge_and_is_none_replaces_nothing() -> None:
    after = dict.fromkeys(
        [
            *("app/calendar.py", "app/__init__.py", "tests/unittest/test_a.py", "tests/unittest/__init__.py"),
            *("test/__init__.py", "scripts/coverage", "script/test", "bin/rspec", "docs/pytest.md", "pkg/pytest.py"),
            *("pkg/__init__.py", "tests/fixtures/node_modules/a/index.js", "go.sum", "tox.ini", "src/app/types.py"),
            *("gradle/wrapper/gradle-wrapper.jar", "internal/assert/assert.go", "spec/rspec_helper.rb", "src/types.ts"),
        ],
        "x",
    )
    after["package.json"] = '{"name": "a", "devDependencies": {"jest": ">=29.0.0-beta.1 <30 || *", "x": "file:./x"}}'
    after["Cargo.toml"] = "[[bench]]\nname = 'a'\nharness = false\n"
    assert replacing({}, after, "python3 -m pytest", "npm test") == []


def test_what_takes_the_place_of_the_judge_is_found_behind_any_number_of_files() -> None:
    files = [*((f"a{n}", "A") for n in range(MAX_FILES)), ("pytest.py", "A")]
    found = judges_changed(files, lambda _: "", lambda _: "")
    assert [each.path for each in found if each.replaces] == ["pytest.py"]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        *(
            (path, "x")
            for path in ("conftest.py", "tests/conftest.py", "jest.config.js", "scripts/check.sh", "extra.mk")
        ),
        *((path, "x") for path in ("test/env.js", "tools/plugged.py", "spec/boot.rb", "GNUmakefile")),
        ("tests/test_a.py", "import calc\ncalc.add = None\n\ndef test_a(): assert 1\n"),
        ("tests/test_a.py", "import sys\nsys.modules['calc'] = None\n"),
        ("tests/__init__.py", "from unittest import mock\nmock.patch('calc.add').start()\n"),
        ("tests/calc.py", "x"),
        ("tests/calc/__init__.py", "x"),
        ("calc_test.go", "package calc\n\nfunc init() { rate = 2 }\n"),
        ("test/a.test.js", "const calc = require('../calc')\ncalc.add = () => 3\n"),
        ("test/a.test.mjs", "import calc from '../calc.js'\ncalc.add = () => 3\n"),
        ("test/a.test.ts", "Number.prototype.toFixed = () => '3'\n"),
        ("tests/helpers.py", "import calc\nif True:\n    setattr(calc, 'add', None)\n"),
    ],
)
def test_what_is_run_with_the_tests_is_known(path: str, text: str) -> None:
    before = {
        "Makefile": ".PHONY: test\n-include *.mk\ntest:\n\tsh scripts/check.sh\n",
        "pyproject.toml": "[tool.pytest.ini_options]\naddopts = '-p tools.plugged'\n",
        "jest.config.ts": "export default { setupFiles: ['<rootDir>/test/env.js'] }\n",
        ".rspec": "--require boot\n",
        "scripts/check.sh": "true\n",
        "src/calc.py": "def add(a, b): return a + b\n",
    }
    assert run(before, before | {path: text}, "make test") == [path]
    assert replacing(before, before | {path: text}, "make test") == []


def test_a_file_at_the_name_of_a_target_is_known_unless_make_is_told_that_it_is_none() -> None:
    makefile = "test: unit\nunit:\n\tpython3 t.py\nlint:\n\truff\n"
    phony = f".PHONY: test \\\n  unit\n{makefile}"
    for path in ("test", "unit/x"):
        assert run({"Makefile": makefile}, {"Makefile": makefile, path: "x"}, "make test") == [path]
        assert run({"Makefile": phony}, {"Makefile": phony, path: "x"}, "make test") == []
    assert run({"Makefile": makefile}, {"Makefile": makefile, "lint": "x", "a/test": "x"}, "make test") == []
    assert run({"sub/Makefile": makefile}, {"sub/Makefile": makefile, "sub/test/x": "x"}, "make -C sub test") == [
        "sub/test/x"
    ]


def test_code_that_only_has_a_name_like_what_is_loaded_is_the_work() -> None:
    before = {
        "package.json": '{"main": "calc.js", "scripts": {"test": "node --require ./test/setup.js test/calc.test.js"}}',
        "vitest.config.ts": "test: { alias: { a: './src/a.ts' }, setupFiles: [\n  './test/b.ts',\n] }\n",
        "pyproject.toml": "[project]\nname = 'calc'\n[tool.pytest.ini_options]\naddopts = '-p tests.calc'\n",
        "calc.js": "1",
        "src/a.ts": "1",
        "calc.py": "1",
    }
    after = dict(before, **{"calc.js": "2", "src/a.ts": "2", "calc.py": "2", "src/b.ts": "2", "lib/setup.js": "2"})
    assert run(before, after, "npm test", "python3 -m pytest") == []
    loaded = {"test/setup.js": "1", "test/b.ts": "1", "tests/calc.py": "1"}
    assert run(before, before | loaded, "npm test") == sorted(loaded)


def test_what_builds_the_work_and_ordinary_tests_are_not_run_anew() -> None:
    after = {
        "tests/test_a.py": "import calc\nX = calc.add(1)\n\ndef test_a(monkeypatch):\n    calc.y = 1\n    assert X\n",
        "pom.xml": "<artifactId>junit</artifactId>\n",
        "Cargo.toml": "[dev-dependencies]\ntest-case = '3'\n",
        ".github/workflows/ci.yml": "x",
        "ruff.toml": "x",
        "src/env.js": "x",
        "NOTE.md": "x",
        "test/helpers.js": "module.exports = { a: 1 }\n",
        "calc_test.go": "package calc\n\nfunc TestInit(t *testing.T) {}\n",
        "test/a.test.js": "const calc = require('../calc')\nit('adds', () => {\n  calc.rate = 2\n})\nexports.a = 1\n",
    }
    assert run({}, after, "python3 -m pytest", "test -f NOTE.md") == []
    assert run({"app.py": "1"}, {"app.py": "2", "check.sh": "x"}, "python3 app.py", "sh check.sh") == []


def test_ordinary_work_is_not_told() -> None:
    before = {
        "src/app.py": "def f(): return 1\n",
        "README.md": "",
        "tests/test_a.py": "def test_a():\n    assert f()\n",
    }
    after = {
        "src/app.py": "def f(): return 2\n",
        "src/new.js": "it = 1\n",
        "README.md": "more",
        "tests/test_a.py": "def test_a():\n    assert f() == 2\n\ndef test_b():\n    assert f()\n",
        "docs/testing.md": "x",
    }
    assert told(before, after, "PYTHONPATH=src python3 -m pytest tests/test_a.py") == []


def test_only_so_many_files_are_looked_at_and_it_is_said() -> None:
    found = judges_changed([(f"f{n}", "M") for n in range(MAX_FILES + 3)], lambda _: "", lambda _: "")
    assert found == [JudgeChange("", "3 more changed files were not looked at")]


@pytest.mark.timeout(60)
@pytest.mark.parametrize("part", ["\n", "a ", "[x]", "@Test ", "it('", '"', "public ", "#[test]\n", "TEST(", "skip:  "])
def test_no_text_makes_the_comparison_slow(part: str) -> None:
    text = part * (100_000 // len(part))
    names = ("Makefile", "package.json", "setup.cfg", *(each[0] for each in LANGUAGES))
    began = time.process_time()
    judges_changed([(name, "M") for name in names], lambda _: text, lambda _: text + "x", ["make test", "npm test"])
    assert time.process_time() - began < 10


GO_TEST = "package a\nfunc TestA(t *testing.T) {}\n"
PY_TEST = "def test_a():\n    assert f()\n"


@pytest.mark.parametrize(
    ("before", "after", "about"),
    [
        (
            {"tests/test_a.py": PY_TEST},
            {"tests/helper_a.py": PY_TEST},
            "tests/test_a.py: test file deleted with 1 test",
        ),
        ({"a/a_test.go": GO_TEST}, {"a/a_windows_test.go": GO_TEST}, "a/a_test.go: test file deleted with 1 test"),
        ({"a/a_test.go": GO_TEST}, {"a/testdata/a_test.go": GO_TEST}, "a/a_test.go: test file deleted with 1 test"),
        ({"a_test.go": GO_TEST}, {"a_test.go": f"//go:build integration\n\n{GO_TEST}"}, "a_test.go: 1 test skipped"),
        ({}, {"a/go.mod": "module a\n"}, "a/go.mod: border of a Go module, which"),
        ({"go.work": "use ./a\nuse ./b\n"}, {"go.work": "use ./a\n"}, "go.work: list of the packages"),
        (
            {"package.json": '{"workspaces": ["a", "b"]}'},
            {"package.json": '{"workspaces": ["a"]}'},
            "package.json: list",
        ),
        (
            {"Cargo.toml": "[workspace]\nmembers = ['a']"},
            {"Cargo.toml": "[workspace]\nmembers = []"},
            "Cargo.toml: list",
        ),
        ({"pom.xml": "<module>a</module>\n"}, {"pom.xml": "\n"}, "pom.xml: list of the packages"),
        ({"tests/api/__init__.py": ""}, {}, "tests/api/__init__.py: mark of a package of tests deleted"),
        ({}, {"tests/__init__.py": "def load_tests(*a): ...\n"}, "tests/__init__.py: 1 mark added that leaves"),
        ({}, {"pytest.toml": "[pytest]\naddopts = '-k x'\n"}, "pytest.toml: test configuration added"),
        ({"tsconfig.json": "{}"}, {"tsconfig.json": '{"exclude": ["a"]}'}, "tsconfig.json: configuration of a linter"),
        (
            {"pyproject.toml": ""},
            {"pyproject.toml": "[tool.ruff]\nexclude = ['a']"},
            "pyproject.toml: configuration of a",
        ),
        ({"scripts/check.py": "1"}, {"scripts/check.py": "2"}, "scripts/check.py: script that the checks run changed"),
        (
            {"package.json": "{}"},
            {"package.json": '{"scripts": {"prepare": "sh x"}}'},
            "package.json: test configuration",
        ),
        (
            {"package.json": '{"scripts": {"test": "run-p \'go:*\'", "go:a": "jest"}}'},
            {"package.json": '{"scripts": {"test": "run-p \'go:*\'", "go:a": "true"}}'},
            "package.json: commands that the checks run changed",
        ),
        ({"testdata/a.golden": "1"}, {"testdata/a.golden": "2"}, "testdata/a.golden: recorded expectations changed"),
    ],
)
def test_what_leaves_tests_out_or_lets_more_pass_is_told(before: Tree, after: Tree, about: str) -> None:
    found = told(before, after, "npm test --workspaces", "python3 -m scripts.check")
    assert len(found) == 1
    assert found[0].startswith(about)


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("tests/test_a.py", "assert f() == 5", "assert f() or True"),
        ("tests/test_a.py", "assert f() == 5", "assert True  # for now"),
        ("tests/test_a.py", "self.assertEqual(f(), 5)", "self.assertTrue(True)"),
        ("a.test.js", "expect(f()).toBe(5)", "expect(true).toBe(true)"),
        ("a.test.js", "assert.ok(f() === 5)", "assert.ok(f() === 5 || true)"),
        ("tests/a.rs", "assert_eq!(f(), 5)", "assert!(true)"),
    ],
)
def test_an_assertion_that_always_holds_is_told(path: str, before: str, after: str) -> None:
    assert told({path: f"    {before}\n"}, {path: f"    {after}\n"}) == [f"{path}: 1 assertion added that always holds"]
    assert told({path: f"    {after}\n"}, {path: f"    {before}\n"}) == []


def test_a_test_that_gets_another_name_in_a_helper_is_not_lost() -> None:
    assert told({"tests/base.py": PY_TEST}, {"tests/base.py": PY_TEST.replace("test_a", "test_b")}) == []
