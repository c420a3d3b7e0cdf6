"""Jobs of workflows and their logs."""

from __future__ import annotations

from typing import Any

from testing.github_server import Answered, Call, GitHubServer, route


@route("GET", "/repos/{repo}/actions/jobs/{}/logs", "actions:read")
def _log(server: GitHubServer, call: Call) -> Any:
    repo = server.repo_of(call.values[0])
    match repo.logs.get(int(call.values[1])):
        case None:
            raise Answered(404, "Not Found")
        case b"":
            raise Answered(410, "The logs for this run have expired and are no longer available.")
        case log:
            # The body is empty, and the address is good for a minute.
            raise Answered(302, "Found", headers={"location": server.storage.keep(log)})
