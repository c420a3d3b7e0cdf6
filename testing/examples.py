"""An example of any message, for tests of what must hold for all of them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from shared.event_store.envelope import utc_now


def example(cls: type, text: str = "some text") -> Any:
    """An instance with this text everywhere, small numbers and nothing optional."""
    return cls(**{field.name: _value(field.type, text) for field in msgspec.structs.fields(cls) if field.required})


def _value(kind: Any, text: str) -> object:
    match kind:
        case type() if issubclass(kind, msgspec.Struct):
            return example(kind, text)
        case type() if issubclass(kind, StrEnum):
            return next(iter(kind))
        case type() if kind is bool:
            return True
        case type() if kind is int:
            return 1
        case type() if kind is bool:
            return True
        case type() if kind is str:
            return text
        case type() if kind is datetime:
            return utc_now()
        case _:
            return (text,)
