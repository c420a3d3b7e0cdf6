"""Getting in at a gateway of a test, the cheapest way: by the token of its machine, which is here before the gateway.

Ada runs every system of the tests, so she is its first admin.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from shared.ops.machine_token import FILE
from shared.ops.private import private_file

ADA: Final = "ada"
TOKEN: Final = f"jm_{ADA}_{'t' * 43}"
BEARER: Final = {"Authorization": f"Bearer {TOKEN}"}
"""The header that lets Ada in."""
SETTINGS: Final = {"JOURNEYMAN_USER": ADA, "JOURNEYMAN_TRUSTED_PROXIES": "127.0.0.1"}


def lay_token(data: Path) -> None:
    """Have the gateway over this data directory take `TOKEN` for its machine's."""
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    private_file(data / FILE, f"{TOKEN}\n")
