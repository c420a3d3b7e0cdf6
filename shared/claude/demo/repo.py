"""A small real repository with a small real bug: what the demo task is about.

`BUGGY` and `FIXED` are what the scripted model looks for in the file it has read and what it puts there.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

DEMO_ISSUE_TITLE = "split_evenly loses cents"
DEMO_ISSUE_BODY = """\
When a bill does not divide evenly, the shares add up to less than the bill:

```python
>>> split_evenly(1000, 3)
[333, 333, 333]
```

One cent is gone. The shares should always add up to the bill,
and nobody should pay over one cent more than anybody else.

`python3 -m unittest` shows it: `test_the_shares_add_up_to_the_bill` fails.
"""

SOURCE = "ledger/money.py"
BUGGY = """\
    share = cents // people
    return [share] * people
"""
FIXED = """\
    share, left_over = divmod(cents, people)
    return [share + 1] * left_over + [share] * (people - left_over)
"""

_FILES = {
    "README.md": """\
# pocket-ledger

Splits bills between friends. Money is always whole cents, never a float.

    python3 -m unittest
""",
    ".gitignore": "__pycache__/\n",
    "ledger/__init__.py": '''"""Bills shared between friends."""

from ledger.bill import Bill
from ledger.money import format_cents, parse_cents, split_evenly

__all__ = ["Bill", "format_cents", "parse_cents", "split_evenly"]
''',
    SOURCE: f'''"""Money as whole cents."""

from __future__ import annotations


def parse_cents(text: str) -> int:
    """"12.34" -> 1234. Raises ValueError for anything that is not an amount."""
    whole, _, fraction = text.strip().partition(".")
    if len(fraction) > 2:
        raise ValueError(f"more than two decimals: {{text!r}}")
    return int(whole) * 100 + int(fraction.ljust(2, "0") or "0")


def format_cents(cents: int) -> str:
    """1234 -> "12.34"."""
    sign = "-" if cents < 0 else ""
    return f"{{sign}}{{abs(cents) // 100}}.{{abs(cents) % 100:02d}}"


def split_evenly(cents: int, people: int) -> list[int]:
    """What each of ``people`` pays of a bill of ``cents``."""
    if people < 1:
        raise ValueError("a bill needs at least one person")
{BUGGY}''',
    "ledger/bill.py": '''"""A bill and who pays it."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.money import split_evenly


@dataclass(frozen=True)
class Bill:
    """What was bought, for how many cents, and by whom it is shared."""

    what: str
    cents: int
    friends: tuple[str, ...]

    def shares(self) -> dict[str, int]:
        """Cents per friend."""
        return dict(zip(self.friends, split_evenly(self.cents, len(self.friends)), strict=True))
''',
    "tests/__init__.py": "",
    "tests/test_money.py": """import unittest

from ledger import Bill, format_cents, parse_cents, split_evenly


class MoneyTest(unittest.TestCase):
    def test_an_amount_is_read_as_cents(self) -> None:
        self.assertEqual(parse_cents("12.3"), 1230)

    def test_cents_are_written_with_two_decimals(self) -> None:
        self.assertEqual(format_cents(1205), "12.05")

    def test_a_bill_that_divides_evenly_is_split_evenly(self) -> None:
        self.assertEqual(split_evenly(900, 3), [300, 300, 300])

    def test_the_shares_add_up_to_the_bill(self) -> None:
        for cents in (1000, 1001, 1, 0):
            self.assertEqual(sum(split_evenly(cents, 3)), cents)

    def test_nobody_pays_more_than_one_cent_extra(self) -> None:
        shares = split_evenly(1001, 4)
        self.assertLessEqual(max(shares) - min(shares), 1)

    def test_every_friend_has_a_share(self) -> None:
        self.assertEqual(Bill("tea", 600, ("Ada", "Grace")).shares(), {"Ada": 300, "Grace": 300})


if __name__ == "__main__":
    unittest.main()
""",
}
_IDENTITY = ("-c", "user.name=Ada Demo", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false")
_DATE = "2026-01-05T09:00:00+00:00"


def create_demo_repository(path: Path) -> str:
    """Makes the repository (branch ``main``) in the new folder ``path``; returns its head commit, the same every time.

    Raises FileExistsError when ``path`` exists; subprocess.CalledProcessError when git fails.
    """
    path.mkdir(parents=True)
    for name, content in _FILES.items():
        file = path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(content, "utf-8")
    _git(path, "init", "--quiet", "--initial-branch=main")
    _git(path, "config", "core.autocrlf", "false")
    _git(path, "add", "--all")
    _git(path, *_IDENTITY, "commit", "--quiet", "--message", "Split bills between friends")
    return _git(path, "rev-parse", "HEAD").strip()


def _git(path: Path, *arguments: str) -> str:
    # No configuration of the account or the machine: hooks, templates and signing would change the commit or fail.
    environment = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_AUTHOR_DATE": _DATE,
        "GIT_COMMITTER_DATE": _DATE,
    }
    done = subprocess.run(["git", *arguments], cwd=path, env=environment, check=True, capture_output=True, text=True)
    return done.stdout
