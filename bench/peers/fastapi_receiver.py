"""The peer of our webhook: a receiver as one is usually written, with FastAPI, Redis and SQLite.

Run by uvicorn with one worker. It verifies the signature on the raw bytes, drops duplicates by a key in Redis, stores
the delivery in SQLite (WAL mode, its defaults otherwise), puts a job on a Redis list for a worker, and answers 202.
Redis keeps its append-only file as usual (`appendfsync everysec`), so unlike ours a delivery's job may be lost for a
second after the 202.

SQLite is used in both usual ways. ``shared``: one connection for the whole process, the faster one, because concurrent
requests' inserts end up in one commit. ``own``: a connection for each request, as a transaction of one's own needs it.

Environment: ``PEER_SECRET``, ``PEER_DATABASE`` (path), ``PEER_REDIS`` (URL), ``PEER_CONNECTION`` (``shared``, ``own``).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import aiosqlite
from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse
from redis.asyncio import Redis

KEEP_IDS_S = 3 * 24 * 3600
SCHEMA = """
CREATE TABLE IF NOT EXISTS deliveries (
    id TEXT PRIMARY KEY, event TEXT NOT NULL, action TEXT NOT NULL, repository TEXT NOT NULL, sender TEXT NOT NULL,
    payload TEXT NOT NULL, received_at TEXT NOT NULL
)
"""


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Open both stores, and close them."""
    async with aiosqlite.connect(os.environ["PEER_DATABASE"]) as database:
        app.state.shared = database
        await database.execute("PRAGMA journal_mode = WAL")
        await database.execute(SCHEMA)
        await database.commit()
        app.state.redis = Redis.from_url(os.environ["PEER_REDIS"])
        yield
        await app.state.redis.aclose()


@asynccontextmanager
async def connection() -> AsyncIterator[aiosqlite.Connection]:
    """The shared connection to SQLite, or one for this request alone."""
    if os.environ["PEER_CONNECTION"] == "shared":
        yield app.state.shared
        return
    async with aiosqlite.connect(os.environ["PEER_DATABASE"]) as database:
        yield database


app = FastAPI(lifespan=lifespan)


@app.post("/webhooks/github")
async def receive(request: Request) -> JSONResponse:
    """One delivery."""
    body = await request.body()
    wanted = "sha256=" + hmac.new(os.environ["PEER_SECRET"].encode(), body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(wanted, request.headers.get("X-Hub-Signature-256", "")):
        raise HTTPException(401, "bad signature")
    delivery, event = request.headers["X-GitHub-Delivery"], request.headers["X-GitHub-Event"]
    try:
        payload = json.loads(body)
    except ValueError as error:
        raise HTTPException(400, "bad JSON") from error
    redis: Redis = app.state.redis
    if not await redis.set(f"delivery:{delivery}", 1, nx=True, ex=KEEP_IDS_S):
        return JSONResponse({"status": "duplicate"})
    repository, sender = payload["repository"]["full_name"], payload["sender"]["login"]
    row = (delivery, event, payload["action"], repository, sender, body.decode(), datetime.now(UTC).isoformat())
    async with connection() as database:
        await database.execute("INSERT INTO deliveries VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        await database.commit()
    job = {"delivery": delivery, "event": event, "repository": repository, "issue": payload["issue"]["number"]}
    await redis.lpush("jobs", json.dumps(job))
    return JSONResponse({"delivery": delivery}, status_code=202)
