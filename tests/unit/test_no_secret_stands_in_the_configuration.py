from __future__ import annotations

from pathlib import Path

import pytest

from shared.ops.config import BadConfig, load_config

SECRET = "ghp_0123456789"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f'[repos.r]\nurl = "https://{SECRET}@a.example/r"\n', "an address holds no user and no password"),
        (f'[repos.r]\nurl = "https://bot:{SECRET}@a.example/r"\n', "an address holds no user and no password"),
        (f'[repos.r]\nurl = "ssh://bot:{SECRET}@a.example/r"\n', "an address holds no user and no password"),
        (f'[credentials."a.example"]\ntoken = "{SECRET}"\n', "credentials.a.example.token"),
        (f'[credentials."a.example"]\nhelper = "!echo password={SECRET}"\n', "no shell command"),
        (f'[credentials."a.example"]\ntoken_env = "{SECRET}"\n', "the name of a variable in capitals"),
        ('[credentials."a.example"]\ntoken_env = "JOURNEYMAN_TOKEN"\n', "does not begin with JOURNEYMAN_"),
        (
            '[credentials."a.example"]\ntoken_env = "A"\ntoken_file = "b"\n',
            "give one of token_file, token_env and helper",
        ),
        ('[credentials."a.example"]\nssh_key_file = "a"\n', "give known_hosts_file too"),
        ('[credentials."https://a.example"]\ntoken_env = "A"\n', "is no host"),
    ],
)
def test_what_would_hold_a_secret_or_lead_nowhere_is_refused_without_repeating_it(
    tmp_path: Path, text: str, said: str
) -> None:
    (tmp_path / "journeyman.toml").write_text(text)
    with pytest.raises(BadConfig) as refused:
        load_config(tmp_path / "journeyman.toml")
    assert said in str(refused.value)
    assert SECRET not in str(refused.value)


def test_files_lie_beside_the_configuration_and_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("x")
    (tmp_path / "token").symlink_to("real")
    (tmp_path / "journeyman.toml").write_text(
        '[credentials."a.example"]\ntoken_file = "token"\nca_file = "/etc/ca.pem"\n'
    )
    found = load_config(tmp_path / "journeyman.toml").credentials["a.example"]
    assert (found.token_file, found.ca_file) == (tmp_path / "token", Path("/etc/ca.pem"))
