"""What GitHub's issues and their comments mean in our words (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from services.gateway.inbound.github_payloads import (
    App,
    CommentPayload,
    Issue,
    IssuesPayload,
    PullRequest,
    Repository,
    User,
)
from services.gateway.inbound.mention import Mention, find_mention
from services.gateway.inbound.sender import Ignored
from services.gateway.inbound.text import bounded, clean, one_line, visible
from shared.contracts.delivery import Signal, SignalKind, Word
from shared.ops.config import Config, Policy

TRUSTED: Final = frozenset({"OWNER", "MEMBER", "COLLABORATOR"})
"""Author associations that may steer. A hint by GitHub, not a proof of write access."""
OWN_MARK: Final = "<!-- journeyman"
"""What our own comments begin with."""
PROGRAMS_WORDS: Final = frozenset({"", Word.PLAN, Word.IMPLEMENT, Word.FIX, Word.REVIEW, Word.ASK})
"""What a listed program may say: it asks for work, and decides about none."""


def opened(payload: IssuesPayload, config: Config) -> Signal | Ignored:
    """A new issue is work; with a label policy only when it is labelled or mentions us."""
    issue, policy = payload.issue, config.policy
    if ignored := _not_ours_to_take(policy, issue, issue.user, payload.sender):
        return ignored
    mention = mention_in(issue.title, issue.body, policy)
    labels = {label.name for label in issue.labels or ()}
    if policy.label and policy.label not in labels and mention is None:
        return Ignored(f"the issue has neither the label {policy.label!r} nor a mention of {policy.mention}")
    return _work(payload, config, mention, mentioned=mention is not None)


def labeled(payload: IssuesPayload, config: Config) -> Signal | Ignored:
    """The label of the policy makes an open issue work."""
    policy = config.policy
    if not policy.label or payload.label is None or payload.label.name != policy.label:
        return Ignored("this is not the label under [policy]" if policy.label else "there is no label under [policy]")
    return _given_to_us(payload, config)


def assigned(payload: IssuesPayload, config: Config) -> Signal | Ignored:
    """An issue that is assigned to our own account is work."""
    if payload.assignee is None or not config.policy.is_own_login(payload.assignee.login):
        return Ignored("it is assigned to somebody else than the login under [policy]")
    return _given_to_us(payload, config)


def edited(payload: IssuesPayload, config: Config) -> Signal | Ignored:
    """Another title or text; where it mentions us for the first time, it is work as well."""
    issue, policy, changes = payload.issue, config.policy, payload.changes
    if changes is None or (changes.title is None and changes.body is None):
        return Ignored("neither the title nor the text was edited")
    if is_own(policy, payload.sender, None):
        return Ignored("an edit of our own")
    before = mention_in(
        (changes.title.before if changes.title else issue.title) or "",
        changes.body.before if changes.body else issue.body,
        policy,
    )
    now = mention_in(issue.title, issue.body, policy)
    is_new = now is not None and now != before and _not_ours_to_take(policy, issue, issue.user, payload.sender) is None
    return _work(payload, config, now if is_new else None, kind=SignalKind.EDITED, mentioned=is_new)


def ended(payload: IssuesPayload, config: Config) -> Signal | Ignored:
    """An issue that is closed, deleted or transferred: nobody waits for the work any more."""
    issue, action = payload.issue, payload.action
    where = payload.changes.new_issue.html_url if payload.changes and payload.changes.new_issue else ""
    reason = issue.state_reason.replace("_", " ") if issue.state_reason and action == "closed" else ""
    told = f"{payload.sender.login} has {action} the issue"
    detail = one_line(f" ({reason})" if reason else f" to {where}" if where else "")
    return _work(payload, config, None, kind=SignalKind.CLOSED, text=visible(f"{told}{detail and ' '}{detail}."))


def reopened(payload: IssuesPayload, config: Config) -> Signal | Ignored:
    """What closing the issue has stopped goes on, where somebody reopens it who may steer."""
    if is_own(config.policy, payload.sender, None):
        return Ignored("an issue that we have reopened ourselves")
    told = one_line(visible(f"{payload.sender.login} has reopened the issue."))
    return _work(payload, config, None, kind=SignalKind.REOPENED, text=told)


def commented(payload: CommentPayload, config: Config) -> Signal | Ignored:
    """A comment that mentions us asks for something."""
    if ignored := _not_a_persons(payload, config.policy):
        return ignored
    mention = mention_in("", payload.comment.body, config.policy)
    if mention is None:
        return Ignored(f"a comment that does not mention {config.policy.mention}")
    return _said(payload, config, mention)


def comment_edited(payload: CommentPayload, config: Config) -> Signal | Ignored:
    """What a comment newly says counts as if it were new, but no edit approves; other words are another wording."""
    comment, policy = payload.comment, config.policy
    if ignored := _not_a_persons(payload, policy):
        return ignored
    if comment.user is None or comment.user.login != payload.sender.login:
        return Ignored("somebody else has edited the comment: only its author speaks in it")
    before = payload.changes.body.before if payload.changes and payload.changes.body else None
    if before is None or before == comment.body:
        return Ignored("the comment's text was not edited")
    then, now = mention_in("", before, policy), mention_in("", comment.body, policy)
    match now:
        case None:
            return Ignored(f"the comment does not mention {policy.mention} any more; what it has asked for goes on")
        case Mention(directive=Word.APPROVE) if now == then:
            return Ignored("an edited comment never approves, and what it approves is as it was")
        case Mention(directive=Word.APPROVE):
            # Refused in words: who has edited it waits for something to happen.
            return _said(payload, config, now, kind=SignalKind.EDITED)
        case _ if then is None:
            return _said(payload, config, now)
        case _ if now.directive and now.directive != then.directive:
            # The comment has been heard by its name already; with another word it is another message.
            return _said(payload, config, now, origin=f"{comment.origin}/{comment.updated_at}")
        case _:
            return _said(payload, config, now, kind=SignalKind.EDITED)


def thread_of(repository: Repository, issue: Issue | PullRequest) -> str:
    """The name of an issue or a pull request in `Signal.thread`, by the repository's number: renames keep that."""
    return f"github:{repository.id or repository.full_name}#{issue.number}"


def former_threads(repository: Repository, issue: Issue, config: Config) -> tuple[str, ...]:
    """What an older version called the issue: by the repository's name, or by the one it had before its rename."""
    if not repository.id:
        return ()
    names = dict.fromkeys((repository.full_name, config.known_as(repository.full_name, repository.id)))
    return tuple(f"github:{name}#{issue.number}" for name in names)


def _given_to_us(payload: IssuesPayload, config: Config) -> Signal | Ignored:
    if payload.issue.state == "closed":
        return Ignored("the issue is closed")
    # A person may give us what a program has opened: then a person asks for the work.
    if ignored := _not_ours_to_take(config.policy, None, payload.sender):
        return ignored
    mention = mention_in(payload.issue.title, payload.issue.body, config.policy)
    return _work(payload, config, mention, mentioned=True)


def _not_ours_to_take(policy: Policy, issue: Issue | None, *people: User | None) -> Ignored | None:
    """Why what these people ask for is no work, or None: it is our own, or that of a program that is not listed."""
    app = issue.performed_via_github_app if issue else None
    for each in people:
        if is_own(policy, each, app):
            return Ignored("an issue of our own: what we write never starts work")
        if each is not None and each.is_bot and not policy.lists_bot(each.login, each.id):
            return Ignored(f"an issue of the program {one_line(each.login)}, which is not in bots under [policy]")
    return None


def _not_a_persons(payload: CommentPayload, policy: Policy) -> Ignored | None:
    comment, people = payload.comment, (payload.comment.user, payload.sender)
    # Our own words first: our account may be listed among the programs, and may look like a person's.
    if (comment.body or "").lstrip().startswith(OWN_MARK) or any(
        is_own(policy, each, comment.performed_via_github_app) for each in people
    ):
        return Ignored("a comment of our own")
    if comment.user is None:
        return Ignored("a comment of nobody: its author's account is gone")
    if not any(each is not None and each.is_bot for each in people):
        return None
    if not all(each is None or not each.is_bot or policy.lists_bot(each.login, each.id) for each in people):
        return Ignored("a comment of a program that is not in bots under [policy]")
    mention = mention_in("", comment.body, policy)
    if mention is not None and mention.directive not in PROGRAMS_WORDS:
        return Ignored(f"a program asks for work, but it does not decide: {mention.directive} is a person's word")
    return None


def is_own(policy: Policy, who: User | None, app: App | None) -> bool:
    """Whether this is our own account, or our own App."""
    is_own_app = app is not None and app.id != 0 and app.id == policy.app_id
    return is_own_app or (who is not None and policy.is_own_login(who.login))


def _said(
    payload: CommentPayload,
    config: Config,
    mention: Mention,
    *,
    kind: SignalKind = SignalKind.COMMENT,
    origin: str = "",
) -> Signal:
    comment, issue, repository = payload.comment, payload.issue, payload.repository
    author = comment.user
    assert author is not None, "a comment of nobody is ignored"
    return Signal(
        kind=kind,
        thread=thread_of(repository, issue),
        opened_at_ms=issue.opened_at_ms,
        title=one_line(visible(issue.title)),
        text=clean(comment.body or ""),
        context=clean(issue.body or ""),
        repo=config.known_as(repository.full_name, repository.id),
        url=comment.html_url,
        author=author.login,
        by_program=author.is_bot,
        trusted=is_trusted(author, payload.sender, comment.author_association),
        directive=mention.directive,
        argument=bounded(mention.argument, 4096),
        origin=origin or comment.origin,
        pull_request=issue.pull_request is not None,
    )


def _work(
    payload: IssuesPayload,
    config: Config,
    mention: Mention | None,
    *,
    kind: SignalKind = SignalKind.WORK,
    text: str | None = None,
    mentioned: bool = False,
) -> Signal:
    issue, repository = payload.issue, payload.repository
    return Signal(
        kind=kind,
        thread=thread_of(repository, issue),
        opened_at_ms=issue.opened_at_ms,
        title=one_line(visible(issue.title)),
        text=clean(issue.body or "") if text is None else text,
        repo=config.known_as(repository.full_name, repository.id),
        url=issue.html_url,
        author=issue.user.login if issue.user else "",
        by_program=issue.user is not None and issue.user.is_bot,
        trusted=is_trusted(issue.user, payload.sender, issue.author_association),
        directive=mention.directive if mention else "",
        argument=bounded(mention.argument, 4096) if mention else "",
        mentioned=mentioned,
    )


def mention_in(title: str, body: str | None, policy: Policy) -> Mention | None:
    """How a text with a title addresses us, or None."""
    # A blank line between them: a title is no paragraph of the text.
    return find_mention(visible(f"{title}\n\n{body or ''}"), *handles(policy))


def handles(policy: Policy) -> Sequence[str]:
    """The names by which people address us."""
    login = policy.login.removesuffix("[bot]")
    return (policy.mention, f"@{login}") if login else (policy.mention,)


def is_trusted(author: User | None, sender: User, association: str) -> bool:
    """The association is the author's: who edits or labels somebody else's words does not inherit it."""
    return author is not None and author.login == sender.login and association in TRUSTED
