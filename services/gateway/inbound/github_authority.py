"""Who may tell the agent what to do on GitHub: asked of GitHub itself, or of the lists in journeyman.toml.

At first contact the thing's earlier comments come along, and words of a repository's own are understood.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final, Protocol

import msgspec
import structlog
from msgspec.structs import replace

from services.gateway.inbound.authorisation import Asked, is_failure
from services.gateway.inbound.github_issues import handles
from services.gateway.inbound.mention import find_mention
from services.gateway.inbound.repository_words import words_in
from services.gateway.inbound.self_delivery import AUTHOR as SELF_TEST
from services.gateway.inbound.text import bounded, clean, one_line, visible
from shared.contracts.delivery import Authorise, Refuse, Signal, SignalKind, Word
from shared.contracts.ids import task_id_in
from shared.contracts.pull_request import PullFacts, PullState
from shared.nats.idempotency import Claim, IdempotencyKeys, KeyReused
from shared.ops.config import Config, Policy, Repo

WRITERS: Final = frozenset({"admin", "maintain", "write"})
"""The roles that may steer."""
HARMLESS: Final = frozenset({Word.STATUS, Word.HELP})
"""Words that change nothing: everybody may say them."""
WORDS_FILE: Final = ".journeyman.yml"
EARLIER_COMMENTS: Final = 30
EARLIER_BYTES: Final = 24 * 1024
"""Most of the earlier comments that a first contact brings, and of their text; the newest go before."""
_SAID: Final = frozenset({SignalKind.COMMENT, SignalKind.EDITED})
"""What is said in the conversation of a pull request: GitHub does not say there which branch that is."""
_SENDERS_OWN: Final = frozenset({SignalKind.EDITED, SignalKind.REOPENED})
"""What the sender does itself, whoever has written the thing."""
FIRST_SAID: Final = frozenset({"created", "opened", "submitted"})
"""Actions by which somebody says something for the first time; an edit is none."""

CLOSED_BY_NOW: Final = "The issue was closed before we heard of it: to have it worked on, say plan in a new comment."
LATE_MS: Final = 30_000
"""A new issue that is heard of so much later was sent again: it may read otherwise by now."""

log = structlog.get_logger(__name__)


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """An earlier comment. ``id`` grows with time; ``at`` and ``edited_at`` are in UTC."""

    id: int
    author: str
    text: str
    at: datetime
    edited_at: datetime


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """The title and the text of an issue, ``as_of_ms`` by GitHub's clock, and whether it is ``closed``."""

    title: str
    text: str
    as_of_ms: int
    closed: bool = False


class PullSeen(msgspec.Struct, frozen=True, kw_only=True):
    """A pull request: ``head`` is its commit, from ``branch`` (empty where that is one of another repository).

    It goes to the branch ``base``, which stands at ``base_commit``. ``text`` is its own. ``open``: it is neither
    merged nor closed.
    """

    branch: str = ""
    head: str = ""
    base: str = ""
    base_commit: str = ""
    text: str = ""
    open: bool = True


class Forge(Protocol):
    """What is asked of GitHub. ``repo`` is the name in journeyman.toml. All of it raises what the client raises."""

    async def role_of(self, repo: str, login: str) -> str:
        """The role of an account in a repository; ``none`` for one without any."""
        ...

    async def is_member(self, repo: str, team: str, login: str) -> bool:
        """Whether an account is in a team, ``organization/team``, as far as the repository's credentials see it."""
        ...

    async def said_in(self, repo: str, number: int) -> Sequence[Said]:
        """The comments of an issue or a pull request, oldest first; of many the newest ones."""
        ...

    async def words_of(self, repo: str, number: int) -> Words:
        """What an issue says now."""
        ...

    async def pull_of(self, repo: str, number: int) -> PullSeen:
        """A pull request as it is now."""
        ...

    async def file(self, repo: str, path: str) -> bytes | None:
        """A file of the base branch, or None where there is none."""
        ...

    async def failure_of(self, repo: str, check: int, job: int, output: str) -> str:
        """What a failed check says of its failure, and what of it cannot be read. ``job`` is 0 where it is none."""
        ...


class GitHubAuthority:
    """Judges deliveries of GitHub."""

    def __init__(self, forge: Forge, config: Callable[[], Config], keys: IdempotencyKeys) -> None:
        self._forge = forge
        self._config = config
        self._keys = keys

    async def judge(self, asked: Asked) -> Authorise | Refuse:
        """What counts of the delivery, or why nothing of it does."""
        config = self._config()
        repo = config.repo_for(asked.signal.repo)
        if repo is None or asked.sender == SELF_TEST:
            # Where there is no repository, triage says so; of a test event only we can be the sender.
            return Authorise(signal=replace(asked.signal, trusted=False), decided_by="self-test")
        if is_failure(asked.signal):
            return Authorise(signal=await self._explained(asked.signal), decided_by="fact")
        if (by_now := await self._as_it_reads_now(asked)) is None:
            return Refuse(code="closed", reason=CLOSED_BY_NOW)
        asked = msgspec.structs.replace(asked, signal=by_now)
        signal = await self._of_its_pull_request(await self._in_its_own_words(asked, repo, config.policy))
        if signal.kind is SignalKind.COMMENT and signal.directive in HARMLESS:
            return Authorise(signal=replace(signal, trusted=False), decided_by="harmless")
        # Of programs only those that are listed come so far.
        is_listed_bot = signal.by_program and asked.sender == signal.author
        role, decided_by = ("", "bots") if is_listed_bot else await self._standing(signal.repo, repo, asked.sender)
        if not decided_by:
            return await self._of_a_stranger(asked, signal, role, config.policy)
        # Somebody else's words do not become those of the person who labels them.
        trusted = asked.sender == signal.author or signal.kind in _SENDERS_OWN
        told = replace(signal, trusted=trusted)
        return Authorise(signal=await self._with_earlier(asked, told), permission=role, decided_by=decided_by)

    async def _of_its_pull_request(self, signal: Signal) -> Signal:
        """The signal with the branch of the pull request that it is about: by that its task is known.

        For a review it comes with the commits that are compared, as they are now.
        """
        asks_review = signal.kind is SignalKind.COMMENT and signal.directive == Word.REVIEW
        is_known = signal.pull is not None and bool(signal.pull.branch) and not asks_review
        if not signal.pull_request or signal.kind not in _SAID or is_known:
            return signal
        number = int(signal.thread.rpartition("#")[2])
        seen = await self._forge.pull_of(signal.repo, number)
        facts = replace(signal.pull or PullFacts(number=number), branch=seen.branch if task_id_in(seen.branch) else "")
        if not asks_review:
            return replace(signal, pull=facts)
        compared = replace(
            facts,
            head=seen.head,
            base=one_line(visible(seen.base)),
            base_commit=seen.base_commit,
            state=PullState.OPEN if seen.open else PullState.CLOSED,
        )
        return replace(signal, pull=compared, context=signal.context or clean(seen.text))

    async def _as_it_reads_now(self, asked: Asked) -> Signal | None:
        """A new issue that we hear of late, in its words of now, or None where it is closed by now: an edit or a
        closing that came before it had no task to change.
        """
        signal = asked.signal
        late = asked.at.timestamp() * 1000 - signal.as_of_ms > LATE_MS
        if not (asked.opens and late and signal.as_of_ms) or asked.accepted.action != "opened":
            return signal
        if signal.kind is not SignalKind.WORK or signal.pull_request:
            return signal
        now = await self._forge.words_of(signal.repo, int(signal.thread.rpartition("#")[2]))
        if now.closed:
            return None
        if now.as_of_ms <= signal.as_of_ms:
            return signal
        return replace(
            signal,
            title=one_line(visible(now.title)),
            text=clean(now.text),
            as_of_ms=max(now.as_of_ms, signal.as_of_ms),
        )

    async def _explained(self, signal: Signal) -> Signal:
        """A failed check with what it says of its failure."""
        facts = signal.pull or PullFacts()
        said = await self._forge.failure_of(signal.repo, facts.check, facts.job, facts.said)
        return replace(signal, pull=replace(facts, said=said))

    async def may_steer(self, repo: str, login: str) -> bool:
        """Whether an account may still steer in a repository: in one that is not configured nobody may."""
        config = self._config()
        found = config.repo_for(repo)
        if found is None:
            return False
        return config.policy.lists_bot(login) or bool((await self._standing(repo, found, login))[1])

    async def _standing(self, name: str, repo: Repo, sender: str) -> tuple[str, str]:
        """The sender's role, where it was asked for, and what lets it steer; the second is empty where nothing does."""
        if sender.lower() in {person.lower() for person in repo.people}:
            return "", "people"
        for team in repo.teams:
            if await self._forge.is_member(name, team, sender):
                return "", "team"
        if repo.people or repo.teams:
            return "", ""
        role = await self._forge.role_of(name, sender)
        return role, "permission" if role in WRITERS else ""

    async def _of_a_stranger(self, asked: Asked, signal: Signal, role: str, policy: Policy) -> Authorise | Refuse:
        match signal.kind:
            case SignalKind.EDITED | SignalKind.REOPENED:
                # Shown, but it opens nothing: nobody who may has said so.
                edit = replace(signal, trusted=False, mentioned=False, directive="")
                return Authorise(signal=edit, permission=role)
            case SignalKind.WORK if policy.strangers == "triage":
                if await self._is_within_the_day(asked, policy):
                    told = replace(signal, trusted=False)
                    return Authorise(signal=told, permission=role, decided_by="strangers")
                return Refuse(
                    code="stranger",
                    reason=f"{policy.strangers_a_day} issues of people without write access are looked at a day, and "
                    f"that many were: {_say_so(policy)}",
                )
            case SignalKind.WORK:
                return Refuse(code="stranger", reason=_say_so(policy))
            case _:
                return Refuse(
                    code="not-trusted",
                    reason="Only people with write access to the repository tell the agent what to do: ask one of them "
                    "to say it.",
                )

    async def _is_within_the_day(self, asked: Asked, policy: Policy) -> bool:
        """Take one of the day's places; a delivery that is judged again finds its own."""
        day = f"strangers {asked.signal.repo} {datetime.now(UTC).date()}"
        for place in range(policy.strangers_a_day):
            try:
                await self._keys.claim(day, str(place), Claim(task_id=asked.id, request=asked.id))
            except KeyReused:
                continue
            return True
        return False

    async def _in_its_own_words(self, asked: Asked, repo: Repo, policy: Policy) -> Signal:
        """The signal with the directive that a word of the repository's own stands for."""
        signal = asked.signal
        if signal.directive or signal.kind is not SignalKind.COMMENT or asked.accepted.action not in FIRST_SAID:
            return signal
        words = words_in(await self._forge.file(signal.repo, WORDS_FILE), repo=signal.repo)
        mention = find_mention(signal.text, *handles(policy), words=words) if words else None
        if mention is None or not mention.directive:
            return signal
        return replace(signal, directive=mention.directive, argument=bounded(mention.argument, 4096))

    async def _with_earlier(self, asked: Asked, signal: Signal) -> Signal:
        """What was said before the comment that opens the task, as far as people could see it then."""
        if not asked.opens or signal.kind is not SignalKind.COMMENT or signal.pull_request:
            return signal
        number = int(signal.thread.rpartition("#")[2])
        id = _comment_in(signal.origin)
        before = [
            said
            for said in await self._forge.said_in(signal.repo, number)
            if (not id or said.id < id) and said.edited_at <= asked.at and "<!-- journeyman" not in said.text[:64]
        ][-EARLIER_COMMENTS:]
        if not before:
            return signal
        return replace(signal, context=bounded(f"{signal.context}\n\n---\n\n{_conversation(before)}".strip()))


def _conversation(before: Sequence[Said]) -> str:
    parts: list[str] = []
    size = 0
    for said in reversed(before):
        text = clean(said.text).strip()
        part = f"{one_line(said.author)}, {said.at:%Y-%m-%d %H:%M} UTC:\n\n{text}"
        size += len(part.encode())
        if parts and size > EARLIER_BYTES:
            break
        parts.append(bounded(part, EARLIER_BYTES))
    return "What was said about it before:\n\n" + "\n\n".join(reversed(parts))


def _comment_in(origin: str) -> int:
    """The number of a comment in its `Signal.origin`, or 0."""
    number = origin.removeprefix("github:comment/").partition("/")[0]
    return int(number) if number.isdecimal() else 0


def _say_so(policy: Policy) -> str:
    return f"somebody with write access to the repository has to say `{policy.mention} plan` or `{policy.mention} fix`."
