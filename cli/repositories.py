"""Whether the configured repositories can be read and written, with the credentials that are configured."""

from __future__ import annotations

import asyncio
from typing import Final

import msgspec

from cli.git_credentials import git_credentials
from shared.contracts.git_queries import LOOK, LookAtRepo, RepoLook
from shared.nats.bus import Bus
from shared.nats.errors import NatsError
from shared.ops.config import Config, Repo
from shared.workspace.credentials import CredentialsUnusable
from shared.workspace.gateway_git import read_answer
from shared.workspace.git import GitFailed
from shared.workspace.local_target import cannot_write
from shared.workspace.mirror import is_remote
from shared.workspace.remote import commit_at, try_to_write
from shared.workspace.remote_access import Right

PATIENCE_S: Final = 20.0
GATEWAY_S: Final = 45.0
_MEND: Final = "Correct its url or path in journeyman.toml, or the access to it."


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """How trying a repository went. ``access`` says where the credentials come from; no ``problem`` is a good end."""

    problem: str = ""
    mend: str = ""
    access: str = ""


async def try_repository(name: str, repo: Repo, config: Config, bus: Bus | None) -> Trial:
    """Ask where its base is, and whether a branch could be made there; nothing is changed.

    A remote one is tried by the gateway of the system at ``bus``, whose credentials count; from here, if none answers.
    """
    if bus is not None and is_remote(repo.target):
        asked = msgspec.json.encode(LookAtRepo(repo=name, anew=True))
        try:
            answer = (await bus.request(LOOK, asked, timeout=GATEWAY_S)).data
            look = read_answer(answer, RepoLook)
        except (TimeoutError, NatsError):
            return await _try_from_here(repo, config)
        except GitFailed as error:
            return _trial(str(error), "")
        return _trial(look.problem, look.access)
    return await _try_from_here(repo, config)


async def refused_repositories(config: Config, bus: Bus | None) -> list[tuple[str, str]]:
    """Remote ones that cannot be worked on, by name, with the reason and the mend."""
    remote = {name: repo for name, repo in config.repos.items() if is_remote(repo.target)}
    trials = await asyncio.gather(*(try_repository(name, repo, config, bus) for name, repo in remote.items()))
    return [
        (name, f"{trial.problem}. {trial.mend}") for name, trial in zip(remote, trials, strict=True) if trial.problem
    ]


async def _try_from_here(repo: Repo, config: Config) -> Trial:
    credentials = git_credentials(config)
    access = ""
    try:
        async with asyncio.timeout(PATIENCE_S):
            await commit_at(repo.target, repo.base or None, credentials)
            if is_remote(repo.target):
                await try_to_write(repo.target, credentials, repo.branch_prefix)
                access = (await credentials.access(repo.target, Right.WRITE)).origin
        reason = await asyncio.to_thread(cannot_write, repo.target)
    except CredentialsUnusable as error:
        return Trial(problem=str(error).rstrip("."), mend="docs/git-credentials.md says how they are given.")
    except (GitFailed, ValueError) as error:
        return _trial(str(error), access)
    except TimeoutError:
        return Trial(problem=f"{repo.target} does not answer", mend=_MEND)
    if reason is not None:
        problem, _, mend = reason.rpartition(": ")
        return Trial(problem=problem, mend=mend[:1].upper() + mend[1:])
    return Trial(access=access)


def _trial(problem: str, access: str) -> Trial:
    said, _, mend = problem.partition(" Mend: ")
    return Trial(
        problem=said.rstrip("."), mend=(f"{mend[:1].upper()}{mend[1:]}" or _MEND) if problem else "", access=access
    )
