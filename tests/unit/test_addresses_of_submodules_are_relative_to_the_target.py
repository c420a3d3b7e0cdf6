from __future__ import annotations

import pytest

from shared.workspace.submodules import resolved_address


@pytest.mark.parametrize(
    ("url", "source", "meant"),
    [
        ("../lib.git", "https://h/o/app.git", "https://h/o/lib.git"),
        ("../../p/lib", "https://h/o/app.git/", "https://h/p/lib"),
        ("./lib", "https://h/o/app", "https://h/o/app/lib"),
        ("../lib", "git@h:o/app.git", "git@h:o/lib"),
        ("../lib", "/srv/git/app", "/srv/git/lib"),
        ("../../../../x", "https://h/o/app", "https://h/x"),
        ("https://other/lib", "https://h/o/app", "https://other/lib"),
        ("/srv/lib", "https://h/o/app", "/srv/lib"),
    ],
)
def test_a_relative_address_begins_at_the_target(url: str, source: str, meant: str) -> None:
    assert resolved_address(url, source) == meant
