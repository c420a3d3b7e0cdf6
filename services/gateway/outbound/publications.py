"""Making a result visible: the branch in the target repository, claimed before it is touched, and its pull request.

A pull request is made where we have credentials for the repository on GitHub. Branch and pull request are one effect:
each is found again by whoever does it a second time.
"""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from typing import Final

import msgspec
import structlog

from services.gateway.outbound import pull_request_text as words
from services.gateway.outbound.displays import patiently
from services.gateway.outbound.preparation import Preparation
from services.gateway.outbound.publish_rules import CannotPublish, rules_of
from services.gateway.outbound.pull_requests import PullRequests
from services.gateway.outbound.report import Report
from services.gateway.outbound.standing import Standing, StandingLost
from shared.contracts import reply
from shared.contracts.decider import Rejected
from shared.event_store.envelope import RecordedEvent
from shared.nats.objects import ArtifactLost, Artifacts
from shared.ops.config import BadConfig, Repo, load_config
from shared.ops.crash_points import crash_point
from shared.ops.settings import Settings
from shared.ops.temp_dirs import temp_dir
from shared.runtime.activity import ActivityContext, HandOver
from shared.runtime.actor_host import ActorHost
from shared.workspace.branches import BranchInTheWay
from shared.workspace.catch_up import CannotCatchUp, Who, caught_up
from shared.workspace.git import GitFailed
from shared.workspace.mirror import Mirror
from shared.workspace.publish import BranchCheckedOut, BranchTaken, move_branch, publish_branch
from shared.workspace.remote_access import NO_CREDENTIALS, GitCredentials

FOLDER: Final = "publishing"
"""Where a data directory has bundles while they are published."""
PATIENT_TRIES: Final = 3
"""After so many deliveries a target that cannot be reached fails the publication, with the reason."""

log = structlog.get_logger(__name__)


class Published(msgspec.Struct, frozen=True, kw_only=True):
    """The commit that is visible, and the number and address of its pull request, where there is one."""

    commit: str
    url: str = ""
    pull_request: int = 0


class Publications:
    """The activity behind `reply.requested`."""

    def __init__(
        self,
        settings: Settings,
        host: ActorHost,
        artifacts: Artifacts,
        *,
        standing: Standing | None = None,
        pull_requests: PullRequests | None = None,
        credentials: GitCredentials = NO_CREDENTIALS,
    ) -> None:
        self._settings = settings
        self._pull_requests = pull_requests
        self._credentials = credentials
        self._host = host
        self._artifacts = artifacts
        self._standing = standing

    async def publish(self, event: RecordedEvent, turn: ActivityContext) -> None:
        """Claim the effect, make it visible, report. Doing it again finds the branch where it belongs."""
        wanted: reply.Requested = event.data
        report = Report(self._host, event, turn)
        attempt = 0
        try:
            attempt = await report.claim(wanted.effect, self._settings.worker)
            crash_point("publication.claimed")
            try:
                visible = await self._make_visible(event, wanted, turn)
            except CannotPublish as failure:
                log.warning("a result cannot be published", effect=wanted.effect, code=failure.code)
                await report.tell(
                    reply.Fail(effect=wanted.effect, attempt=attempt, code=failure.code, message=failure.sentence)
                )
            else:
                crash_point("publication.visible")
                post = reply.Post(
                    effect=wanted.effect,
                    attempt=attempt,
                    commit=visible.commit,
                    url=visible.url,
                    pull_request=visible.pull_request,
                )
                await report.tell(post)
                crash_point("publication.reported")
                log.info("published", effect=wanted.effect, branch=wanted.branch, commit=visible.commit)
        except Rejected as rejection:
            # Done before, given up, or somebody else's by now.
            log.info("not ours to publish", effect=wanted.effect, code=rejection.code)
            if attempt and rejection.code == "attempt-stale":
                raise HandOver from rejection

    async def give_up(self, event: RecordedEvent, reason: str) -> None:
        """Report an effect that failed again and again for a reason of ours."""
        wanted: reply.Requested = event.data
        report = Report(self._host, event, ActivityContext(0, asyncio.Event()))
        try:
            attempt = await report.claim(wanted.effect, self._settings.worker)
            sentence = f"The gateway could not publish the result ({reason}): see its log, then retry the task."
            await report.tell(
                reply.Fail(effect=wanted.effect, attempt=attempt, code="internal-error", message=sentence)
            )
        except Rejected as rejection:
            log.info("nobody waits for this effect", effect=wanted.effect, code=rejection.code)

    async def _make_visible(self, event: RecordedEvent, wanted: reply.Requested, turn: ActivityContext) -> Published:
        """What is visible now; raises `CannotPublish`."""
        try:
            if self._standing is not None:
                await self._standing.check(event.actor.id, wanted.repo)
            repo = self._repo(wanted)
            pulls = self._pull_requests
            if (update := reply.update_of(wanted.effect)) is not None:
                return await self._caught_up(event, wanted, repo, update, turn)
            if pulls is None or not pulls.on_github(wanted.repo):
                return Published(
                    commit=await self._push(event, wanted, repo, Preparation(rules_of(repo, on_github=False)))
                )
            return await self._on_github(event, wanted, repo, pulls, turn)
        except StandingLost as error:
            raise CannotPublish("standing-lost", str(error)) from error
        except ArtifactLost as error:
            raise CannotPublish("bundle-lost", f"{error} Retry the task afresh to make the result again.") from error
        except BranchCheckedOut as error:
            raise CannotPublish("branch-checked-out", f"{error} Check out another branch there, then retry.") from error
        except BranchTaken as error:
            raise CannotPublish("branch-taken", f"{error} Rename or delete it there, then retry.") from error
        except BranchInTheWay as error:
            raise CannotPublish("branch-in-the-way", str(error)) from error
        except BadConfig as error:
            if turn.delivered < PATIENT_TRIES:
                raise
            raise CannotPublish("config-invalid", str(error)) from error
        except GitFailed as error:
            if turn.delivered < PATIENT_TRIES:
                raise
            raise CannotPublish("publish-failed", str(error)) from error

    async def _on_github(
        self, event: RecordedEvent, wanted: reply.Requested, repo: Repo, pulls: PullRequests, turn: ActivityContext
    ) -> Published:
        id = event.actor.id
        author = await patiently(lambda: pulls.author(wanted.repo), turn)
        co_author = await patiently(lambda: pulls.co_author(id, wanted.repo), turn)
        state: reply.Reply = await self._host.state(event.actor)
        before = [
            effect
            for name, effect in state.effects.items()
            if name != wanted.effect and effect.request.branch == wanted.branch
        ]
        # Where people look at it already, they see a conflict there.
        is_first = not any(effect.status is reply.EffectStatus.POSTED for effect in before)
        preparation = Preparation(
            rules_of(repo, on_github=True),
            author=author,
            co_author=co_author,
            base=repo.base if is_first else None,
            trees={effect.request.tree for effect in before} - {""},
            signing_key=self._signing_key(),
        )
        commit = await self._push(event, wanted, repo, preparation)
        crash_point("pull-request.branch-pushed")
        pull = await patiently(lambda: pulls.ensure(id, wanted, repo, commit), turn)
        return Published(commit=commit, url=pull.html_url, pull_request=pull.number)

    async def _caught_up(
        self, event: RecordedEvent, wanted: reply.Requested, repo: Repo, update: reply.Update, turn: ActivityContext
    ) -> Published:
        """Bring the branch up to date with its base. Without a pull request in the answer there was nothing to do."""
        pulls = self._pull_requests
        if pulls is None or not pulls.on_github(wanted.repo):
            raise CannotPublish("not-on-github", f"{wanted.repo} is not on GitHub any more.")
        author = await patiently(lambda: pulls.author(wanted.repo), turn)
        mirror = Mirror(self._settings.data_dir / "mirrors", repo.target, credentials=self._credentials)
        await mirror.fetch()
        await mirror.ensure(update.head)
        await mirror.ensure(update.base)
        who = Who(signature=author, at=event.time, key=self._signing_key())
        message = words.merge_message(wanted.branch, update.base)
        try:
            commit = await caught_up(mirror, update.head, update.base, update.how, message=message, who=who)
        except CannotCatchUp as error:
            raise CannotPublish(error.code, str(error)) from error
        if commit == update.head:
            return Published(commit=commit)
        try:
            await move_branch(repo.target, wanted.branch, commit, update.head, mirror, credentials=self._credentials)
        except BranchTaken:
            # Somebody was faster: the next look finds what is there now.
            return Published(commit=update.head)
        crash_point("pull-request.caught-up")
        number, url = await patiently(lambda: pulls.of_branch(wanted.repo, wanted.branch), turn)
        return Published(commit=commit, url=url, pull_request=number)

    def _signing_key(self) -> Path | None:
        """The key's file; an empty one, as Compose gives where nothing is set, is none. Raises `CannotPublish`."""
        key = self._settings.signing_key_file
        if key is None:
            return None
        try:
            return key if key.read_bytes().strip() else None
        except OSError as error:
            raise CannotPublish(
                "signing-key-unreadable",
                f"The key that signs commits cannot be read ({error.strerror}): mend JOURNEYMAN_SIGNING_KEY_FILE, "
                "then retry.",
            ) from error

    def _repo(self, wanted: reply.Requested) -> Repo:
        repo = load_config(self._settings.config_path).repo_for(wanted.repo)
        if repo is None:
            raise CannotPublish(
                "repo-unknown",
                f"The repository {wanted.repo!r} is not configured: add it to {self._settings.config_path.name}, "
                "then retry.",
            )
        return repo

    async def _push(self, event: RecordedEvent, wanted: reply.Requested, repo: Repo, preparation: Preparation) -> str:
        """The id of the commit that is on the branch."""
        if wanted.bundle is None:
            raise CannotPublish("bundle-missing", "The run left no bundle of its commit: retry the task.")
        with temp_dir(self._settings.data_dir / FOLDER) as folder:
            bundle = await self._artifacts.get_file(wanted.bundle, folder / "result.bundle")
            crash_point("publication.fetched")
            publish = partial(
                publish_branch,
                repo.target,
                bundle,
                wanted.commit,
                wanted.branch,
                tree=wanted.tree or None,
                prepare=preparation.of(wanted) if preparation.is_needed else None,
                credentials=self._credentials,
            )
            try:
                return await publish(None)
            except BranchTaken as taken:
                earlier = await self._earlier(event, wanted) | {preparation.replaceable} - {""}
                # A branch of ours that somebody has pushed to is followed: the result stands on top of their commit.
                follows = bool(earlier) and taken.found == wanted.base_commit
                if taken.found is None or not (follows or taken.found in earlier):
                    raise
                # What lies there is an earlier result of the same task: this one takes its place.
                return await publish(taken.found)

    async def _earlier(self, event: RecordedEvent, wanted: reply.Requested) -> set[str]:
        """What earlier publications of the task put on the branch, as they asked for it or as it became visible."""
        state: reply.Reply = await self._host.state(event.actor)
        on_branch = [effect for effect in state.effects.values() if effect.request.branch == wanted.branch]
        return {commit for each in on_branch for commit in (each.request.commit, each.commit)} - {wanted.commit, ""}
