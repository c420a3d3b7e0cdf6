"""Commands to tasks, sent in the name of the person at this terminal."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from cli.connection import Link, linked
from cli.failures import Failure, explain
from cli.short_ids import WHOLE, whole_id
from cli.tasks.watching import until_end
from shared.contracts.decider import Rejected
from shared.contracts.ids import new_task_id
from shared.contracts.messages import Command
from shared.contracts.subjects import Actor
from shared.contracts.task import Approval, Directive, FollowUp, Source, Submit, title_of
from shared.nats.errors import NatsError
from shared.nats.idempotency import KEY, Claim, IdempotencyKeys, fingerprint
from shared.ops.visible import is_blank
from shared.runtime.client import NoAnswer


async def send(id: str, command: Command) -> dict[str, Any]:
    """Send one command; the event it led to (or None) and its stream sequence. Raises what `explain` knows."""
    async with linked() as link:
        return await tell(link, await full_id(link, id), command)


async def follow_up(id: str, text: str) -> dict[str, Any]:
    """Wish something further of a task, in the name of the person at this terminal."""
    async with linked() as link:
        return await tell(link, await full_id(link, id), FollowUp(text=text, author=link.person))


async def tell(link: Link, task_id: str, command: Command) -> dict[str, Any]:
    """The same over an open connection."""
    result = await link.client.send(Actor("task", task_id), command, principal=link.principal)
    return {"id": task_id, "event": result.event, "seq": result.position}


async def full_id(link: Link, id: str) -> str:
    """The whole id of a task for the beginning or the end of one; raises `Failure` when it fits none, or several.

    One that is whole is taken as it is: the command may be for a task that no brain has taken up yet.
    """
    given = id.strip().upper()
    return given if len(given) >= WHOLE else await whole_id(link.bus, id)


async def submit(
    text: str,
    *,
    title: str,
    repo: str,
    directive: str,
    wait: bool,
    key: str | None,
    quiet: bool,
    opened: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Open a task, and with ``wait`` stay until it has ended or is in review.

    The answer has its id, its ``status`` and how well that is proven.

    ``opened`` hears the id at once. The same idempotency key opens the same task again; when no answer comes, the
    failure names the key.
    """
    if is_blank(text):
        raise Failure("There is nothing to do: say what is to be done.")
    if key is not None and not KEY.fullmatch(key):
        raise Failure("An idempotency key has 1 to 255 visible ASCII characters.")
    key = key or str(uuid.uuid4())
    async with linked(goes_on=wait) as link:
        made = Submit(
            title=title_of(text) if is_blank(title) else title.strip(),
            text=text,
            source=Source(kind="cli", author=link.person),
            repo=repo,
            directive=Directive(directive),
            approval=Approval(link.settings.approval),
        )
        after = await link.journal.last_position()
        try:
            wanted = Claim(task_id=new_task_id(), request=fingerprint([text, title, repo, directive]))
            task_id = (await IdempotencyKeys(link.bus).claim(link.principal, key, wanted)).task_id
            sent = await link.client.open(Actor("task", task_id), made, principal=link.principal)
        except Rejected as error:
            raise Failure(str(error)) from error
        except (NoAnswer, TimeoutError, NatsError) as error:
            raise Failure(
                f"{explain(error)} Submitted again with --idempotency-key {key}, it becomes no second task."
            ) from error
        if opened is not None:
            opened(task_id)
        if not wait:
            return {"id": task_id, "event": sent.event, "seq": sent.position, "status": "received"}
        return {"id": task_id, **await until_end(link, task_id, after, quiet=quiet)}
