"""What a test itself asks of NATS may take longer than what a service asks: a stalled machine decides no test.

The services are processes of their own, and as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from shared.client import Client
from shared.nats import bus, direct
from shared.nats.journal import NatsJournal

ANSWER_S: Final = 30.0
CONNECT_S: Final = 60.0
SEND_AGAIN: Final = 10
READ_S: Final = 10.0
STORED_S: Final = 15.0
"""A lost acknowledgement is waited for as long, each time."""


def be_patient() -> None:
    """For the rest of this process."""
    bus.ANSWER_TIMEOUT_S = ANSWER_S  # type: ignore[misc]  # a constant to everybody else
    direct.SILENCE_S = READ_S  # type: ignore[misc]  # a constant to everybody else
    bus.PUBLISH_TIMEOUT_S = STORED_S  # type: ignore[misc]  # a constant to everybody else
    _by_default(bus.Bus.connect.__func__, patience_s=CONNECT_S)  # type: ignore[attr-defined]  # a class method has it
    _by_default(Client.send, timeout=CONNECT_S)
    _by_default(Client.query, timeout=CONNECT_S)
    _by_default(NatsJournal.__init__, send_again=SEND_AGAIN)


def _by_default(function: Callable[..., Any], **values: Any) -> None:
    defaults = function.__kwdefaults__
    assert defaults is not None and values.keys() <= defaults.keys()
    defaults.update(values)
