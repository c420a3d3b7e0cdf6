"""The dashboard: the files of the web build, from memory, or a plain page that says how to make them."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from pathlib import Path
from typing import Any, Final

import msgspec
import structlog
from litestar import Request, Response, route
from litestar.exceptions import NotFoundException

STATIC: Final = Path(__file__).resolve().parent / "static"
MAX_FILE_BYTES: Final = 8 << 20
IMMUTABLE: Final = "public, max-age=31536000, immutable"
CHECK_FIRST: Final = "no-cache"
OWN: Final = frozenset({"api", "webhooks", "schema", "health", "metrics", "ws", "asyncapi.json"})
"""First parts of paths that are never a page of the dashboard."""

_COMPRESSED: Final = ("text/", "application/javascript", "application/json", "image/svg+xml")
_NOT_BUILT: Final = b"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Journeyman</title>
<h1>The dashboard is not built yet</h1>
<p>Run <code>make web</code> in the checkout, then load this page again.</p>
<p>Everything else works without it: the API is at <a href="/schema/openapi.json">/schema/openapi.json</a>,
and <code>journeyman task list</code> shows the tasks.</p>
</html>
"""

log = structlog.get_logger(__name__)


class Asset(msgspec.Struct, frozen=True, kw_only=True):
    """One file of the build. ``zipped`` is empty when compressing is not worth it."""

    body: bytes
    zipped: bytes
    media_type: str
    etag: str
    cache_control: str


class Web:
    """Only what was found in the folder can be asked for, so no path can lead out of it."""

    def __init__(self, folder: Path = STATIC) -> None:
        self._folder = folder
        self._stamp = 0
        self._assets: dict[str, Asset] = {}

    def find(self, path: str) -> Asset | None:
        """The file at a path without its first slash; a page's path gives ``index.html``. None: there is none."""
        self._refresh()
        asset = self._assets.get(path)
        if asset is not None:
            return asset
        is_page = "." not in path.rpartition("/")[2] and not path.startswith("assets/")
        return self._assets.get("index.html") if is_page else None

    @property
    def is_built(self) -> bool:
        """Whether there is a build."""
        self._refresh()
        return "index.html" in self._assets

    def _refresh(self) -> None:
        """Read the build when there is a new one: one look at index.html for each request of a page."""
        try:
            metadata = (self._folder / "index.html").stat().st_mtime_ns
        except OSError:
            metadata = 0
        if metadata != self._stamp:
            self._assets = _read(self._folder) if metadata else {}
            self._stamp = metadata


def _read(folder: Path) -> dict[str, Asset]:
    found = {}
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.is_symlink():
            continue
        if path.stat().st_size > MAX_FILE_BYTES:
            log.warning("a file of the web build is too large to be served", file=path.name)
            continue
        name = path.relative_to(folder).as_posix()
        found[name] = _asset(name, path.read_bytes())
    return found


def _asset(name: str, body: bytes) -> Asset:
    guessed = mimetypes.guess_type(name)[0] or "application/octet-stream"
    media_type = "application/javascript" if guessed == "text/javascript" else guessed
    zipped = gzip.compress(body, 6, mtime=0) if media_type.startswith(_COMPRESSED) and len(body) > 1024 else b""
    return Asset(
        body=body,
        zipped=zipped if len(zipped) < len(body) else b"",
        media_type=media_type,
        etag=f'"{hashlib.sha256(body).hexdigest()[:32]}"',
        # The names of the files in assets/ hold their hash.
        cache_control=IMMUTABLE if name.startswith("assets/") else CHECK_FIRST,
    )


@route(["/", "/{path:path}"], http_method=["GET", "HEAD"], include_in_schema=False, opt={"operation": "dashboard"})
async def dashboard(request: Request[Any, Any, Any], web: Web, path: str = "") -> Response[bytes]:
    """A file of the build, or the one page that all others begin with."""
    name = path.lstrip("/")
    if name.partition("/")[0] in OWN:
        raise NotFoundException
    asset = web.find(name)
    if asset is None:
        if web.is_built or "." in name:
            raise NotFoundException
        return Response(_NOT_BUILT, media_type="text/html", headers={"Cache-Control": "no-store"})
    headers = {"ETag": asset.etag, "Cache-Control": asset.cache_control, "Vary": "Accept-Encoding"}
    if asset.etag in request.headers.get("if-none-match", ""):
        return Response(b"", status_code=304, headers=headers)
    if asset.zipped and "gzip" in request.headers.get("accept-encoding", ""):
        return Response(asset.zipped, media_type=asset.media_type, headers={**headers, "Content-Encoding": "gzip"})
    return Response(asset.body, media_type=asset.media_type, headers=headers)
