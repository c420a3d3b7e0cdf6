"""What Jira is asked for when a comment opens a task: labels and components, which say the repository, and the text.

Source: https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issues/
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from services.gateway.inbound.authorisation import Asked, Details
from services.gateway.inbound.jira import NAME, with_issue
from services.gateway.inbound.jira_payloads import Issue
from services.gateway.outbound.channels.jira import rest_of
from services.gateway.outbound.channels.rest import Rest
from shared.contracts.delivery import Signal, SignalKind
from shared.ops.config import Config
from shared.ops.settings import Settings

FIELDS: Final = "summary,description,project,components,labels,attachment,updated"


def details_of(settings: Settings, config: Callable[[], Config]) -> Details | None:
    """Jira, where there are credentials for it. Raises ValueError with the mend for half of them."""
    rest = rest_of(settings)
    return None if rest is None else JiraDetails(rest, config, site=urlsplit(settings.jira_url).netloc.lower())


class JiraDetails:
    """Asks for the issue of a comment. ``site`` is the Jira that our credentials are for."""

    def __init__(self, rest: Rest, config: Callable[[], Config], *, site: str) -> None:
        self._rest = rest
        self._config = config
        self._site = site

    async def completed(self, asked: Asked) -> Signal:
        """See `Details`."""
        signal = asked.signal
        site, _, id = signal.thread.removeprefix(f"{NAME}:").rpartition("#")
        if not asked.opens or signal.kind is not SignalKind.COMMENT or site != self._site or not id.isdecimal():
            return signal
        # The older API has texts as wiki markup, as deliveries have.
        issue = await self._rest.get(Issue, f"/rest/api/2/issue/{id}", fields=FIELDS)
        return with_issue(signal, issue, self._config())
