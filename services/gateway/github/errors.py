"""What a call to GitHub may end with, besides its answer."""

from __future__ import annotations

from datetime import UTC, datetime


class GitHubError(Exception):
    """A call gave no answer that can be used. The text is a sentence for people, without any secret."""


class NotConfigured(GitHubError):
    """No credentials are set, or those that are cannot be used; the text says how to mend it."""


class Passing(GitHubError, OSError):
    """Nobody's fault in the request: it passes. An `OSError`, because a message that meets it is tried for ever."""


class Unclear(Passing):
    """A change was sent and its outcome is not known: it may have happened. Look for it before doing it again."""


class Unavailable(Passing):
    """Nothing happened: GitHub was not reached, or a read failed on its side. It may be tried again."""


class RateLimited(Passing):
    """Nothing happened, and nothing may be asked before ``until`` (seconds since 1970)."""

    def __init__(self, sentence: str, until: float) -> None:
        super().__init__(f"{sentence} until {datetime.fromtimestamp(until, UTC):%H:%M:%S} UTC.")
        self.until = until


class Denied(GitHubError):
    """The credentials are not accepted, or lack a permission."""


class NotAccepted(Denied):
    """The credentials are not accepted at all: revoked, expired, or of somebody else."""


class NotThere(GitHubError):
    """The thing is gone, never was, or must not be seen with these credentials."""


class Refused(GitHubError):
    """GitHub does not accept the request as it is: it has the wrong shape, or conflicts with what is there."""


class AlreadyThere(Refused):
    """What was to be made exists, such as the pull request of a branch."""
