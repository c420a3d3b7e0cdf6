"""`journeyman.toml`: the repositories agents may work on, and the policy. Pydantic, because people write it."""

from __future__ import annotations

import re
import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

_NAME = re.compile(r"^[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*$")

_PREFIX = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*")

_PLACE = re.compile(r"[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~-]+)*")

_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")

_FILES = ("token_file", "ssh_key_file", "known_hosts_file", "ca_file")


Statuses = dict[Literal["working", "review", "done"], str]
"""The statuses that a thing is moved to: while it is worked on, when there is a result, and when that is merged."""


DEFAULT_PROTECTED = (
    # What runs by itself on the forge, and who decides there.
    ".github/workflows/**",
    ".github/actions/**",
    "CODEOWNERS",
    # What other code comes in.
    "package-lock.json",
    "npm-shrinkwrap.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "bun.lock",
    "bun.lockb",
    "uv.lock",
    "poetry.lock",
    "pdm.lock",
    "Pipfile.lock",
    "requirements*.lock",
    "Cargo.lock",
    "go.sum",
    "Gemfile.lock",
    "composer.lock",
    "mix.lock",
    "flake.lock",
    "gradle.lockfile",
    # What agents are told.
    "CLAUDE.md",
    "AGENTS.md",
    "GEMINI.md",
    ".claude/**",
    ".cursor/**",
    ".mcp.json",
    ".github/copilot-instructions.md",
    ".journeyman.yml",
    "journeyman.toml",
)
"""Paths that a person changes, not an agent, unless a repository says otherwise (``protected_paths``)."""


NetworkOf = Literal["none", "setup", "checks"]


class BadConfig(Exception):
    """The file cannot be used; one line for each thing wrong, with the mend."""


class Repo(BaseModel):
    """One repository: where it is, the branch to start from, how it is set up, and the commands that must pass.

    ``setup`` and ``checks`` are detected where they are None, and an empty list means none.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    url: str = ""
    """Where it is: what `git clone` takes. Either this or ``path``."""
    path: Path | None = None
    """Where it is on this machine, also relative to this file; bare or with a worktree."""
    id: Annotated[int, Field(ge=0)] = 0
    """The forge's own number of it, by which it is known after a rename or transfer; asked of GitHub when 0."""
    github: Annotated[str, Field(pattern=r"^([A-Za-z0-9._-]+/[A-Za-z0-9._-]+)?$")] = ""
    """``owner/name`` on GitHub, where it is another one than the name in the file."""
    base: str = ""
    """The branch to start from; the repository's own default where it is empty."""
    setup: Annotated[list[str], Field(max_length=20)] | None = None
    """Commands before the checks, in each checkout; detected from lock files where it is left out, ``[]`` for none."""
    checks: Annotated[list[str], Field(max_length=50)] | None = None
    """Commands that must pass, in this order; detected where left out, ``[]`` for none, so nothing is verified."""
    evidence: Literal["verified", "no-new-failures", "any"] = "no-new-failures"
    """How much of it completes a task."""
    check_runs: Annotated[int, Field(ge=1, le=64)] = 1
    """Runs of checks of this repository at a time on one executor; more needs checks that share no port."""
    network: NetworkOf = "setup"
    """What reaches the network: ``none``, the ``setup`` (downloads of packages), or the ``checks`` too."""
    agent: str = "executor"
    """Which agent does the work: a folder of the agents' folder."""
    sources: dict[str, tuple[str, ...]] = {}
    """By a sender's name, what there is about this repository: of Sentry the projects, of Jira keys of projects,
    ``PROJECT/component`` and ``label:…``."""
    branch_prefix: Annotated[str, Field(max_length=100)] = "journeyman"
    """What the names of our branches begin with, before a slash."""
    protected_paths: Annotated[tuple[str, ...] | None, Field(max_length=500)] = None
    """Paths that no result may change, as in a ``.gitignore`` without its negations. None: on GitHub those of
    `DEFAULT_PROTECTED`, elsewhere none."""
    max_changed_files: Annotated[int, Field(ge=1)] = 300
    """Files that a result published on GitHub may change."""
    max_changed_bytes: Annotated[int, Field(ge=1)] = 5_000_000
    """Bytes that these may have together afterwards."""
    base_moved: Literal["leave", "merge", "rebase"] = "leave"
    """What is done with an open pull request of ours whose base has moved, where git can do it without a conflict."""
    labels: Annotated[tuple[str, ...], Field(max_length=20)] = ()
    """Labels of our pull requests."""
    reviewers: Annotated[tuple[str, ...], Field(max_length=15)] = ()
    """Who is asked to review them: logins, and teams as ``organization/team``."""
    people: Annotated[tuple[str, ...], Field(max_length=500)] = ()
    """Logins of those who may steer here; where ``teams`` are empty as well, everybody with write access may."""
    teams: Annotated[tuple[str, ...], Field(max_length=50)] = ()
    """Teams whose members may, each as ``organization/team``."""

    @field_validator("branch_prefix")
    @classmethod
    def _part_of_a_branch(cls, prefix: str) -> str:
        # A part of git's own rules (git-check-ref-format(1)) that needs no quoting anywhere.
        if not _PREFIX.fullmatch(prefix) or any(part.endswith((".", ".lock")) for part in prefix.split("/")):
            raise ValueError('write letters, digits, "-", "_", "." and "/" only, such as "bots/journeyman"')
        if ".." in prefix:
            raise ValueError('".." cannot be in the name of a branch')
        return prefix

    @field_validator("teams")
    @classmethod
    def _teams_of_organizations(cls, teams: tuple[str, ...]) -> tuple[str, ...]:
        if wrong := next((team for team in teams if not re.fullmatch(r"[\w.-]+/[\w.-]+", team)), None):
            raise ValueError(f'{wrong!r} is no team; write "organization/team"')
        return teams

    @field_validator("url")
    @classmethod
    def _without_secret(cls, url: str) -> str:
        # Every service reads this file, and an address stands in logs and errors.
        user, at, _ = urlsplit(url).netloc.rpartition("@")
        if at and (url.lower().startswith("http") or ":" in user):  # ssh needs a user, who is no secret
            raise ValueError(
                'an address holds no user and no password: write them under [credentials."host"], as username and '
                "token_file (docs/git-credentials.md)"
            )
        return url

    @model_validator(mode="after")
    def _one_place(self) -> Repo:
        if bool(self.url) == (self.path is not None):
            raise ValueError("give either url or path")
        return self

    @property
    def target(self) -> str:
        """What git is given: the URL, or the absolute path."""
        return self.url or str(self.path)


class Credential(BaseModel):
    """How the gateway's git gets in at one host, or at one repository of it. It says where secrets are, and holds none.

    For an https address ``token_file``, ``token_env`` or ``helper``; for an ssh address ``ssh_key_file``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    username: Annotated[str, Field(pattern=r"^[^\s\x00-\x1f:]{1,200}$")] = "x-access-token"
    """The user that the token belongs to; GitHub and GitLab take any name."""
    token_file: Path | None = None
    """A file of the gateway's machine with the token; it is read at each use."""
    token_env: str = ""
    """The variable of the gateway's environment that holds the token."""
    helper: Annotated[str, Field(max_length=1000)] = ""
    """A credential helper of git: ``store --file /a/file``, or a program by its absolute path."""
    ssh_key_file: Path | None = None
    """A private key without a passphrase."""
    known_hosts_file: Path | None = None
    """The host's public keys, as ``ssh-keyscan`` writes them: a host that is not in there is not spoken to."""
    ca_file: Path | None = None
    """The certificate authority of an https host, in PEM."""

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that are named."""
        return tuple(path for path in (getattr(self, name) for name in _FILES) if path is not None)

    @field_validator("helper")
    @classmethod
    def _program(cls, helper: str) -> str:
        if helper.startswith("!") or any(ord(letter) < 32 for letter in helper):
            raise ValueError("write a helper's name or absolute path with its options, no shell command")
        return helper

    @field_validator("token_env")
    @classmethod
    def _variable(cls, name: str) -> str:
        if name and (not _VARIABLE.fullmatch(name) or name.startswith("JOURNEYMAN_")):
            raise ValueError("write the name of a variable in capitals, one that does not begin with JOURNEYMAN_")
        return name

    @model_validator(mode="after")
    def _one_way(self) -> Credential:
        if sum(map(bool, (self.token_file, self.token_env, self.helper))) > 1:
            raise ValueError("give one of token_file, token_env and helper")
        if self.ssh_key_file and not self.known_hosts_file:
            raise ValueError("give known_hosts_file too: `ssh-keyscan HOST`, compared with what the host publishes")
        return self


class Policy(BaseModel):
    """Rules that need no model."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    mention: str = Field("@agent", description="The word that addresses us")
    login: str = Field(
        "",
        description="Our own account on the forge, such as my-app[bot]: its words start no work; asked when empty",
    )
    app_id: int = Field(0, ge=0, description="Our own GitHub App: what it writes starts no work; asked when 0")
    label: str = Field("", description="When set, an issue becomes a task only with this label or when mentioned")
    bots: tuple[str | int, ...] = Field(
        (),
        description='Programs whose issues and mentions are work: logins such as "renovate[bot]", or the numbers of '
        "their accounts, which outlive a change of name; those of others are not",
    )
    strangers: Literal["wait", "triage"] = Field(
        "wait",
        description="What becomes of an issue whose author may not tell the agent what to do. wait: nothing, until "
        "somebody who may says so; triage: it is looked at and planned, and its plan waits",
    )
    strangers_a_day: int = Field(
        10, ge=0, le=100, description="Most issues of strangers that are looked at in a repository on one day"
    )

    def is_own_login(self, login: str) -> bool:
        """Whether this is our own account, which may be written with and without ``[bot]``."""
        return bool(self.login) and _account(login) == _account(self.login)

    def lists_bot(self, login: str, id: int = 0) -> bool:
        """Whether a program is allowed to open work. Logins of GitHub have no case; ``id`` 0 is not known."""
        return (id != 0 and id in self.bots) or login.lower() in {str(each).lower() for each in self.bots}


def _account(login: str) -> str:
    return login.lower().removesuffix("[bot]")


class SenderPolicy(BaseModel):
    """What counts of one sender besides GitHub."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    accounts: tuple[str, ...] = Field(
        (), description="Our own accounts there: what they write starts nothing, and what is assigned to them is work"
    )
    people: tuple[str, ...] = Field(
        (),
        description="Accounts or names of those who may tell the agent what to do; `*` is everybody who writes there",
    )
    label: str = Field("", description="When set, what has this label is work")
    statuses: tuple[str, ...] = Field((), description="What is moved to one of these is work")
    triggers: tuple[str, ...] | None = Field(None, description="Events that open a task, where the sender has several")
    transitions: Statuses = Field(
        {},
        description="On Jira, by `working`, `review` and `done`: the names of the statuses that an issue is moved to",
    )
    project_transitions: dict[str, Statuses] = Field(
        {}, description="The same of projects with other statuses, by their keys: these go before"
    )
    jql: dict[str, Annotated[str, Field(max_length=2000)]] = Field(
        {}, description="On Jira, by keys of projects: a filter, and what comes to fit it is work"
    )
    work_log: bool = Field(
        False, description="On Jira: each attempt of an agent is an entry of the issue's work log, with its time"
    )
    resolve: bool = Field(
        False, description="On Sentry: the merge of the pull request resolves the issue in the next release"
    )

    @field_validator("jql")
    @classmethod
    def _filters(cls, filters: dict[str, str]) -> dict[str, str]:
        for project, jql in filters.items():
            if not jql.strip() or re.search(r"\border\s+by\b", jql, re.IGNORECASE):
                raise ValueError(f'the filter of {project} has to be a condition of JQL, without "ORDER BY"')
        return filters

    def lets_steer(self, *names: str) -> bool:
        """Whether somebody may steer who is known by these names."""
        listed = {each.lower() for each in self.people}
        return "*" in listed or any(name and name.lower() in listed for name in names)

    def is_own(self, *names: str) -> bool:
        """Whether an account that is known by these names is our own."""
        own = {each.lower() for each in self.accounts}
        return any(name and name.lower() in own for name in names)


class Config(BaseModel):
    """The whole file."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    repos: dict[str, Repo] = {}
    """The repositories that agents may work on, each by the name that people and webhooks use for it."""
    credentials: dict[str, Credential] = {}
    """By host (``github.com``), host and port, or with the beginning of a repository's path (``github.com/acme``)."""
    policy: Policy = Policy()
    """Rules about what is work, for all repositories."""
    senders: dict[str, SenderPolicy] = {}
    """The same of one sender besides GitHub, by its name in ``POST /webhooks/{name}``."""

    @model_validator(mode="after")
    def _names(self) -> Config:
        for name in self.repos:
            if not _NAME.match(name):
                raise ValueError(f'{name!r} is no repository name; write [repos."owner/name"]')
        for what, values in (
            ("name, which has no case", [name.lower() for name in self.repos]),
            ("id", [repo.id for repo in self.repos.values() if repo.id]),
            ("name on GitHub", [self.on_github(name).lower() for name in self.repos if self.on_github(name)]),
        ):
            if len(set(values)) < len(values):
                raise ValueError(f"two repositories have the same {what}")
        for place in self.credentials:
            if not _PLACE.fullmatch(place):
                raise ValueError(f'{place!r} is no host; write [credentials."github.com"] or "github.com/owner/name"')
        return self

    @property
    def token_variables(self) -> frozenset[str]:
        """The variables that hold tokens: they are for the gateway alone."""
        return frozenset(each.token_env for each in self.credentials.values() if each.token_env)

    def repo_for(self, name: str) -> Repo | None:
        """The repository with this name in any case; with one repository only, an empty name means that one."""
        return self.repos.get(self.name_for(name))

    def name_for(self, name: str) -> str:
        """The full name, as it is written in the file, of the repository `repo_for` answers with, or the given one."""
        if not name and len(self.repos) == 1:
            return next(iter(self.repos))
        if name in self.repos:
            return name
        return next((each for each in self.repos if each.lower() == name.lower()), name)

    def known_as(self, name: str, id: int) -> str:
        """What the file calls the repository that its forge calls so: by its number first, which outlives renames."""
        by_id = next((each for each, repo in self.repos.items() if id and repo.id == id), None)
        by_name = next(
            (each for each, repo in self.repos.items() if name and repo.github.lower() == name.lower()), None
        )
        return by_id or by_name or self.name_for(name)

    def on_github(self, name: str) -> str:
        """``owner/name`` of a repository on GitHub; empty for one that the file lacks, or that cannot be there."""
        repo = self.repo_for(name)
        if repo is None:
            return ""
        named = repo.github or self.name_for(name)
        return named if named.count("/") == 1 else ""

    def sender(self, name: str) -> SenderPolicy:
        """What counts of a sender; where the file does not say it, the defaults."""
        return self.senders.get(name, SenderPolicy())

    def repo_of(self, sender: str, *names: str) -> str:
        """The first repository that names one of these in its ``sources``, or an empty text."""
        wanted = {name.lower() for name in names if name}
        return next(
            (
                each
                for each, repo in self.repos.items()
                if not wanted.isdisjoint(source.lower() for source in repo.sources.get(sender, ()))
            ),
            "",
        )


@lru_cache(8)
def _parsed(path: Path, version: tuple[int, ...]) -> Config:
    """A version of the file as it is written; a task asks for it ten times."""
    return Config.model_validate(tomllib.loads(path.read_text()))


def load_config(path: Path) -> Config:
    """Read the file as it is now; a missing one is an empty configuration. Raises `BadConfig`."""
    if not path.exists():
        return Config()
    try:
        now = path.stat()
        config = _parsed(path, (now.st_ino, now.st_size, now.st_mtime_ns, now.st_ctime_ns))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadConfig(f"{path}: not valid TOML ({error}). Mend the file.") from error
    except OSError as error:
        raise BadConfig(f"{path}: cannot be read ({error.strerror}). Mend its permissions.") from error
    except ValidationError as error:
        lines = [
            f"{path}: {'.'.join(map(str, e['loc'])) or 'file'}: {e['msg']}. Mend the file." for e in error.errors()
        ]
        raise BadConfig("\n".join(lines)) from error
    repos = {
        name: repo.model_copy(update={"path": (path.parent / repo.path).expanduser().resolve()}) if repo.path else repo
        for name, repo in config.repos.items()
    }
    credentials = {
        place: each.model_copy(update={name: _beside(path, getattr(each, name)) for name in _FILES})
        for place, each in config.credentials.items()
    }
    return config.model_copy(update={"repos": repos, "credentials": credentials})


def _beside(config: Path, named: Path | None) -> Path | None:
    """A file that the configuration names, which may be relative to it. A link stays one: secrets are rotated so."""
    return None if named is None else (config.parent / named.expanduser()).absolute()
