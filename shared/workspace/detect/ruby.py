"""Ruby: the tasks of a Rakefile, RSpec's or Minitest's tests; set-up by Bundler into ``vendor/bundle``."""

from __future__ import annotations

import re
from typing import Final

from shared.workspace.detect.folder import Folder

_RAKEFILES: Final = ("Rakefile", "rakefile", "Rakefile.rb", "rakefile.rb")
_TEST_TASK: Final = re.compile(
    r"""\bTestTask\b|^[ \t]*(?:multi)?task[\s(]+(?::test\b|["']test["']|test:)""", re.MULTILINE
)
_SPEC_TASK: Final = re.compile(
    r"""\bRakeTask\b|^[ \t]*(?:multi)?task[\s(]+(?::spec\b|["']spec["']|spec:)""", re.MULTILINE
)
_DEFAULT_TASK: Final = re.compile(r"""^[ \t]*task[\s(]+(?::default\b|["']default["']|default:)""", re.MULTILINE)
_A_GEM: Final = re.compile(r"^[ \t]*(?:gem[\s(]|gemspec\b)", re.MULTILINE)


def checks(folder: Folder) -> list[str]:
    """At most one command."""
    rakefile = folder.text(*_RAKEFILES)
    tests, specs = folder.below("test"), folder.below("spec")
    bundle = "bundle exec " if folder.has("Gemfile") else ""
    if _TEST_TASK.search(rakefile):
        return [f"{bundle}rake test"]
    if _SPEC_TASK.search(rakefile):
        return [f"{bundle}rake spec"]
    if folder.has(".rspec") or (specs and any(specs.search(r"\w+_spec\.rb", 3))):
        return [f"{bundle}rspec"]
    if folder.has("bin/rails") and tests:
        return ["ruby bin/rails test"]
    if _DEFAULT_TASK.search(rakefile):
        return [f"{bundle}rake"]
    if tests and any(tests.search(r"\w+_test\.rb|test_\w+\.rb", 3)):
        load = """ruby -Ilib -Itest -e 'Dir["./test/**/{*_test,test_*}.rb"].sort.each { |file| require file }'"""
        return [bundle + load]
    return []


def setup(folder: Folder) -> list[str]:
    """The gems of the Gemfile, in the checkout itself."""
    if not _A_GEM.search(folder.text("Gemfile")):
        return []
    frozen = "BUNDLE_FROZEN=true " if folder.has("Gemfile.lock") else ""
    return [f"{frozen}BUNDLE_PATH=vendor/bundle bundle install"]
