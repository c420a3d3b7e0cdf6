from __future__ import annotations

from pathlib import Path

import pytest

from shared.ops.config import BadConfig, Config, Policy, Repo, load_config

CONFIG = Config(repos={"Octo/App": Repo(url="u", id=99), "octo/lib": Repo(url="v")})


@pytest.mark.parametrize("name", ["Octo/App", "octo/app", "OCTO/APP"])
def test_a_repositorys_name_has_no_case(name: str) -> None:
    assert CONFIG.repo_for(name) == CONFIG.repos["Octo/App"]
    assert CONFIG.name_for(name) == "Octo/App"


def test_a_repository_that_was_renamed_is_known_by_its_number_and_another_one_is_not() -> None:
    assert CONFIG.known_as("octo/renamed", 99) == "Octo/App"
    assert CONFIG.known_as("octo/lib", 98) == "octo/lib"
    assert CONFIG.known_as("octo/renamed", 0) == "octo/renamed"
    assert CONFIG.repo_for("octo/renamed") is None


def test_the_number_goes_before_the_name_because_another_repository_may_have_the_name_by_now() -> None:
    assert CONFIG.known_as("octo/lib", 99) == "Octo/App"


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ('[repos."a/b"]\nurl = "u"\n[repos."A/B"]\nurl = "v"\n', "the same name"),
        ('[repos."a/b"]\nurl = "u"\nid = 5\n[repos."a/c"]\nurl = "v"\nid = 5\n', "the same id"),
    ],
)
def test_two_repositories_that_could_not_be_told_apart_are_refused(tmp_path: Path, file: str, said: str) -> None:
    path = tmp_path / "journeyman.toml"
    path.write_text(file)
    with pytest.raises(BadConfig, match=said):
        load_config(path)


def test_our_own_account_is_known_with_and_without_its_ending_and_in_any_case() -> None:
    policy = Policy(login="My-App[bot]")
    assert policy.is_own_login("my-app") and policy.is_own_login("MY-APP[bot]")
    assert not policy.is_own_login("my-app2")
    assert not Policy().is_own_login("")
