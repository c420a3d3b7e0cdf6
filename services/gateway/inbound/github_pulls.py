"""What GitHub's pull requests, their reviews and the comments on their lines mean in our words (pure).

Those of our own branches are told to the task that has made them; on others people may ask for a review.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

from msgspec.structs import replace

from services.gateway.inbound.github_issues import (
    OWN_MARK,
    PROGRAMS_WORDS,
    is_own,
    is_trusted,
    mention_in,
    thread_of,
)
from services.gateway.inbound.github_payloads import (
    App,
    PullEvent,
    PullPayload,
    PullRequest,
    Repository,
    Review,
    ReviewComment,
    ReviewCommentPayload,
    ReviewPayload,
    User,
)
from services.gateway.inbound.mention import Mention
from services.gateway.inbound.sender import Ignored
from services.gateway.inbound.text import bounded, clean, one_line, visible
from shared.contracts.delivery import Signal, SignalKind, Word
from shared.contracts.ids import task_id_in
from shared.contracts.pull_request import PullFacts, PullState
from shared.ops.config import Config, Policy

NOT_OURS: Final = "the pull request is none of ours, and nothing on it asks us for anything"
CONFLICT: Final = "dirty"
"""`mergeable_state` of a pull request that cannot be merged as it is."""
_REVERTS: Final = re.compile(r"revert-(\d{1,9})-(.+)")
"""What GitHub calls the branch of a pull request that takes the merge of another branch's back."""
_IN_A_BATCH: Final = frozenset({"", Word.PLAN, Word.IMPLEMENT, Word.FIX, Word.ASK})
"""Words that ask for work: in a review they go with what else it says. The others steer, and are heard at once."""


def opened(payload: PullPayload, config: Config) -> Signal | Ignored:
    """A new pull request is no work of ours, unless it asks for a review."""
    if is_own(config.policy, payload.sender, None) or _branch(payload.pull_request, payload.repository):
        return Ignored("a pull request of our own")
    mention = mention_in(payload.pull_request.title, payload.pull_request.body, config.policy)
    if mention is None:
        return Ignored(f"a pull request that does not mention {config.policy.mention}")
    if ignored := _not_a_persons(config.policy, mention, None, payload.sender, payload.pull_request.user):
        return ignored
    return _asked(payload, config, mention)


def requested(payload: PullPayload, config: Config) -> Signal | Ignored:
    """A review is asked for: of us as a reviewer, by our label, or by giving us the pull request."""
    policy = config.policy
    match payload.action:
        case "labeled":
            is_us = bool(policy.label) and payload.label is not None and payload.label.name == policy.label
        case "assigned":
            is_us = payload.assignee is not None and policy.is_own_login(payload.assignee.login)
        case _:
            is_us = payload.requested_reviewer is not None and policy.is_own_login(payload.requested_reviewer.login)
    if not is_us:
        return changed(payload, config)
    if _branch(payload.pull_request, payload.repository):
        return Ignored("a pull request of our own: people review it")
    if ignored := _not_a_persons(policy, None, None, payload.sender):
        return ignored
    return _asked(payload, config, Mention(Word.REVIEW))


def moved(payload: PullPayload, config: Config) -> Signal | Ignored:
    """The head of a pull request of ours is another commit, which somebody else has pushed."""
    if is_own(config.policy, payload.sender, None):
        return Ignored("a push of our own, of which its task knows")
    return _told(payload, config, f"{payload.sender.login} has pushed to the pull request.")


def ended(payload: PullPayload, config: Config) -> Signal | Ignored:
    """A pull request of ours was merged or closed, or another one takes its merge back."""
    pull = payload.pull_request
    found = _REVERTS.fullmatch(pull.head.ref)
    if pull.merged and found and task_id_in(found[2]) and _is_here(pull, payload.repository):
        facts = PullFacts(
            number=int(found[1]), state=PullState.MERGED, reverts=found[2], commit=pull.merge_commit_sha or ""
        )
        return _signal(payload, config, facts, f"{payload.sender.login} has taken the merge back.")
    state = PullState.MERGED if pull.merged else PullState.CLOSED
    how = "merged" if pull.merged else "closed"
    return _told(payload, config, f"{visible(payload.sender.login)} has {how} the pull request.", state=state)


def reopened(payload: PullPayload, config: Config) -> Signal | Ignored:
    """A pull request of ours was opened again."""
    return _told(payload, config, f"{payload.sender.login} has reopened the pull request.", state=PullState.OPEN)


def changed(payload: PullPayload, config: Config) -> Signal | Ignored:
    """Whatever else happens to a pull request of ours may tell that it cannot be merged any more."""
    if _branch(payload.pull_request, payload.repository) and payload.pull_request.mergeable_state == CONFLICT:
        return _told(payload, config, "The pull request cannot be merged as it is.")
    return Ignored(f"{payload.action.replace('_', ' ')} changes nothing of what is asked for")


def reviewed(payload: ReviewPayload, config: Config) -> Signal | Ignored:
    """A review of a pull request of ours, or one that asks us for something."""
    review, policy = payload.review, config.policy
    mention = mention_in("", review.body, policy)
    if ignored := _not_a_persons(policy, mention, None, payload.sender, review.user, body=review.body):
        return ignored
    return _said(payload, config, review, mention, PullFacts(verdict=review.state.lower(), review=str(review.id)))


def dismissed(payload: ReviewPayload, config: Config) -> Signal | Ignored:
    """A review that does not count any more."""
    return _withdrawn(payload, config, payload.review.user, PullFacts(review=str(payload.review.id)))


def commented(payload: ReviewCommentPayload, config: Config) -> Signal | Ignored:
    """A comment on a line of a pull request of ours, or one that asks us for something."""
    comment, policy = payload.comment, config.policy
    mention = mention_in("", comment.body, policy)
    app = comment.performed_via_github_app
    if ignored := _not_a_persons(policy, mention, app, payload.sender, comment.user, body=comment.body):
        return ignored
    return _said(payload, config, comment, mention, _place(comment))


def edited(payload: ReviewPayload | ReviewCommentPayload, config: Config) -> Signal | Ignored:
    """Other words: only those of the author count, and no edit decides anything."""
    said = payload.review if isinstance(payload, ReviewPayload) else payload.comment
    before = payload.changes.body.before if payload.changes and payload.changes.body else None
    if before is None or before == said.body:
        return Ignored("its text was not edited")
    if said.user is None or said.user.login != payload.sender.login:
        return Ignored("somebody else has edited it: only its author speaks in it")
    mention = mention_in("", said.body, config.policy)
    decides = mention is not None and mention.directive not in _IN_A_BATCH
    if decides and mention == mention_in("", before, config.policy):
        return Ignored("an edit never decides, and what it has decided is as it was")
    now = reviewed(payload, config) if isinstance(payload, ReviewPayload) else commented(payload, config)
    if isinstance(now, Ignored) or now.pull is None:
        return now
    if decides:
        # Refused in words: who has edited it waits for something to happen.
        return replace(now, kind=SignalKind.EDITED, pull=replace(now.pull, edited=True))
    words = hashlib.sha256((said.body or "").encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return replace(now, origin=f"{now.origin}/{words}", pull=replace(now.pull, edited=True))


def deleted(payload: ReviewCommentPayload, config: Config) -> Signal | Ignored:
    """A comment on a line that does not count any more."""
    return _withdrawn(payload, config, payload.comment.user, PullFacts(key=_key(payload.comment)))


def _withdrawn(
    payload: ReviewPayload | ReviewCommentPayload, config: Config, author: User | None, facts: PullFacts
) -> Signal | Ignored:
    branch = _branch(payload.pull_request, payload.repository)
    if not branch:
        return Ignored(NOT_OURS)
    if is_own(config.policy, author, None):
        return Ignored("words of our own")
    withdrawn = PullFacts(
        branch=branch, number=payload.pull_request.number, key=facts.key, review=facts.review, verdict="dismissed"
    )
    return _signal(payload, config, withdrawn, f"{payload.sender.login} has withdrawn what was said in the review.")


def _said(
    payload: ReviewPayload | ReviewCommentPayload,
    config: Config,
    said: Review | ReviewComment,
    mention: Mention | None,
    about: PullFacts,
) -> Signal | Ignored:
    author, pull = said.user, payload.pull_request
    assert author is not None, "what nobody has said is ignored"
    branch = _branch(pull, payload.repository)
    steers = mention is not None and (mention.directive not in _IN_A_BATCH or not branch)
    if not branch and mention is None:
        return Ignored(NOT_OURS)
    key = _key(said)
    return Signal(
        kind=SignalKind.COMMENT if steers else SignalKind.REVIEW,
        thread=thread_of(payload.repository, pull),
        opened_at_ms=pull.opened_at_ms,
        title=one_line(visible(pull.title)),
        text=clean(said.body or ""),
        repo=config.known_as(payload.repository.full_name, payload.repository.id),
        url=said.html_url,
        author=author.login,
        by_program=author.is_bot,
        trusted=is_trusted(author, payload.sender, said.author_association),
        directive=mention.directive if mention else "",
        argument=bounded(mention.argument, 4096) if mention else "",
        mentioned=mention is not None,
        origin=f"github:{_kind(said)}/{said.id}",
        pull_request=True,
        pull=PullFacts(
            number=pull.number,
            branch=branch,
            head=pull.head.sha,
            key=key,
            review=about.review,
            verdict=about.verdict,
            path=about.path,
            line=about.line,
            author=pull.user.login if pull.user else "",
        ),
    )


def _asked(payload: PullPayload, config: Config, mention: Mention) -> Signal:
    """Somebody asks for something on a pull request that is none of ours."""
    pull, repository, sender = payload.pull_request, payload.repository, payload.sender
    association = pull.author_association if pull.user and pull.user.login == sender.login else ""
    return Signal(
        kind=SignalKind.COMMENT,
        thread=thread_of(repository, pull),
        opened_at_ms=pull.opened_at_ms,
        title=one_line(visible(pull.title)),
        text=clean(pull.body or "") if payload.action == "opened" else "",
        repo=config.known_as(repository.full_name, repository.id),
        url=pull.html_url,
        author=sender.login,
        by_program=sender.is_bot,
        trusted=is_trusted(pull.user, sender, association),
        directive=mention.directive,
        argument=bounded(mention.argument, 4096),
        origin=f"github:pull/{pull.id}/{payload.action}/{pull.updated_at or ''}",
        pull_request=True,
        pull=PullFacts(number=pull.number, head=pull.head.sha, author=pull.user.login if pull.user else ""),
    )


def _told(payload: PullPayload, config: Config, told: str, *, state: PullState | None = None) -> Signal | Ignored:
    pull = payload.pull_request
    branch = _branch(pull, payload.repository)
    if not branch:
        return Ignored(NOT_OURS)
    merge = pull.merge_commit_sha or "" if state is PullState.MERGED else ""
    conflict = state is None and pull.mergeable_state == CONFLICT
    facts = PullFacts(
        number=pull.number, branch=branch, head=pull.head.sha, state=state, commit=merge, conflict=conflict
    )
    return _signal(payload, config, facts, told)


def _signal(payload: PullEvent, config: Config, facts: PullFacts, told: str) -> Signal:
    pull, repository = payload.pull_request, payload.repository
    return Signal(
        kind=SignalKind.REVIEW if facts.verdict else SignalKind.PULL_REQUEST,
        thread=thread_of(repository, pull),
        opened_at_ms=pull.opened_at_ms,
        title=one_line(visible(pull.title)),
        text=one_line(told),
        repo=config.known_as(repository.full_name, repository.id),
        url=pull.html_url,
        author=payload.sender.login,
        by_program=payload.sender.is_bot,
        pull_request=True,
        pull=facts,
    )


def _place(comment: ReviewComment) -> PullFacts:
    line = comment.line or comment.original_line or 0
    return PullFacts(
        review=str(comment.pull_request_review_id or ""), path=one_line(visible(comment.path)), line=max(0, line)
    )


def _key(said: Review | ReviewComment) -> str:
    return f"{_kind(said)}/{said.node_id or said.id}"


def _kind(said: Review | ReviewComment) -> str:
    return "review" if isinstance(said, Review) else "review-comment"


def _branch(pull: PullRequest, repository: Repository) -> str:
    """The branch of a task that the pull request comes from, or empty: a fork may call its branch as it likes."""
    branch = pull.head.ref
    is_ours = _is_here(pull, repository) and task_id_in(branch) and not _REVERTS.fullmatch(branch)
    return branch if is_ours else ""


def _is_here(pull: PullRequest, repository: Repository) -> bool:
    home = pull.head.repo
    return home is not None and (home.id == repository.id if home.id else home.full_name == repository.full_name)


def _not_a_persons(
    policy: Policy, mention: Mention | None, app: App | None, *people: User | None, body: str | None = None
) -> Ignored | None:
    if (body or "").lstrip().startswith(OWN_MARK) or any(is_own(policy, each, app) for each in people):
        return Ignored("words of our own")
    if people[-1] is None:
        return Ignored("words of nobody: their author's account is gone")
    if not any(each is not None and each.is_bot for each in people):
        return None
    if not all(each is None or not each.is_bot or policy.lists_bot(each.login, each.id) for each in people):
        return Ignored("words of a program that is not in bots under [policy]")
    if mention is not None and mention.directive not in PROGRAMS_WORDS:
        return Ignored(f"a program asks for work, but it does not decide: {mention.directive} is a person's word")
    return None
