from __future__ import annotations

import re
from pathlib import Path

import pytest

from shared.ops.config import BadConfig, load_config
from shared.ops.settings import BadSettings, example, load_settings

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("JOURNEYMAN_NATS_URL", "JOURNEYMAN_DATA_DIR", "ANTHROPIC_API_KEY", "JOURNEYMAN_MAX_CONCURRENT_RUNS"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("JOURNEYMAN_NATS_URL", "127.0.0.1:4222"),
        ("JOURNEYMAN_MAX_CONCURRENT_RUNS", "0"),
        ("JOURNEYMAN_MAX_CONCURRENT_RUNS", "many"),
        ("JOURNEYMAN_HTTP_PORT", "70000"),
        ("JOURNEYMAN_APPROVAL", "perhaps"),
        ("JOURNEYMAN_MACHINE_ID", "a machine"),
        ("JOURNEYMAN_HTTP_HOST", "300.1.1.1"),
        ("JOURNEYMAN_HTTP_HOST", "0.0.0.0"),
        ("JOURNEYMAN_HTTP_HOST", "::"),
        ("JOURNEYMAN_HTTP_HOST", "box.example"),
        ("JOURNEYMAN_CONFIG", "/nowhere.toml"),
        ("JOURNEYMAN_AGENTS_DIR", "/nowhere"),
        ("JOURNEYMAN_APROVAL", "auto"),
        ("JOURNEYMAN_NO_SUCH_THING", "1"),
    ],
)
def test_a_wrong_value_is_one_line_with_its_name(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(BadSettings) as wrong:
        load_settings()
    assert str(wrong.value).startswith(name)
    assert "\n" not in str(wrong.value)


@pytest.mark.parametrize(
    ("address", "mend"),
    [
        ("https://ghe.example", "https://ghe.example/api/v3"),
        ("https://ghe.example:8443/", "https://ghe.example:8443/api/v3"),
        ("https://github.com", "https://api.github.com"),
        ("https://acme.ghe.com", "https://api.acme.ghe.com"),
    ],
)
def test_the_address_where_people_look_at_github_is_refused_with_that_of_its_api(
    address: str, mend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOURNEYMAN_GITHUB_API_URL", address)
    with pytest.raises(BadSettings, match=f"not the API; write {re.escape(mend)}\\. "):
        load_settings()
    monkeypatch.setenv("JOURNEYMAN_GITHUB_API_URL", f"{mend}/")
    assert load_settings().github_api_url == mend


@pytest.mark.parametrize(
    "address",
    [
        "nats://jm:s3cret/w0rd@127.0.0.1:1",
        "nats://jm:4222/s3cret@127.0.0.1:1",
        "nats://jm:s3cret,w0rd@127.0.0.1:1",
        "nats://127.0.0.1:1,nats://jm:s3cret#w0rd@127.0.0.1:1",
        "nats://jm:s3cret",
        "nats://127.0.0.1:99999",
        "nats://[::1",
        "nats://",
    ],
)
def test_an_address_of_nats_that_cannot_be_read_is_refused_without_its_password(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOURNEYMAN_NATS_URL", address)
    with pytest.raises(BadSettings) as wrong:
        load_settings()
    assert str(wrong.value).startswith("JOURNEYMAN_NATS_URL: ")
    assert "write nats://host:4222" in str(wrong.value)
    assert "\n" not in str(wrong.value)
    assert "s3cret" not in str(wrong.value)
    assert "w0rd" not in str(wrong.value)


@pytest.mark.parametrize(
    "address", ["nats://h", "tls://h:1, nats://user:p%2Fw@[::1]:2", "nats://token@h:4222/", "nats://u:p@ss@h:1"]
)
def test_an_address_of_nats_may_have_credentials_and_more_servers(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOURNEYMAN_NATS_URL", address)
    assert load_settings().nats_url == address


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"USER": "jm"}, "JOURNEYMAN_NATS_USER is set without JOURNEYMAN_NATS_PASSWORD: set both."),
        ({"PASSWORD": "s3cret"}, "JOURNEYMAN_NATS_PASSWORD is set without JOURNEYMAN_NATS_USER: set both."),
        ({"CERT": "."}, "JOURNEYMAN_NATS_CERT is set without JOURNEYMAN_NATS_KEY: set both."),
        (
            {"CREDS": ".", "NKEY": "."},
            "JOURNEYMAN_NATS_CREDS and JOURNEYMAN_NATS_NKEY log in to NATS in different ways",
        ),
        ({"URL": "nats://jm:s3cret@h:1", "CREDS": "."}, "JOURNEYMAN_NATS_URL and JOURNEYMAN_NATS_CREDS log in to NATS"),
        ({"CREDS": "nowhere"}, "JOURNEYMAN_NATS_CREDS: "),
        ({"CREDS_FILE": "."}, "JOURNEYMAN_NATS_CREDS_FILE: JOURNEYMAN_NATS_CREDS names the file itself"),
        ({"MONITOR": "http://jm:s3cret@h:8222"}, "JOURNEYMAN_NATS_MONITOR"),
    ],
)
def test_a_login_to_nats_is_whole_and_one(
    variables: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(f"JOURNEYMAN_NATS_{name}", value)
    with pytest.raises(BadSettings) as wrong:
        load_settings()
    assert str(wrong.value).startswith(said)
    assert "\n" not in str(wrong.value)
    assert "s3cret" not in str(wrong.value)


@pytest.mark.parametrize(
    "variables",
    [
        {"HTTP_HOST": "127.0.0.2", "LOGIN": "off"},
        {"HTTP_HOST": "::1"},
        {"HTTP_HOST": "localhost"},
        {"HTTP_HOST": "0.0.0.0", "TRUSTED_PROXIES": "10.0.0.5, fd00::/8"},
        {"HTTP_HOST": "0.0.0.0", "TLS_CERT": "/dev/null", "TLS_KEY": "/dev/null"},
    ],
)
def test_others_reach_the_gateway_by_tls_or_by_a_proxy_alone(
    variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(f"JOURNEYMAN_{name}", value)
    assert load_settings().http_host == variables["HTTP_HOST"]


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"HTTP_HOST": "0.0.0.0"}, "JOURNEYMAN_TRUSTED_PROXIES"),
        ({"HTTP_HOST": "0.0.0.0", "TRUSTED_PROXIES": "10.0.0.5", "LOGIN": "off"}, "JOURNEYMAN_LOGIN"),
        ({"TRUSTED_PROXIES": "proxy.example"}, "JOURNEYMAN_TRUSTED_PROXIES"),
        ({"TRUSTED_PROXIES": "10.0.0.5/8"}, "JOURNEYMAN_TRUSTED_PROXIES"),
        ({"TLS_CERT": "/dev/null"}, "JOURNEYMAN_TLS_KEY"),
    ],
)
def test_a_gateway_that_others_could_reach_or_read_does_not_start(
    variables: dict[str, str], named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(f"JOURNEYMAN_{name}", value)
    with pytest.raises(BadSettings, match=named):
        load_settings()


def test_every_wrong_setting_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOURNEYMAN_HTTP_PORT", "x")
    monkeypatch.setenv("JOURNEYMAN_APPROVAL", "x")
    with pytest.raises(BadSettings) as wrong:
        load_settings()
    assert len(str(wrong.value).splitlines()) == 2


def test_a_wrong_secret_is_never_repeated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("JOURNEYMAN_GITHUB_WEBHOOK_SECRET_FILE", str(tmp_path / "nowhere"))
    with pytest.raises(BadSettings, match="JOURNEYMAN_GITHUB_WEBHOOK_SECRET_FILE"):
        load_settings()


def test_a_secret_may_come_from_a_file_and_an_empty_file_is_no_secret(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "secret"
    monkeypatch.setenv("JOURNEYMAN_GITHUB_WEBHOOK_SECRET_FILE", str(file))
    file.write_text("s3cret\n")
    assert load_settings().webhook_secret("github").get_secret_value() == "s3cret"
    file.write_text("")
    assert load_settings().webhook_secret("github").get_secret_value() == ""


def test_the_model_key_is_read_under_either_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "a")
    assert load_settings().anthropic_api_key.get_secret_value() == "a"
    monkeypatch.setenv("JOURNEYMAN_ANTHROPIC_API_KEY", "b")
    assert load_settings().anthropic_api_key.get_secret_value() == "b"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("JOURNEYMAN_APPROVAL always", ".env, line 2 (JOURNEYMAN_APPROVAL …): no setting"),
        ("JOURNEYMAN_APPROVAL", ".env, line 2 (JOURNEYMAN_APPROVAL …): no setting"),
        ('ANTHROPIC_API_KEY="sk-ant-s3cret', ".env, line 2 (ANTHROPIC_API_KEY …): no setting"),
        ("sk-ant-s3cret", ".env, line 2: no setting"),
        ("=s3cret", ".env, line 2: no setting"),
        ("# \udcff", ".env: no text in UTF-8"),
    ],
)
@pytest.mark.parametrize("beside", [True, False])
def test_a_line_of_a_dotenv_file_that_sets_nothing_is_named_without_its_secret(
    line: str, said: str, beside: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "system" if beside else tmp_path
    folder.mkdir(exist_ok=True)
    (folder / ".env").write_bytes(f"# ours\n{line}\nJOURNEYMAN_HTTP_PORT=8123\n".encode(errors="surrogateescape"))
    with pytest.raises(BadSettings) as wrong:
        load_settings(data_dir=folder / ".journeyman")
    assert str(wrong.value).startswith(f"{folder}/{said}")
    assert "\n" not in str(wrong.value) and "s3cret" not in str(wrong.value)
    assert caplog.text == ""


def test_what_other_programs_may_write_into_a_dotenv_file_is_taken(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        "\n  # a word\nexport PORT\nexport JOURNEYMAN_HTTP_PORT='8123' # ours\nKEY=\"two\nlines\"\n"
    )
    assert load_settings().http_port == 8123


def test_settings_are_read_from_a_dotenv_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("JOURNEYMAN_MAX_CONCURRENT_RUNS=7\nANTHROPIC_API_KEY=k\n")
    settings = load_settings()
    assert settings.max_concurrent_runs == 7
    assert settings.anthropic_api_key.get_secret_value() == "k"


def test_a_misspelt_setting_is_told_what_was_meant(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("JOURNEYMAN_APROVAL", "always")
    (tmp_path / ".env").write_text("JOURNEYMAN_HTP_PORT=1\nJOURNEYMAN_GITHUB_WEBHOK_SECRET_FILE=/x\n")
    with pytest.raises(BadSettings) as wrong:
        load_settings()
    for meant in ("JOURNEYMAN_APPROVAL?", "JOURNEYMAN_HTTP_PORT?", "JOURNEYMAN_GITHUB_WEBHOOK_SECRET_FILE?"):
        assert f"did you mean {meant}" in str(wrong.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("JOURNEYMAN_RUN_MARK", "run-x"),
        ("JOURNEYMAN_REPOS", "/srv/git"),
        ("JOURNEYMAN_TEST_SEED", "1"),
        ("JOURNEYMAN_GATEWAY_SERVICE_HOST", "10.0.0.1"),
        ("JOURNEYMAN_GATEWAY_PORT", "tcp://10.0.0.1:8080"),
        ("JOURNEYMAN_GATEWAY_PORT_8080_TCP_ADDR", "10.0.0.1"),
    ],
)
def test_what_is_no_setting_and_not_meant_as_one_is_left_alone(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    load_settings()


def test_the_settings_of_a_system_are_found_beside_its_data_and_go_before_those_of_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("JOURNEYMAN_MAX_TURNS=7\nJOURNEYMAN_LOG_LEVEL=debug\n")
    system = tmp_path / "a system"
    system.mkdir()
    (tmp_path / "key").write_text("k\n")
    beside = f"JOURNEYMAN_MAX_TURNS=8\nJOURNEYMAN_ANTHROPIC_API_KEY_FILE={tmp_path / 'key'}\nJOURNEYMAN_HTTP_PORT=1\n"
    (system / ".env").write_text(beside)
    monkeypatch.setenv("JOURNEYMAN_HTTP_PORT", "2")
    found = load_settings(data_dir=system / ".journeyman")
    assert (found.max_turns, found.log_level, found.http_port) == (8, "debug", 2)
    assert found.anthropic_api_key.get_secret_value() == "k"
    assert found.env_files == (tmp_path / ".env", system / ".env")
    assert load_settings().env_files == (tmp_path / ".env",)
    monkeypatch.setenv("JOURNEYMAN_DATA_DIR", str(system / ".journeyman"))
    assert load_settings().max_turns == 8


def test_the_example_of_the_settings_is_not_stale() -> None:
    assert (ROOT / ".env.example").read_text() == example()


@pytest.mark.parametrize(
    "text",
    [
        "[repos",
        '[repos."a/b"]\nurl = "x"\npath = "y"',
        '[repos."a/b"]\n',
        '[repos."a/b"]\npath = "y"\nbranch = "main"',
        '[repos."a b"]\npath = "y"',
    ],
)
def test_a_wrong_configuration_names_its_file_and_place(text: str, tmp_path: Path) -> None:
    file = tmp_path / "journeyman.toml"
    file.write_text(text)
    with pytest.raises(BadConfig, match=r"journeyman\.toml") as wrong:
        load_config(file)
    assert "Mend" in str(wrong.value)


def test_with_one_repository_no_name_means_that_one(tmp_path: Path) -> None:
    file = tmp_path / "journeyman.toml"
    file.write_text('[repos."owner/name"]\npath = "repository"\n')
    config = load_config(file)
    repo = config.repo_for("")
    assert repo is not None and repo.path == tmp_path / "repository"
    assert config.name_for("") == "owner/name"
    assert config.repo_for("owner/other") is None


@pytest.mark.parametrize("prefix", ["journeyman", "bots/journeyman", "v1.2_x"])
def test_branches_may_begin_with_another_prefix(tmp_path: Path, prefix: str) -> None:
    file = tmp_path / "journeyman.toml"
    file.write_text(f'[repos.r]\npath = "r"\nbranch_prefix = "{prefix}"\n')
    assert load_config(file).repos["r"].branch_prefix == prefix


@pytest.mark.parametrize("prefix", ["", "/", "a/", "/a", "a//b", "-a", ".a", "a.", "a..b", "a.lock/b", "a b", "é"])
def test_a_prefix_that_git_does_not_allow_is_refused(tmp_path: Path, prefix: str) -> None:
    file = tmp_path / "journeyman.toml"
    file.write_text(f'[repos.r]\npath = "r"\nbranch_prefix = "{prefix}"\n')
    with pytest.raises(BadConfig, match="branch_prefix"):
        load_config(file)
