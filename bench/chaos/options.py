"""What a campaign is asked to do."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Agent(StrEnum):
    """Who does the work."""

    NOOP = "noop"
    CLAUDE = "claude"


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """One campaign: it brings work for ``minutes``, until there are ``tasks``, or until there were ``most_faults``.

    ``questions`` is the share of tasks that one agent answers without touching a repository; ``runs`` the agents at
    once per executor, ``at_once`` the tasks that are open, ``per_s`` the most that are brought in a second, and
    ``rest_s`` how long the system is left alone between two faults, in the mean.
    ``nodes`` is 1 NATS server behind a proxy that loses acknowledgements, or 3 that keep everything three times.
    """

    seed: int
    minutes: float
    tasks: int = 1_000_000
    agent: Agent = Agent.NOOP
    questions: float = 0.0
    runs: int = 5
    at_once: int = 24
    per_s: float = 50.0
    rest_s: float = 3.0
    most_faults: int = 1_000_000
    nodes: int = 1
