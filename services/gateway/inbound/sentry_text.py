"""What a task says about an error of Sentry: bounded, and without what names people (pure).

Headers, cookies, bodies of requests, variables of frames and users are not read at all; what Sentry itself has scrubbed
says so. In texts, addresses of mails and machines, numbers of cards, and what looks like a key, are replaced.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence
from typing import Final
from urllib.parse import urlsplit

from services.gateway.inbound.sentry_payloads import Breadcrumb, Event, Frame, Issue, Thrown
from services.gateway.inbound.text import bounded, one_line, visible
from shared.ops.known_secrets import without_secrets

MAX_BYTES: Final = 24 * 1024
MAX_TITLE_CHARS: Final = 1_000
MAX_THROWN: Final = 4
MAX_FRAMES: Final = 12
MAX_BREADCRUMBS: Final = 12
MAX_TAGS: Final = 20
MAX_COMMITS: Final = 8

_PERSONAL_TAGS: Final = frozenset({"user", "user.id", "user.email", "user.ip", "user.username", "ip", "url"})
_MAIL: Final = re.compile(r"[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,8}[A-Za-z]{2,24}\b")
_IPV4: Final = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?!\.?\w)")
_IPV6: Final = re.compile(r"(?<![\w:.])[0-9A-Fa-f:]{2,39}(?:(?<=:)(?:\d{1,3}\.){3}\d{1,3})?(?![\w:])")
_CARD: Final = re.compile(r"(?<![\w.-])\d(?:[ -]?\d){12,18}(?![\w-])")
_TOKEN: Final = re.compile(r"\beyJ[\w-]{8,2000}\.[\w-]{4,8000}\.[\w-]{0,2000}")
_NAMED: Final = (
    r"(?:(?:api|access|private|secret)[_-]?key|token|secret|passw(?:or)?d|passwd|pwd|auth|authorization|credentials?|"
    r"session(?:[_-]?id)?|cookie)"
)
_KEY: Final = re.compile(
    rf"(?i)(?<![\w-])(?:bearer\s+|[\w-]{{0,40}}{_NAMED}[\"']?\s{{0,3}}[:=]\s{{0,3}}[\"']?(?:(?:basic|bearer|token)\s+)?)"
    r"[^\s\"',;&]{4,}"
)


def text_of_event(event: Event, rule: str) -> str:
    """The text of a task about an alert."""
    tags = _tags(event)
    head = [
        f"Sentry reports an error{f' (alert {one_line(rule)})' if rule else ''}.",
        _facts(
            ("Level", event.level),
            ("Where", event.culprit),
            ("Environment", event.environment or tags.get("environment")),
            ("Release", event.release or tags.get("release")),
            ("At", event.datetime),
            ("Platform", event.platform),
            ("Request", _request(event)),
        ),
    ]
    thrown = [each for each in (event.exception.values if event.exception else None) or () if each is not None]
    crumbs = [each for each in (event.breadcrumbs.values if event.breadcrumbs else None) or () if each is not None]
    parts = [
        *head,
        *([f"Message: {one_line(event.message)}"] if event.message else []),
        *map(_exception, thrown[-MAX_THROWN:]),
        _breadcrumbs(crumbs[-MAX_BREADCRUMBS:]),
        _facts(*[(f"Tag {name}", value) for name, value in list(tags.items())[:MAX_TAGS]]),
    ]
    return _told(parts)


def text_of_issue(issue: Issue) -> str:
    """The text of a task about an issue, of which no single event is told."""
    metadata = issue.metadata or {}
    value = metadata.get("value")
    return _told(
        [
            f"Sentry reports an issue{f' ({issue.short_id})' if issue.short_id else ''}: {one_line(issue.title)}",
            _facts(
                ("Level", issue.level),
                ("Where", issue.culprit),
                ("File", metadata.get("filename")),
                ("Function", metadata.get("function")),
                ("Says", value if isinstance(value, str) else None),
                ("Seen", f"{issue.count} times by {issue.user_count or 0} users" if issue.count else None),
                ("First seen", issue.first_seen),
                ("Last seen", issue.last_seen),
                ("Platform", issue.platform),
            ),
        ]
    )


def text_of_commits(commits: Sequence[tuple[str, str, str]]) -> str:
    """Id, message and time of each commit that may have brought the error; who made it is not told."""
    told = [
        one_line(f"- {id[:12]} ({at[:10] or 'at some time'}): {(message.strip().splitlines() or [''])[0]}")
        for id, message, at in commits[:MAX_COMMITS]
        if id
    ]
    return _told(["\n".join(["Commits that Sentry suspects:", *told])]) if told else ""


def together(*texts: str) -> str:
    """Texts of the same thing as one."""
    return bounded("\n\n".join(text for text in texts if text), MAX_BYTES)


def scrubbed(text: str) -> str:
    """The text without addresses of mails and machines, numbers of cards, and what looks like a key."""
    text = _TOKEN.sub("[removed]", _KEY.sub("[removed]", without_secrets(text)))
    text = _IPV6.sub(_without_address, _IPV4.sub("[address]", _MAIL.sub("[mail]", text)))
    return _CARD.sub(lambda found: "[card]" if _is_card(found[0]) else found[0], text)


def _without_address(found: re.Match[str]) -> str:
    """Times and names with colons look like addresses of IPv6 and are none."""
    try:
        ipaddress.IPv6Address(found[0])
    except ValueError:
        return found[0]
    # Two words of C++ with colons between them may be hexadecimal.
    return "[address]" if any(each.isdigit() for each in found[0]) else found[0]


def _is_card(text: str) -> bool:
    """By the check digit of ISO/IEC 7812."""
    digits = [int(each) for each in text if each.isdigit()][::-1]
    doubled = [sum(divmod(2 * each, 10)) for each in digits[1::2]]
    return sum(digits[::2], sum(doubled)) % 10 == 0


def title_of(text: str) -> str:
    """What a task is called: the first line of an error, which may name people, too."""
    return one_line(scrubbed(one_line(visible(text), MAX_TITLE_CHARS)))


def _told(parts: Iterable[str]) -> str:
    return bounded(scrubbed(visible("\n\n".join(part for part in parts if part))), MAX_BYTES)


def _facts(*facts: tuple[str, object]) -> str:
    return "\n".join(f"- {name}: {one_line(str(value))}" for name, value in facts if value not in (None, ""))


def _request(event: Event) -> str | None:
    request = event.request
    if request is None or not request.url:
        return None
    # What stands behind the path may name people.
    try:
        parts = urlsplit(request.url)
    except ValueError:
        return None
    return f"{request.method or 'GET'} {parts.path or '/'}"


def _tags(event: Event) -> dict[str, str]:
    pairs = [pair for pair in event.tags or () if pair is not None and len(pair) == 2]
    return {name: value for name, value in pairs if name and value and name not in _PERSONAL_TAGS}


def _exception(thrown: Thrown) -> str:
    frames = [frame for frame in (thrown.stacktrace.frames if thrown.stacktrace else None) or () if frame is not None]
    ours = [frame for frame in frames if frame.in_app] or frames
    told = [line for frame in ours[-MAX_FRAMES:] for line in _frame(frame)]
    named = f"{thrown.type or 'Error'}: {one_line(thrown.value or '')}".rstrip(": ")
    if not told:
        return named
    return "\n".join([f"{named}, most recent call last:", "", *(f"    {line}" for line in told)])


def _frame(frame: Frame) -> Sequence[str]:
    where = frame.filename or frame.abs_path or frame.module or "?"
    line = f", line {frame.lineno}" if frame.lineno is not None else ""
    told = [one_line(f"{where}{line}, in {frame.function or '?'}")]
    if frame.context_line:
        before, after = (frame.pre_context or [])[-2:], (frame.post_context or [])[:2]
        told += [f"      {(each or '')[:200]}" for each in before]
        told += [f"    > {frame.context_line[:200]}"]
        told += [f"      {(each or '')[:200]}" for each in after]
    return told


def _breadcrumbs(crumbs: Sequence[Breadcrumb]) -> str:
    told = [
        one_line(f"- {crumb.category or '?'} ({crumb.level or 'info'}): {crumb.message}")
        for crumb in crumbs
        if crumb.message
    ]
    return "\n".join(["Before it:", *told]) if told else ""
