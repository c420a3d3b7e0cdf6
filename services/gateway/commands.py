"""What people may ask of tasks, the same for HTTP and WebSocket: each request becomes one command."""

from __future__ import annotations

import contextlib

import msgspec

from services.gateway.intent import Intent, intent_of
from shared.contracts import session, task
from shared.contracts.decider import Rejected
from shared.contracts.ids import derived_id, new_task_id
from shared.contracts.rules import UNKNOWN
from shared.contracts.subjects import Actor, actor
from shared.contracts.task import Approval, Directive
from shared.event_store.journal import Journal
from shared.nats.idempotency import Claim, IdempotencyKeys, fingerprint
from shared.ops.crash_points import crash_point
from shared.ops.visible import is_blank
from shared.runtime.client import Client, CommandResult, NoAnswer

SessionState = session.Archive | session.Unarchive


class Submitted(msgspec.Struct, frozen=True, kw_only=True):
    """A task that was asked for. ``result`` is None when it is stored and no brain has taken it up yet."""

    id: str
    result: CommandResult | None


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """A message to the brain. ``task_id`` is the task that it becomes, empty where it is answered instead.

    ``position`` is 0 while no brain has taken it up.
    """

    message_id: str
    task_id: str
    session_id: str
    position: int


class TaskCommands:
    """Sends people's commands. Raises what `Client.send` raises, and `BadAddress` for an id that no task can have."""

    def __init__(self, client: Client, journal: Journal, keys: IdempotencyKeys, *, approval: Approval) -> None:
        self._client = client
        self._journal = journal
        self._keys = keys
        self._approval = approval

    async def submit(
        self,
        text: str,
        *,
        title: str,
        repo: str,
        directive: Directive,
        principal: str,
        idempotency_key: str | None = None,
    ) -> Submitted:
        """Open a task. With a key that opened one before, the answer is that of the first time.

        Raises `Rejected` ``text-empty``, and `KeyReused` when the key came with something else before.
        """
        if is_blank(text):
            raise Rejected("text-empty", "There is nothing to do: say what is to be done.")
        id = fresh = new_task_id()
        if idempotency_key is not None:
            id = await self._claim(idempotency_key, fresh, [text, title, repo, directive], principal)
        command = task.Submit(
            title=task.title_of(text) if is_blank(title) else title.strip(),
            text=text,
            source=task.Source(kind="api", author=principal),
            repo=repo,
            directive=directive,
            approval=self._approval,
        )
        send = self._client.send if id == fresh else self._client.open
        try:
            return Submitted(id=id, result=await send(Actor("task", id), command, principal=principal))
        except NoAnswer:
            # It waits in the brain's mailbox. An error would make people send it a second time.
            return Submitted(id=id, result=None)

    async def _claim(self, key: str, fresh: str, request: list[str], principal: str) -> str:
        """The id of the task that a key opens: the fresh one, or that of the same request before.

        The key is stored before the task is submitted, so a retry after a crash in between opens this very task.
        Requests with one key at the same time all open it, and none waits for another: the task's actor takes the
        first of their commands.
        """
        wanted = Claim(task_id=fresh, request=fingerprint(request))
        claimed = await self._keys.claim(principal, key, wanted)
        crash_point("idempotency.claimed")
        return claimed.task_id

    async def approve(
        self,
        id: str,
        *,
        version: int | None,
        digest: str | None,
        base_commit: str = "",
        budget_microusd: int = 0,
        principal: str,
    ) -> CommandResult:
        """Approve a plan; what is not named is that of the plan that waits now, by the log."""
        if version is None or not digest:
            waiting = await self._waiting_plan(id)
            version = waiting.version if version is None else version
            if not digest:
                digest = waiting.digest if waiting.version == version else ""
        command = task.Approve(version=version, digest=digest, base_commit=base_commit, budget_microusd=budget_microusd)
        return await self._send(id, command, principal)

    async def reject(self, id: str, *, reason: str, feedback: str, principal: str) -> CommandResult:
        """Turn the plan down; with feedback, ask for another one."""
        command = task.Reject(reason=reason) if is_blank(feedback) else task.Revise(feedback=feedback)
        return await self._send(id, command, principal)

    async def stop(self, id: str, reason: str, *, principal: str) -> CommandResult:
        """Stop the task."""
        return await self._send(id, task.Stop(reason=reason), principal)

    async def retry(self, id: str, wanted: task.Retry, *, principal: str) -> CommandResult:
        """Try again: from where it ended, from the result that fell short, or afresh."""
        return await self._send(id, wanted, principal)

    async def publish(self, id: str, *, principal: str) -> CommandResult:
        """Publish the result that is kept, as it is."""
        return await self._send(id, task.Publish(), principal)

    async def follow_up(self, id: str, message: str, *, principal: str) -> CommandResult:
        """Wish something further of the task."""
        return await self._send(id, task.FollowUp(text=message, author=principal), principal)

    async def give_input(self, id: str, message: str, *, principal: str) -> CommandResult:
        """Say something to the task's agent."""
        return await self._send(id, task.GiveInput(message=message), principal)

    async def say(
        self,
        message: str,
        *,
        session_id: str,
        repo: str,
        principal: str,
        attachments: tuple[session.Attachment, ...] = (),
        message_id: str = "",
        idempotency_key: str | None = None,
    ) -> Said:
        """Say something to the brain, in a session that goes on or in a new one: `intent_of` says what it is.

        ``message_id`` is the caller's own name for the message, by which it knows it again; twice is once then, too.

        With a key that came with this before, nothing is said again, and the answer is that of the first time. Raises
        `KeyReused` when the key came with something else.
        """
        if is_blank(message):
            raise Rejected("message-empty", "There is nothing to say to the brain: write a message.")
        id = fresh = message_id or new_task_id()
        if idempotency_key is not None:
            request = ["chat", message, session_id, repo]
            id = await self._claim(idempotency_key, fresh, request, principal)
        # A new session is named after its first message, so that a retry finds it.
        conversation = actor("session", session_id or derived_id("session", id))
        position = 0 if id == fresh and not message_id else await self._position_of_line(conversation, id)
        intent = intent_of(message)
        if not position:
            # Stored, even without an answer: the brain takes it up when it is back.
            with contextlib.suppress(NoAnswer):
                command = self._spoken(id, intent, repo, attachments, principal)
                position = (await self._client.send(conversation, command, principal=principal)).position
        task_id = "" if intent.directive is None else id
        return Said(message_id=id, task_id=task_id, session_id=conversation.id, position=position)

    def _spoken(
        self, id: str, intent: Intent, repo: str, attachments: tuple[session.Attachment, ...], principal: str
    ) -> session.Say | session.Ask:
        if intent.directive is None:
            return session.Ask(message_id=id, message=intent.text, author=principal, repo=repo, attachments=attachments)
        return session.Say(
            message=intent.text,
            author=principal,
            task_id=id,
            repo=repo,
            approval=self._approval,
            directive=intent.directive,
        )

    async def _position_of_line(self, conversation: Actor, id: str) -> int:
        """The stream sequence of the message with this id, 0 when the session does not have it."""
        for event in await self._journal.load(conversation):
            match event.data:
                case session.Said(task_id=known) | session.Asked(message_id=known) if known == id:
                    return event.position
        return 0

    async def steer_session(
        self,
        id: str,
        command: session.Interrupt | session.Confirm | session.Dismiss | session.Rename | SessionState,
        *,
        principal: str,
    ) -> CommandResult:
        """Steer a conversation: break an answer off, decide on a proposal, name it, put it away."""
        about = actor("session", id)
        if not await self._journal.load(about):
            raise Rejected("session-unknown", "There is no such conversation: look at the list of them.")
        return await self._client.send(about, command, principal=principal)

    async def confirm(self, id: str, proposal_id: str, *, principal: str) -> CommandResult:
        """Have done what is proposed."""
        command = session.Confirm(proposal_id=proposal_id, approval=self._approval)
        return await self.steer_session(id, command, principal=principal)

    async def _waiting_plan(self, id: str) -> task.PlanReady:
        events = await self._journal.load(actor("task", id))
        if not events:
            raise Rejected(UNKNOWN.code, UNKNOWN.sentence)
        plans = [event.data for event in events if isinstance(event.data, task.PlanReady)]
        if not plans:
            raise Rejected("task-wrong-state", "The task has no plan yet: wait for it, then approve it.")
        return plans[-1]

    async def _send(
        self,
        id: str,
        command: task.Approve
        | task.Reject
        | task.Revise
        | task.Stop
        | task.Retry
        | task.Publish
        | task.FollowUp
        | task.GiveInput,
        principal: str,
    ) -> CommandResult:
        return await self._client.send(actor("task", id), command, principal=principal)
