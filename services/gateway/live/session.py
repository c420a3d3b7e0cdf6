"""One socket: what it wants, what waits for it, and what it asks for."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec
import structlog

from services.gateway.commands import TaskCommands
from services.gateway.live.hub import Hub, Subscription
from services.gateway.live.protocol import (
    REPLAY,
    ApproveTask,
    ChatMessage,
    ClientMessage,
    CommandCarriedOut,
    GiveInput,
    Ping,
    Pong,
    ServerMessage,
    StopTask,
    Subscribe,
    Subscribed,
    Trouble,
    Unsubscribe,
    client_messages,
    encode,
    output_key,
    task_key,
)
from services.gateway.live.render import Shown
from services.gateway.live.replay import Attendance, Replays
from services.gateway.problems import problem_of
from services.gateway.security.door import Door
from services.gateway.security.identity import Identity
from shared.contracts.roles import MESSAGES, TOPICS, Row, refusal
from shared.contracts.subjects import BadAddress
from shared.ops.limits import DEFAULTS, Limits
from shared.runtime.acknowledge import TRANSIENT
from shared.runtime.client import QueryFailed

COUNTED_S: Final = 10.0
"""The time within which a socket's messages are counted."""

NOT_LOGGED_IN: Final = 4401
"""Closes a socket whose session or token has ended."""

log = structlog.get_logger(__name__)


class Close(Exception):
    """The socket is to be closed with this code and reason (RFC 6455 section 7.4)."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Outbox:
    """What waits for one socket; a socket that does not keep up is dropped, and resumes."""

    def __init__(self, send: Callable[[str], Awaitable[None]], limits: Limits = DEFAULTS) -> None:
        self._send = send
        self._most, self._most_bytes = limits.max_socket_waiting, limits.max_socket_waiting_bytes
        self._waiting: deque[str] = deque()
        self._size = 0
        self._filled = asyncio.Event()
        self._emptied = asyncio.Event()
        self._overflown = False

    def put(self, frame: str) -> None:
        """Queue a frame without waiting; too many of them end the socket."""
        if self._waiting and (len(self._waiting) >= self._most or self._size + len(frame) > self._most_bytes):
            self._overflown = True
        else:
            self._waiting.append(frame)
            self._size += len(frame)
        self._filled.set()

    async def put_patiently(self, frame: str) -> None:
        """Queue a frame once half of the room is free: for what is read from the log, which can wait."""
        while self._waiting and (
            len(self._waiting) >= self._most // 2 or self._size + len(frame) > self._most_bytes // 2
        ):
            self._emptied.clear()
            await self._emptied.wait()
        self.put(frame)

    async def run(self) -> None:
        """Send until the socket ends; raises `Close` for a slow one."""
        while True:
            await self._filled.wait()
            self._filled.clear()
            while self._waiting:
                if self._overflown:
                    raise Close(1013, "too slow: resume with the last sequence you have seen")
                frame = self._waiting.popleft()
                self._size -= len(frame)
                await self._send(frame)
                self._emptied.set()


class SocketSession:
    """The conversation with one socket. ``receive`` gives its text frames, ``send`` takes ours."""

    def __init__(
        self,
        *,
        events: Hub,
        output: Hub,
        replays: Replays,
        commands: TaskCommands,
        limits: Limits,
        identity: Identity,
        door: Door,
        receive: Callable[[], Awaitable[str]],
        send: Callable[[str], Awaitable[None]],
    ) -> None:
        self._events = events
        self._output = output
        self._replays = replays
        self._commands = commands
        self._identity = identity
        self._door = door
        self._receive = receive
        self._limits = limits
        self._outbox = Outbox(send, limits)
        self._tasks = Subscription(self._take)
        self._task_keys: dict[str, str] = {}
        self._outputs: dict[str, Subscription] = {}
        self._attendance: Attendance | None = None
        self._allowance = float(limits.max_socket_messages)
        self._heard_at = asyncio.get_running_loop().time()

    async def run(self) -> None:
        """Until the socket ends; raises `Close` when it is to be closed, or what ``receive`` and ``send`` raise."""
        hearing = asyncio.ensure_future(self._hear())
        sending = asyncio.ensure_future(self._outbox.run())
        ending = asyncio.ensure_future(self._door.until_over(self._identity))
        try:
            done, _ = await asyncio.wait([hearing, sending, ending], return_when=asyncio.FIRST_COMPLETED)
            for each in done:
                each.result()
            raise Close(NOT_LOGGED_IN, "you are not logged in any more")
        finally:
            self._events.leave(self._tasks)
            for subscription in self._outputs.values():
                self._output.leave(subscription)
            for each in (hearing, sending, ending):
                each.cancel()
            await asyncio.gather(hearing, sending, ending, return_exceptions=True)
            await self._leave_replay()

    async def _hear(self) -> None:
        while True:
            text = await self._receive()
            self._count()
            try:
                message = client_messages.decode(text)
            except (msgspec.MsgspecError, RecursionError) as error:
                self._say(Trouble(code="message-unreadable", message=f"This is no message of ours: {error}."))
                continue
            try:
                await self._do(message)
            except TRANSIENT as error:
                raise Close(1013, "the log does not answer right now") from error

    def _count(self) -> None:
        now, most = asyncio.get_running_loop().time(), self._limits.max_socket_messages
        self._allowance = min(most, self._allowance + (now - self._heard_at) * most / COUNTED_S) - 1
        self._heard_at = now
        if self._allowance < 0:
            raise Close(1008, "too many messages")

    async def _do(self, message: ClientMessage) -> None:
        match message:
            case Ping():
                self._say(Pong(seq=self._events.position))
            case Subscribe(topics=(topic,)) if topic.startswith(REPLAY):
                await self._attend(topic)
            case Subscribe():
                await self._subscribe(message)
            case Unsubscribe(topics=(topic,)) if topic.startswith(REPLAY):
                await self._leave_replay()
            case Unsubscribe(topics=topics):
                self._unsubscribe(topics)
            case _:
                await self._command(message)

    async def _subscribe(self, message: Subscribe) -> None:
        try:
            keys = {topic: task_key(topic) for topic in message.topics}
            outputs = {topic: output_key(topic) for topic, key in keys.items() if key is None}
        except BadAddress as error:
            self._say(Trouble(code="topic-unknown", message=str(error)))
            return
        if not all(self._may(TOPICS.get(topic.partition(":")[0])) for topic in message.topics):
            return
        tasks = {topic: key for topic, key in keys.items() if key is not None}
        most = self._limits.max_socket_topics
        if not keys or len({*self._task_keys, *self._outputs, *keys}) > most:
            self._say(Trouble(code="topics", message=f"A socket takes 1 to {most} topics: open another one."))
            return
        seq = 0
        for topic, key in outputs.items():
            seq = max(seq, await self._watch_output(topic, key, 0 if tasks else message.after or 0))
        if tasks:
            await self._events.join(
                self._tasks, frozenset(tasks.values()), after=message.after, send=self._send_patiently
            )
            self._task_keys |= tasks
            seq = self._tasks.floor
        # Queued before anything live can be: nothing was awaited since the last topic went live.
        self._say(Subscribed(topics=message.topics, seq=seq))

    async def _watch_output(self, topic: str, key: str, after: int) -> int:
        if topic in self._outputs:
            self._output.leave(self._outputs.pop(topic))
        subscription = self._outputs[topic] = Subscription(self._take)
        await self._output.join(subscription, frozenset({key}), after=after, send=self._send_patiently)
        return subscription.floor

    async def _attend(self, topic: str) -> None:
        if not self._may(TOPICS["replay"]):
            return
        await self._leave_replay()
        try:
            self._attendance = await self._replays.join(topic.removeprefix(REPLAY), self._outbox.put)
        except (BadAddress, QueryFailed) as error:
            self._say(Trouble(code="replay-over", message=str(error)))
            return
        self._say(Subscribed(topics=(topic,), seq=self._attendance.seq))

    async def _leave_replay(self) -> None:
        if self._attendance is not None:
            await self._attendance.end()
            self._attendance = None

    def _unsubscribe(self, topics: tuple[str, ...]) -> None:
        for topic in topics:
            if topic in self._outputs:
                self._output.leave(self._outputs.pop(topic))
        if self._task_keys.keys() & set(topics):
            self._task_keys = {topic: key for topic, key in self._task_keys.items() if topic not in topics}
            self._events.keep(self._tasks, frozenset(self._task_keys.values()))

    async def _command(self, message: ApproveTask | StopTask | GiveInput | ChatMessage) -> None:
        if self._attendance is not None:
            self._say(Trouble(code="replay", message="This is a replay: nothing can be done in it."))
            return
        if not self._may(MESSAGES.get(str(message.__struct_config__.tag))):
            return
        try:
            self._say(await self._carry_out(message))
        except Exception as error:
            problem = problem_of(error)
            if problem.code == "internal-error":
                log.error("a message of a socket failed", exc_info=True)
            self._say(Trouble(code=problem.code, message=problem.detail))

    async def _carry_out(self, message: ApproveTask | StopTask | GiveInput | ChatMessage) -> CommandCarriedOut:
        who = self._identity.principal
        match message:
            case ChatMessage(message=text, session_id=session_id, repo=repo):
                said = await self._commands.say(text, session_id=session_id, repo=repo, principal=who)
                return CommandCarriedOut(
                    command="chat.message", seq=said.position, task_id=said.task_id, session_id=said.session_id
                )
            case ApproveTask(task_id=id, version=version, digest=digest, base_commit=commit):
                done = await self._commands.approve(
                    id, version=version, digest=digest, base_commit=commit, principal=who
                )
                return CommandCarriedOut(command="task.approve", seq=done.position, task_id=id)
            case StopTask(task_id=id, reason=reason):
                done = await self._commands.stop(id, reason, principal=who)
                return CommandCarriedOut(command="task.stop", seq=done.position, task_id=id)
            case GiveInput(task_id=id, message=text):
                done = await self._commands.give_input(id, text, principal=who)
                return CommandCarriedOut(command="task.input", seq=done.position, task_id=id)

    def _may(self, row: Row | None) -> bool:
        """Whether this person may do that now; where not, the socket is told, or ends."""
        identity = self._door.current(self._identity)
        if identity is None:
            raise Close(NOT_LOGGED_IN, "you are not logged in any more")
        refused = refusal(row, identity.role, identity.scopes)
        if refused is not None:
            self._say(Trouble(code=refused.code, message=refused.sentence))
        return refused is None

    def _say(self, message: ServerMessage) -> None:
        self._outbox.put(encode(message))

    def _take(self, shown: Shown) -> None:
        for frame in shown.frames:
            self._outbox.put(frame)

    async def _send_patiently(self, shown: Shown) -> None:
        for frame in shown.frames:
            await self._outbox.put_patiently(frame)
