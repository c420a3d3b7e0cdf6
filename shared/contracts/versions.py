"""Reads an event's data in the shape of today, whichever version of the event was stored."""

from __future__ import annotations

from typing import Any

import msgspec

from shared.contracts.messages import Event


class NewerVersion(ValueError):
    """The event's data has a shape that came after this installation; the text says which versions it knows."""


def version_of(cls: type[Event]) -> int:
    """The version of an event's shape: 1, and one more for each of its upcasters."""
    return len(cls.upcasters) + 1


class DataReader:
    """Reads the stored data of one event class."""

    def __init__(self, cls: type[Event]) -> None:
        self._cls = cls
        self._decoder = msgspec.json.Decoder(cls)

    def read(self, data: bytes | msgspec.Raw, version: int) -> Event:
        """The event of the JSON object ``data``, which has the shape of ``version``.

        Raises `NewerVersion`, or msgspec's error for what does not fit.
        """
        return self.decode(self.lift(data, version))

    def decode(self, lifted: bytes | msgspec.Raw) -> Event:
        """The event of a JSON object in the shape of today. Raises msgspec's error for what does not fit."""
        return self._decoder.decode(lifted)

    def lift(self, data: bytes | msgspec.Raw, version: int) -> bytes | msgspec.Raw:
        """The same JSON object in the shape of today; ``data`` itself when it has that. Raises as `read` does."""
        upcasters = self._cls.upcasters
        if version == len(upcasters) + 1:
            return data
        if version > len(upcasters):
            raise NewerVersion(f"its shape has version {version}, this installation knows {len(upcasters) + 1}")
        if version < 1:
            raise msgspec.ValidationError(f"there is no version {version} of a shape")
        lifted = msgspec.json.decode(data, type=dict[str, Any])
        try:
            for upcast in upcasters[version - 1 :]:
                lifted = upcast(lifted)
        except Exception as error:  # whatever a pure function makes of data that is not what it should be
            raise msgspec.ValidationError(f"its version {version} cannot be lifted: {error!r}") from error
        return msgspec.json.encode(lifted)
