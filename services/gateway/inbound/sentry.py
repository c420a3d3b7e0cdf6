"""Sentry as a sender: alerts and issues of an internal integration, and what is said about them.

Source: https://docs.sentry.io/organization/integrations/integration-platform/webhooks/
"""

from __future__ import annotations

from typing import Final

import msgspec

from services.gateway.inbound.link import web_link
from services.gateway.inbound.mention import find_mention
from services.gateway.inbound.sender import Ignored, Incoming, Reading, Sender, decoded, from_header
from services.gateway.inbound.sentry_payloads import Actor, Event, Issue, MetricAlert, Payload
from services.gateway.inbound.sentry_text import MAX_BYTES, scrubbed, text_of_event, text_of_issue, title_of
from services.gateway.inbound.signature import hmac_sha256
from services.gateway.inbound.text import bounded, clean, one_line, visible
from shared.contracts.delivery import Signal, SignalKind
from shared.ops.config import Config, SenderPolicy

NAME: Final = "sentry"
TRIGGERS: Final = ("event_alert", "metric_alert")
"""What opens a task where journeyman.toml does not say it: alerts, whose rules somebody has written."""
KNOWN_TRIGGERS: Final = (*TRIGGERS, "issue.created", "issue.assigned")
ENDS: Final = frozenset({"resolved", "archived", "ignored"})
COMES_BACK: Final = "unresolved"

_payloads: Final = msgspec.json.Decoder(Payload)
_resource: Final = from_header("Sentry-Hook-Resource")


def read(event: str, body: bytes, config: Config) -> Reading:
    """What a delivery of Sentry means. Raises `Unreadable` for a body that is not the resource's JSON."""
    payload = decoded(_payloads, body, "Sentry", event, lenient=True)
    actor = payload.actor or Actor()
    return Reading(
        action=payload.action,
        sender=actor.account,
        meaning=_meaning(event, payload, actor, config),
        content=_content(event, payload),
    )


def _meaning(resource: str, payload: Payload, actor: Actor, config: Config) -> Signal | Ignored:
    data, action = payload.data, payload.action
    policy = config.sender(NAME)
    if policy.is_own(actor.account, actor.name):
        return Ignored("what we have done there ourselves")
    match resource:
        case "event_alert" if data.event is not None and action == "triggered":
            return _triggered(resource, policy) or _of_event(data.event, data.triggered_rule, config)
        case "metric_alert" if data.metric_alert is not None and action in ("critical", "warning"):
            return _triggered(resource, policy) or _of_metric(data.metric_alert, payload, config)
        case "metric_alert" if data.metric_alert is not None and action == "resolved":
            return _metric_signal(data.metric_alert, payload, config, SignalKind.CLOSED, "The alert is resolved.")
        case "issue" if data.issue is not None and not data.issue.id:
            return Ignored("the issue has no number")
        case "issue" if data.issue is not None and action in ENDS:
            text = f"{one_line(visible(actor.name)) or 'Sentry'} has {action} the issue."
            return _of_issue(data.issue, config, SignalKind.CLOSED, text)
        case "issue" if data.issue is not None and action == COMES_BACK:
            return _came_back(data.issue, actor, config)
        case "issue" if data.issue is not None and action in ("created", "assigned"):
            if ignored := _triggered(f"issue.{action}", policy):
                return ignored
            return _of_issue(data.issue, config, SignalKind.WORK, text_of_issue(data.issue))
        case "comment" if action == "created":
            return _said(payload, actor, config)
        case "installation":
            return Ignored("which repositories are worked on says journeyman.toml")
        case _:
            return Ignored(f"{resource} {action} is nothing we act on".replace("  ", " "))


def _triggered(trigger: str, policy: SenderPolicy) -> Ignored | None:
    triggers = TRIGGERS if policy.triggers is None else policy.triggers
    if trigger in triggers:
        return None
    return Ignored(f"{trigger} is not in triggers under [senders.{NAME}]")


def _of_event(event: Event, rule: str, config: Config) -> Signal | Ignored:
    if not event.issue:
        return Ignored("the alert names no issue")
    return Signal(
        kind=SignalKind.WORK,
        thread=f"{NAME}:{event.issue}",
        opened_at_ms=0,
        title=title_of(event.name),
        text=text_of_event(event, rule),
        repo=config.repo_of(NAME, event.project_slug_or_url, event.project_id),
        url=event.web_url,
        author=NAME,
        by_program=True,
    )


def _of_issue(issue: Issue, config: Config, kind: SignalKind, text: str) -> Signal:
    return Signal(
        kind=kind,
        thread=f"{NAME}:{issue.id}",
        opened_at_ms=0,
        title=title_of(issue.title),
        text=text,
        repo=config.repo_of(NAME, issue.project.slug, issue.project.id),
        url=issue.permalink or issue.web_url or "",
        author=NAME,
        by_program=True,
    )


def _came_back(issue: Issue, actor: Actor, config: Config) -> Signal:
    """A regression: the work on it, which has ended, is taken up again."""
    seen = f"It was seen {issue.count} times, last at {issue.last_seen}." if issue.count else ""
    match issue.substatus:
        case "escalating":
            what = "The error, which was archived, happens more often than before."
        case "ongoing" if actor.type == "user":
            what = f"{one_line(visible(actor.name)) or 'Somebody'} says that the error is not resolved."
        case _:
            what = "The error has come back after it was resolved."
    text = f"{what} {one_line(visible(seen))}".strip()
    back = _of_issue(issue, config, SignalKind.COMMENT, text)
    # Sentry has signed it: no person's standing is asked for.
    return msgspec.structs.replace(
        back, context=text_of_issue(issue), origin=f"{came_back_origin(issue.id)}{issue.last_seen}", trusted=True
    )


def with_issue(signal: Signal, issue: Issue, text: str, config: Config) -> Signal:
    """The signal with what Sentry says of its issue, which has the text ``text``."""
    is_said = signal.kind is SignalKind.COMMENT
    return msgspec.structs.replace(
        signal,
        title=signal.title or title_of(issue.title),
        text=signal.text if is_said else text,
        context=text if is_said else signal.context,
        repo=signal.repo or config.repo_of(NAME, issue.project.slug, issue.project.id),
        url=signal.url or web_link(issue.permalink or issue.web_url or ""),
    )


def came_back_origin(issue: str) -> str:
    """How the origins of an issue's regressions begin; each ends with when the error was seen."""
    return f"{NAME}:back/{issue}/"


def _of_metric(alert: MetricAlert, payload: Payload, config: Config) -> Signal:
    told = "\n\n".join(filter(None, (payload.data.description_title, payload.data.description_text)))
    text = scrubbed(bounded(visible(told), MAX_BYTES))
    return _metric_signal(alert, payload, config, SignalKind.WORK, text)


def _metric_signal(alert: MetricAlert, payload: Payload, config: Config, kind: SignalKind, text: str) -> Signal:
    names = [project for project in alert.projects or () if project]
    return Signal(
        kind=kind,
        thread=f"{NAME}:alert/{alert.id}",
        opened_at_ms=0,
        title=title_of(alert.title or payload.data.description_title or "A metric alert"),
        text=text,
        repo=config.repo_of(NAME, *names),
        url=payload.data.web_url or "",
        author=NAME,
        by_program=True,
    )


def _said(payload: Payload, actor: Actor, config: Config) -> Signal | Ignored:
    data = payload.data
    if actor.type == "application":
        return Ignored("a comment of a program")
    if not data.comment or not data.issue_id:
        return Ignored("the comment says nothing, or not about which issue")
    mention = find_mention(visible(data.comment), config.policy.mention)
    if mention is None:
        return Ignored(f"a comment that does not mention {config.policy.mention}")
    return Signal(
        kind=SignalKind.COMMENT,
        thread=f"{NAME}:{data.issue_id}",
        opened_at_ms=0,
        title="",
        text=clean(data.comment),
        repo=config.repo_of(NAME, data.project_slug or ""),
        author=actor.account,
        trusted=config.sender(NAME).lets_steer(actor.account, actor.name),
        directive=mention.directive,
        argument=bounded(mention.argument, 4096),
        origin=f"{NAME}:comment/{data.comment_id}" if data.comment_id else "",
    )


def _content(resource: str, payload: Payload) -> tuple[str, ...]:
    """What happened. Each attempt of Sentry has another id and time, so that these cannot be gone by."""
    data = payload.data
    where = payload.installation.uuid if payload.installation else ""
    match resource:
        case "event_alert" if data.event is not None and data.event.event_id:
            what: tuple[str, ...] = (data.event.event_id, data.triggered_rule)
        case "issue" if data.issue is not None and payload.action == "created":
            # Once, whoever tells it: seen it is again and again.
            return (resource, payload.action, data.issue.id)
        case "issue" if data.issue is not None:
            what = (data.issue.id, data.issue.last_seen, data.issue.status, data.issue.substatus or "")
        case "metric_alert" if data.metric_alert is not None:
            what = (data.metric_alert.id, data.metric_alert.date_detected or "")
        case "comment" if data.comment_id:
            what = (str(data.comment_id), data.timestamp or "")
        case _:
            return ()
    return (resource, payload.action, where, *what)


def delivery_id(incoming: Incoming) -> str:
    """Sentry's id of this attempt; older versions send none, and then the body names it."""
    return incoming.headers.get("request-id", "")[:200] or "unnamed"


SENDER: Final = Sender(
    verify=hmac_sha256("Sentry-Hook-Signature", prefix=""),
    event=_resource,
    delivery_id=delivery_id,
    read=read,
    setup="""\
In Sentry, Settings → Developer Settings → an internal integration with the webhook address
`https://…/webhooks/sentry`; its client secret is `JOURNEYMAN_SENTRY_WEBHOOK_SECRET`. Issue alerts and metric alerts
have it as an action. A task gets the exception with the frames of our own code, breadcrumbs, tags, release and
environment, at most 24 KiB of it: no variables, headers, cookies, bodies or users, and without addresses and keys in
texts.

```toml
[repos."octo/app"]
url = "https://github.com/octo/app.git"
sources = { sentry = ["backend"] }  # projects, by their short names or numbers

[senders.sentry]
triggers = ["event_alert", "metric_alert", "issue.created", "issue.assigned"]  # the first two where this is missing
people = ["Ada Lovelace"]  # who may tell the agent what to do, by name or number; "*" is everybody
resolve = true             # a merge resolves the issue in the next release; false where it is missing
```

With credentials people are answered there: one note for each task, edited in place, with the plan, how to approve it,
and the evidence; a line for what is refused or asked; a link to the pull request; and the merge resolves the issue,
where `resolve` says so. Credentials are `JOURNEYMAN_SENTRY_TOKEN`, the token of the same internal integration with
issues and events to write and the organization to read, `JOURNEYMAN_SENTRY_ORGANIZATION`, and `JOURNEYMAN_SENTRY_URL`
of a Sentry of your own; `journeyman doctor` tries them. Notes are no published part of Sentry's API. A metric alert
has no issue: nothing is shown.

With credentials Sentry is also asked once a minute for what its webhooks have not brought, in the projects that
`sources` name (in all that the token sees, where there are none): issues that are new, where `triggers` has
`issue.created`, and errors that have come back. It sends the webhooks of an internal integration once and never again,
those of a published one for a quarter of an hour; so what is missing is found after twenty minutes. Which alerts have
fired is no published part of its API: a lost alert stays lost, and whoever wants every new issue names `issue.created`.

When a task is opened, Sentry is asked, before work begins, for what its webhooks leave out: how often the error was
seen and by how many users, its newest event where an issue or a comment opens the task, and the commits that it
suspects (where the token may read projects, too; no published part of its API). Where nothing is answered for twenty
seconds, the work begins without.
""",
    effects=(
        ("`event_alert`", "Opens the task of its issue; again for the same issue, it is only counted."),
        ("`metric_alert`", "`critical` and `warning` open a task, `resolved` stops it."),
        ("`issue` `created`, `assigned`", "Opens a task where `triggers` names it."),
        ("`issue` `resolved`, `archived`", "Stops the work on the issue, unless somebody said `@agent go on`."),
        ("`issue` `unresolved`", "The error has come back: a further wish for its task."),
        ("`comment` `created`", "A mention is a further wish for the issue's task, or steers it."),
    ),
)
