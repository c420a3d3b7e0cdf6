"""Whether the configured repositories can be read and written from here, with the credentials that are configured."""

from __future__ import annotations

import asyncio
import os
from typing import Final

import msgspec

from shared.ops.config import Config, Repo
from shared.workspace.credentials import ConfiguredCredentials, CredentialsUnusable, credential_for
from shared.workspace.git import GitFailed
from shared.workspace.local_target import cannot_write
from shared.workspace.mirror import is_remote
from shared.workspace.remote import commit_at, try_to_write
from shared.workspace.remote_access import Right

PATIENCE_S: Final = 20.0
_MEND: Final = "Correct its url or path in journeyman.toml, or the access to it."


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """How trying a repository went. ``origin`` says where the credentials come from; no ``problem`` is a good end."""

    problem: str = ""
    mend: str = ""
    origin: str = ""


async def try_repository(repo: Repo, config: Config) -> Trial:
    """Ask where its base is, and whether a branch could be made there; nothing is changed."""
    credentials = ConfiguredCredentials(lambda: config)
    origin = ""
    try:
        async with asyncio.timeout(PATIENCE_S):
            await commit_at(repo.target, repo.base or None, credentials)
            if is_remote(repo.target):
                await try_to_write(repo.target, credentials, repo.branch_prefix)
                origin = (await credentials.access(repo.target, Right.WRITE)).origin
        reason = await asyncio.to_thread(cannot_write, repo.target)
    except CredentialsUnusable as error:
        return Trial(problem=str(error), mend="docs/git-credentials.md says how they are given.")
    except (GitFailed, ValueError) as error:
        problem, _, mend = str(error).partition(" Mend: ")
        return Trial(problem=problem, mend=f"{mend[:1].upper()}{mend[1:]}" or _MEND)
    except TimeoutError:
        return Trial(problem=f"{repo.target} does not answer", mend=_MEND)
    if reason is not None:
        problem, _, mend = reason.rpartition(": ")
        return Trial(problem=problem, mend=mend[:1].upper() + mend[1:])
    return Trial(origin=origin)


async def refused_repositories(config: Config) -> list[tuple[str, str]]:
    """Those with an address that cannot be worked on, by name, with the reason and the mend."""
    remote = {name: repo for name, repo in config.repos.items() if is_remote(repo.target)}
    trials = await asyncio.gather(*(try_repository(repo, config) for repo in remote.values()))
    return [
        (name, f"{trial.problem} {trial.mend}") for name, trial in zip(remote, trials, strict=True) if trial.problem
    ]


def missing_variable(config: Config, repo: Repo) -> str:
    """The variable that has the repository's token and is not set here; empty where there is none."""
    found = credential_for(config, repo.target)
    name = found[1].token_env if found else ""
    return name if name not in os.environ else ""
