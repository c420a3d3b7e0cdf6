"""Jira as a sender, Cloud and Data Center: issues that are given to us, and what is said in them.

Source: https://developer.atlassian.com/cloud/jira/platform/webhooks/
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import msgspec

from services.gateway.inbound.jira_payloads import (
    BY_FILTER,
    Comment,
    Issue,
    Payload,
    User,
    issue_of,
    moment,
    page_of,
    site_of,
)
from services.gateway.inbound.jira_text import markdown_of
from services.gateway.inbound.mention import Mention, find_mention
from services.gateway.inbound.sender import Ignored, Incoming, NotAuthentic, Reading, Sender, Unnamed, decoded
from services.gateway.inbound.signature import hmac_sha256
from services.gateway.inbound.text import bounded, clean, one_line, visible
from shared.contracts.delivery import Signal, SignalKind, Word
from shared.ops.config import Config, SenderPolicy

NAME: Final = "jira"
SIGNATURE: Final = "X-Hub-Signature"
COMMENTED: Final = frozenset({"comment_created", "issue_commented"})
COMMENT_EDITED: Final = frozenset({"comment_updated", "issue_comment_edited"})
MAX_ATTACHMENTS: Final = 20
MAX_MS: Final = 2**53
APPROVES_NEVER: Final = "an edited comment never approves: write a new one"


class _Named(msgspec.Struct, frozen=True):
    event: str = msgspec.field(name="webhookEvent", default="")


_payloads: Final = msgspec.json.Decoder(Payload)
_names: Final = msgspec.json.Decoder(_Named)
_verify_signature: Final = hmac_sha256(SIGNATURE)


def verify(incoming: Incoming, secrets: Sequence[bytes]) -> None:
    """Raises `NotAuthentic` for a delivery that is neither signed nor comes by the address with the secret in it.

    Old servers cannot sign: they are given ``/webhooks/jira/<secret>``.
    """
    if incoming.key and SIGNATURE.lower() not in incoming.headers:
        matches = [hmac.compare_digest(incoming.key.encode("utf-8", "replace"), secret) for secret in secrets]
        if not any(matches):
            raise NotAuthentic("The secret in the webhook's address does not fit: give both sides the same one.")
        return
    _verify_signature(incoming, secrets)


def event(incoming: Incoming) -> str:
    """The event's name, which Jira puts into the body; raises `Unnamed`."""
    try:
        name = _names.decode(incoming.body).event
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        # The body is read once more, by who says what is wrong with it.
        return "unreadable"
    if len(name) > 200:
        raise Unnamed("The field webhookEvent is too long.")
    if name == BY_FILTER:
        raise Unnamed(
            f"The field webhookEvent says {BY_FILTER}, which is our own name for what a filter finds: no sender has it."
        )
    return name or "unknown"


def delivery_id(incoming: Incoming) -> str:
    """The same in every attempt; servers do not send one."""
    return incoming.headers.get("x-atlassian-webhook-identifier", "")[:200] or "unnamed"


def read(event: str, body: bytes, config: Config) -> Reading:
    """What a delivery of Jira means. Raises `Unreadable` for a body that is not Jira's JSON."""
    payload = decoded(_payloads, body, "Jira", event, lenient=True)
    actor = _actor(payload)
    issue = issue_of(payload)
    meaning = _meaning(payload, issue, actor, config)
    if isinstance(meaning, Signal) and not meaning.as_of_ms and issue is not None:
        as_of_ms = payload.timestamp or int(moment(issue.fields.updated) * 1000)
        meaning = msgspec.structs.replace(meaning, as_of_ms=min(max(as_of_ms, 0), MAX_MS))
    return Reading(
        action=payload.kind or "",
        sender=actor.account if actor else "",
        meaning=meaning,
        content=_content(payload, issue),
    )


def _actor(payload: Payload) -> User | None:
    comment = payload.comment
    return payload.user or (comment.update_author or comment.author if comment else None)


def _meaning(payload: Payload, issue: Issue | None, actor: User | None, config: Config) -> Signal | Ignored:
    policy, name, kind = config.sender(NAME), payload.event or "", payload.kind or ""
    if issue is None and name and not name.startswith(("jira:issue_", "comment_")):
        return Ignored(f"{one_line(visible(name))} is nothing we act on")
    if issue is None:
        return Ignored(f"{one_line(visible(name)) or 'it'} does not say which issue it is about")
    if actor is not None and policy.is_own(*actor.names):
        return Ignored("what we have done there ourselves")
    comment = payload.comment
    told = kind if kind.startswith("issue_comment") else name
    match told:
        case _ if told in COMMENTED and comment is not None:
            return _said(issue, comment, config, policy)
        case _ if told in COMMENT_EDITED and comment is not None:
            return _reworded(issue, comment, config, policy)
        case "jira:issue_created":
            return _opened(payload, issue, actor, config, policy)
        case "jira:issue_deleted":
            return _ended(issue, actor, "deleted the issue", config)
        case "jira:issue_updated" if comment is not None and not payload.changes:
            # Old servers have no name for it.
            return _said(issue, comment, config, policy)
        case "jira:issue_updated":
            return _updated(payload, issue, actor, config, policy)
        case _ if name == BY_FILTER:
            return _by_filter(issue, config, policy)
        case _:
            return Ignored(f"{name or 'an event without a name'} is nothing we act on")


def _opened(
    payload: Payload, issue: Issue, actor: User | None, config: Config, policy: SenderPolicy
) -> Signal | Ignored:
    fields = issue.fields
    text = _text(issue, config, policy)
    mention = _mention_in(text, config)
    if not _is_given(issue, policy) and mention is None:
        return Ignored(f"a new issue is work when it mentions {config.policy.mention} or is given to us")
    return _work(issue, fields.reporter or actor, actor, config, policy, mention, text)


def _is_given(issue: Issue, policy: SenderPolicy) -> bool:
    """Whether the issue is ours as it stands: by its label, its assignee, or its status."""
    fields = issue.fields
    labels = {label.lower() for label in fields.labels or () if label}
    status = (fields.status.name or "").lower() if fields.status else ""
    return bool(
        (policy.label and policy.label.lower() in labels)
        or (fields.assignee is not None and policy.is_own(*fields.assignee.names))
        or status in {each.lower() for each in policy.statuses}
    )


def _by_filter(issue: Issue, config: Config, policy: SenderPolicy) -> Signal:
    """The filter gives it to us, and nobody's word: what its author may is asked of the author."""
    text = _text(issue, config, policy)
    found = _work(issue, issue.fields.reporter, None, config, policy, _mention_in(text, config), text)
    return msgspec.structs.replace(found, waits=False)


def _updated(
    payload: Payload, issue: Issue, actor: User | None, config: Config, policy: SenderPolicy
) -> Signal | Ignored:
    fields, changes = issue.fields, {change.field: change for change in payload.changes if change.field}
    author = fields.reporter or actor
    status, labels, assignee = changes.get("status"), changes.get("labels"), changes.get("assignee")
    text = _text(issue, config, policy)
    is_given = (
        (status is not None and (status.to_string or "").lower() in {each.lower() for each in policy.statuses})
        or (assignee is not None and policy.is_own(assignee.to or ""))
        or (
            labels is not None and bool(policy.label) and _was_added(policy.label, labels.from_string, labels.to_string)
        )
    )
    category = fields.status.status_category.key if fields.status and fields.status.status_category else None
    if is_given:
        return _work(issue, author, actor, config, policy, _mention_in(text, config), text)
    if status is not None and (category == "done" or (category is None and fields.resolution is not None)):
        return _ended(issue, actor, f"moved the issue to {status.to_string or 'done'}", config)
    if status is not None and "resolution" in changes and fields.resolution is None:
        return _fact(issue, actor, SignalKind.REOPENED, "reopened the issue", config, policy)
    if "summary" in changes or "description" in changes:
        mention = _mention_in(text, config)
        is_own_word = author is not None and actor is not None and author.account == actor.account
        edit = _work(issue, author, actor, config, policy, mention if is_own_word else None, text)
        steers = actor is not None and policy.lets_steer(*actor.names)
        # Where the issue has no task although it is ours, what has made it so is late or lost: then these words count.
        is_ours = category != "done" and (mention is not None or _is_given(issue, policy))
        return msgspec.structs.replace(edit, kind=SignalKind.EDITED, trusted=steers, mentioned=is_ours)
    return Ignored("it changes nothing of what is asked for")


def _was_added(label: str, before: str | None, after: str | None) -> bool:
    wanted = label.lower()
    return bool(wanted) and wanted in (after or "").lower().split() and wanted not in (before or "").lower().split()


def _said(
    issue: Issue, comment: Comment, config: Config, policy: SenderPolicy, kind: SignalKind | None = None
) -> Signal | Ignored:
    author = comment.author
    if author is None or not author.account:
        return Ignored("a comment of nobody")
    if policy.is_own(*author.names):
        return Ignored("a comment of our own")
    if author.is_program and not policy.lets_steer(*author.names):
        return Ignored(f"a comment of a program that is not in people under [senders.{NAME}]")
    text = clean(markdown_of(comment.body, us=policy.accounts, mention=config.policy.mention))
    mention = _mention_in(text, config)
    if mention is None:
        return Ignored(f"a comment that does not mention {config.policy.mention}")
    if mention.directive == Word.APPROVE and moment(comment.updated) > moment(comment.created) > 0:
        return Ignored(APPROVES_NEVER)
    return Signal(
        kind=kind or SignalKind.COMMENT,
        thread=_thread(issue),
        opened_at_ms=0,
        title=one_line(visible(issue.fields.summary or "")),
        text=text,
        context=_text(issue, config, policy),
        repo=_repo(issue, config),
        url=page_of(issue),
        author=author.account,
        by_program=author.is_program,
        trusted=policy.lets_steer(*author.names),
        directive=mention.directive,
        argument=bounded(mention.argument, 4096),
        as_of_ms=int(moment(comment.updated or comment.created) * 1000),
        origin=f"{NAME}:comment/{site_of(issue.self or '')}/{comment.id}",
    )


def _reworded(issue: Issue, comment: Comment, config: Config, policy: SenderPolicy) -> Signal | Ignored:
    """What was written before is not told by Jira: an edit is other words, and never a decision."""
    author, editor = comment.author, comment.update_author
    if editor is not None and author is not None and editor.account != author.account:
        return Ignored("somebody else has edited the comment: only its author speaks in it")
    said = _said(issue, comment, config, policy, SignalKind.EDITED)
    if isinstance(said, Signal) and said.directive == Word.APPROVE:
        return Ignored(APPROVES_NEVER)
    return said


def _work(
    issue: Issue,
    author: User | None,
    actor: User | None,
    config: Config,
    policy: SenderPolicy,
    mention: Mention | None,
    text: str,
) -> Signal:
    # Somebody else's words do not become those of the person who assigns or labels them.
    is_own_word = author is not None and actor is not None and author.account == actor.account
    who = actor or author
    return Signal(
        kind=SignalKind.WORK,
        thread=_thread(issue),
        opened_at_ms=0,
        title=one_line(visible(issue.fields.summary or issue.key or "")),
        text=text,
        repo=_repo(issue, config),
        url=page_of(issue),
        author=author.account if author else "",
        by_program=author is not None and author.is_program,
        trusted=is_own_word and author is not None and policy.lets_steer(*author.names),
        directive=mention.directive if mention else "",
        argument=bounded(mention.argument, 4096) if mention else "",
        waits=config.policy.strangers == "wait" and not policy.lets_steer(*(who.names if who else ())),
    )


def _ended(issue: Issue, actor: User | None, what: str, config: Config) -> Signal:
    return _fact(issue, actor, SignalKind.CLOSED, what, config, config.sender(NAME))


def _fact(
    issue: Issue, actor: User | None, kind: SignalKind, what: str, config: Config, policy: SenderPolicy
) -> Signal:
    who = (actor.display_name or actor.account if actor else "") or "Somebody"
    return Signal(
        kind=kind,
        thread=_thread(issue),
        opened_at_ms=0,
        title=one_line(visible(issue.fields.summary or issue.key or "")),
        text=one_line(visible(f"{who} has {what}.")),
        repo=_repo(issue, config),
        url=page_of(issue),
        author=actor.account if actor else "",
        trusted=actor is not None and policy.lets_steer(*actor.names),
    )


def _thread(issue: Issue) -> str:
    return f"{NAME}:{site_of(issue.self or '')}#{issue.id}"


def _repo(issue: Issue, config: Config) -> str:
    """By label, by component, by project: the narrowest that journeyman.toml names."""
    fields = issue.fields
    project = (fields.project.key if fields.project else None) or (issue.key or "").rpartition("-")[0]
    components = [each.name for each in fields.components or () if each is not None and each.name]
    narrowest = (
        [f"label:{label}" for label in fields.labels or () if label],
        [f"{project}/{component}" for component in components],
        [project],
    )
    return next((repo for names in narrowest if (repo := config.repo_of(NAME, *names))), "")


def _text(issue: Issue, config: Config, policy: SenderPolicy) -> str:
    text = markdown_of(issue.fields.description, us=policy.accounts, mention=config.policy.mention)
    files = [each.filename for each in issue.fields.attachment or () if each is not None and each.filename]
    listed = "\n".join(f"- {one_line(visible(name))}" for name in files[:MAX_ATTACHMENTS])
    return clean(f"{text}\n\nAttached there:\n\n{listed}" if listed else text)


def with_issue(signal: Signal, issue: Issue, config: Config) -> Signal:
    """The signal of a comment with all that its issue says: comments of Cloud bring few of the issue's fields, and
    those of old servers none."""
    return msgspec.structs.replace(
        signal,
        title=one_line(visible(issue.fields.summary or issue.key or "")),
        context=_text(issue, config, config.sender(NAME)),
        repo=_repo(issue, config),
        url=page_of(issue),
    )


def _mention_in(text: str, config: Config) -> Mention | None:
    return find_mention(text, config.policy.mention)


def _content(payload: Payload, issue: Issue | None) -> tuple[str, ...]:
    """What happened: old servers tell a comment twice, as its own event and as an update of its issue.

    Asking Jira for what we have missed leads to the same names: a change has a number, an issue is created and fits a
    filter once, and times are told in the time zone of whoever hears them.
    """
    comment, event, kind = payload.comment, payload.event or "", payload.kind or ""
    site = site_of((issue.self if issue else None) or "")
    if comment is not None and comment.updated and not payload.changes:
        deleted = "deleted" in event or "deleted" in kind
        created = (kind if kind.startswith("issue_comment") else event) in COMMENTED
        at = (comment.created if created else None) or comment.updated
        return ("comment", site, comment.id, _utc(at), "deleted" if deleted else "")
    if issue is None:
        return ()
    if event in ("jira:issue_created", BY_FILTER):
        return (event, site, issue.id)
    if event == "jira:issue_updated" and payload.changelog is not None and payload.changelog.id is not None:
        return (event, site, issue.id, "change", str(payload.changelog.id))
    if not (payload.timestamp or issue.fields.updated):
        return ()
    changes = "\x00".join(f"{each.field}\x01{each.to}\x01{each.to_string}" for each in payload.changes)
    digest = hashlib.sha256(changes.encode("utf-8", "surrogatepass")).hexdigest()
    return (event, site, issue.id, str(payload.timestamp or issue.fields.updated), digest)


def _utc(at: str) -> str:
    """A time as every time zone tells it; what is none, as it is."""
    return datetime.fromtimestamp(found, UTC).isoformat(timespec="milliseconds") if (found := moment(at)) else at


SENDER: Final = Sender(
    verify=verify,
    event=event,
    delivery_id=delivery_id,
    read=read,
    setup="""\
In Jira, Administration → System → WebHooks: the address is `https://…/webhooks/jira`, the secret the one of
`JOURNEYMAN_JIRA_WEBHOOK_SECRET`, the events those of issues and comments, and the JQL there says about which issues we
hear at all. Servers too old to sign are given `https://…/webhooks/jira/<secret>`, over HTTPS only, with a secret of 16
or more letters, digits, `-` and `_`. What counts there stands in journeyman.toml:

```toml
[repos."octo/app"]
url = "https://github.com/octo/app.git"
sources = { jira = ["APP", "APP/backend", "label:app-team"] }  # projects, components, labels; the narrowest decides

[senders.jira]
accounts = ["712020:0a1b"]  # our own account: what is assigned to it is work, what it writes is not
people = ["5b10a2844c20"]   # who may tell the agent what to do: account ids, on servers names; "*" is everybody
label = "agent"
statuses = ["Ready for agent"]
transitions = { working = "In Progress", review = "In Review", done = "Done" }  # names of statuses; none where missing
work_log = true             # each attempt of an agent is logged with its time; false where it is missing

[senders.jira.project_transitions.OPS]  # a project with other statuses
working = "Doing"

[senders.jira.jql]  # by project: what comes to fit the filter is work, once
OPS = "priority = Highest AND labels = crash"
```

Where `sources` do not say which of several repositories it is, people are asked there, and one of `people` answers by
naming it: `@agent plan octo/app`.

What others than `people` ask for, label, assign or move begins nothing: they are told that it waits, until one of
`people` does the same. With `strangers = "triage"` under `[policy]` it is planned, and its plan waits. What a filter of
`jql` finds is the filter's.

With credentials people are answered there: one comment for each task, edited in place, with the plan, how to approve
it, and the evidence; a line for what is refused or asked; the status of the issue by `transitions`, once at each step;
a link to the pull request; and, where `work_log` says so, the time of each attempt in the issue's work log, which
leaves the estimate as it is. Credentials are `JOURNEYMAN_JIRA_URL`, the address that Jira itself gives in its
webhooks, and `JOURNEYMAN_JIRA_TOKEN`: on Cloud an API token together with `JOURNEYMAN_JIRA_EMAIL`, on Data Center a
personal access token alone; `journeyman doctor` tries them. Their account browses projects, comments, edits its own
comments, moves and links issues, and logs work; it is asked for its own name, so that `accounts` may stay empty.
On Cloud comments are ADF, on Data
Center wiki markup; those of a service desk are internal. A status that no transition leads to is told by `reply.failed`
in the log, and the work goes on.

With credentials Jira is also asked once a minute for what its webhooks have not brought: issues of the projects and
labels in `sources` (of all that our account sees, where there are none) that were changed since the last look, with
their histories and comments. What a webhook has brought is known by what happened and comes to nothing; what it has not
is a delivery like others, one to two minutes late. Deleted issues and comments leave nothing to be found. Up to when
Jira was asked stands in the bucket POSITIONS of NATS, by Jira's clock; without it, asking begins at this moment. The
filters of `jql` are looked at in the same way, and need no webhook.

Comments bring neither the labels nor the components of their issue on Cloud, and old servers tell them without the
issue: with credentials Jira is asked for it when a comment opens a task, before work begins; without, the project says
the repository.
""",
    effects=(
        ("`jira:issue_created`", "Opens a task when the issue mentions us, has the label or the status, or is ours."),
        (
            "`jira:issue_updated`",
            "Opens a task when the issue is assigned to our account, gets the label, or is moved to one of the "
            "statuses. Moved to a status that means done: stops the work. Reopened: takes up what that has stopped. "
            "Another summary or description: as an edited issue of GitHub, and where the issue is ours and has no task "
            "yet, because what gave it to us is late or was lost, it opens that with the newer words.",
        ),
        ("`jira:issue_deleted`", "Stops the work on the issue, unless somebody said `@agent go on`."),
        ("`comment_created`", "A mention opens the issue's task, is a further wish for it, or steers it."),
        ("`comment_updated`", "Other words of a wish replace those of before until planning begins; never approves."),
        ("`journeyman:jql`", "Our own: an issue has come to fit the filter of its project, and opens a task."),
    ),
)
