"""Which artifacts messages name: events of every version, and commands that wait."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from shared.contracts.messages import ArtifactRef

_FIELDS: Final = frozenset(ArtifactRef.__struct_fields__)


def artifacts_named_in(body: bytes) -> Iterator[ArtifactRef]:
    """Every reference to an artifact in a JSON text, wherever it lies in it; nothing for what is no JSON.

    Looked for by its shape, and not by the contracts: what a version that we do not know has written counts as well.
    """
    try:
        yield from _in(msgspec.json.decode(body))
    except msgspec.MsgspecError:
        return


def _in(value: Any) -> Iterator[ArtifactRef]:
    match value:
        case dict() if value.keys() == _FIELDS:
            try:
                yield msgspec.convert(value, ArtifactRef)
            except msgspec.ValidationError:
                return
        case dict():
            for each in value.values():
                yield from _in(each)
        case list():
            for each in value:
                yield from _in(each)
        case _:
            return
