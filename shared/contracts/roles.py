"""Who may do what: the one table of roles. What has no row here nobody may, and a test names each thing without one.

A row says the least role that a person needs, and the scope that a token needs. `COMMANDS` is about what reaches an
actor, whichever way it came: hosts look there before an actor decides. `OPERATIONS` is about the API by operation id,
`TOPICS` and `MESSAGES` about the WebSocket: the gateway looks there first, so that a person is told at once.

Services and agents are not asked (their commands are the process itself), nor are people outside (``github:octocat``):
their authority was judged when their delivery came.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

import msgspec

from shared.contracts.decider import Rejected
from shared.contracts.user import Role, Scope, User


class Permission(msgspec.Struct, frozen=True):
    """What a person needs for one thing. Without a ``scope`` every token of the person will do."""

    role: Role
    scope: Scope | None = None


class Special(Enum):
    """Rows that no role decides."""

    OPEN = "open"
    """Whoever comes: it proves itself otherwise, or tells nothing."""
    CLOSED = "closed"
    """No person: it is what services tell one another."""


Row = Permission | Special

OPEN: Final = Special.OPEN
CLOSED: Final = Special.CLOSED
SIGNED_IN: Final = Permission(Role.VIEWER)

_LOOK: Final = Permission(Role.VIEWER, Scope.TASKS)
_STEER: Final = Permission(Role.OPERATOR, Scope.TASKS)
_APPROVE: Final = Permission(Role.APPROVER, Scope.TASKS)
_READ_CHAT: Final = Permission(Role.VIEWER, Scope.CHAT)
_CHAT: Final = Permission(Role.OPERATOR, Scope.CHAT)
_LOOK_AT_SYSTEM: Final = Permission(Role.VIEWER, Scope.SYSTEM)
_RUN_SYSTEM: Final = Permission(Role.OPERATOR, Scope.SYSTEM)
_LOOK_AT_DOORS: Final = Permission(Role.VIEWER, Scope.WEBHOOKS)
_DOORS: Final = Permission(Role.ADMIN, Scope.WEBHOOKS)
_MY_KEYS: Final = Permission(Role.VIEWER, Scope.PEOPLE)
_PEOPLE: Final = Permission(Role.ADMIN, Scope.PEOPLE)

COMMANDS: Final[dict[str, dict[str, Row]]] = {
    "task": {
        "submit": _STEER,
        "follow-up": _STEER,
        "give-input": _STEER,
        "stop": _STEER,
        "retry": _STEER,
        "go-on": _STEER,
        "approve": _APPROVE,
        "reject": _APPROVE,
        "revise": _APPROVE,
        "publish": _APPROVE,
        "set-automatic": _APPROVE,
        # What a delivery tells: it comes in the name of the person who has it replayed.
        "record-closed": _STEER,
        "record-reopened": _STEER,
        "record-edit": _STEER,
        "record-pull-request": _STEER,
        "record-head": _STEER,
        "record-check": _STEER,
        "record-review": _STEER,
        "request-triage": CLOSED,
        "record-triage": CLOSED,
        "request-review": CLOSED,
        "record-review-written": CLOSED,
        "record-review-shown": CLOSED,
        "request-planning": CLOSED,
        "record-plan-ready": CLOSED,
        "request-execution": CLOSED,
        "record-question": CLOSED,
        "record-work-resumed": CLOSED,
        "record-run-succeeded": CLOSED,
        "record-published": CLOSED,
        "record-base": CLOSED,
        "look-at-pull-request": CLOSED,
        "record-failure": CLOSED,
        "record-stopped": CLOSED,
        "resume": CLOSED,
        "heed-closing": CLOSED,
        "expire-approval": CLOSED,
        "record-spend": CLOSED,
    },
    "plan": dict.fromkeys(
        ("draft", "revise", "claim", "propose", "fail", "stop", "record-stopped", "record-spend"), CLOSED
    ),
    "run": dict.fromkeys(
        (
            *("request", "claim", "record-started", "record-checkpoint", "ask", "give-input", "record-resumed"),
            *("record-commit", "reopen", "succeed", "fail", "stop", "record-stopped", "record-spend"),
        ),
        CLOSED,
    ),
    "delivery": {"authorise": CLOSED, "refuse": _RUN_SYSTEM, "replay": _RUN_SYSTEM},
    "reply": dict.fromkeys(
        ("request", "claim", "post", "fail", "withdraw", "want", "show", "conclude"),
        CLOSED,
    ),
    "session": {
        "say": _CHAT,
        "ask": _CHAT,
        "interrupt": _CHAT,
        "rename": _CHAT,
        "archive": _CHAT,
        "unarchive": _CHAT,
        "dismiss": _CHAT,
        # It does something to a task: a token for conversations alone must not.
        "confirm": _STEER,
        **dict.fromkeys(
            ("record-answer", "start-answer", "claim", "answer", "fail", "record-interrupted", "record-spend"), CLOSED
        ),
        "propose": CLOSED,
    },
    "webhook": dict.fromkeys(("create", "change", "rotate-secret", "disable", "enable"), _DOORS),
    "user": {
        "invite": _PEOPLE,
        "change-role": _PEOPLE,
        "disable": _PEOPLE,
        "enable": _PEOPLE,
        # Of one's own; the gateway and the host ask for `_PEOPLE` where it is somebody else's.
        "make-token": SIGNED_IN,
        "revoke-token": SIGNED_IN,
    },
}
"""Every command, by actor kind and verb."""

OPERATIONS: Final[dict[str, Row]] = {
    "receiveWebhook": OPEN,
    "receiveWebhookByKey": OPEN,
    "isLive": OPEN,
    "isReady": OPEN,
    "getMetrics": OPEN,
    "logIn": OPEN,
    "logOut": SIGNED_IN,
    "whoAmI": SIGNED_IN,
    "getTicket": SIGNED_IN,
    "listMySessions": _MY_KEYS,
    "endMySession": _MY_KEYS,
    "listTokens": _MY_KEYS,
    "createToken": _MY_KEYS,
    "revokeToken": _MY_KEYS,
    "listUsers": _PEOPLE,
    "inviteUser": _PEOPLE,
    "linkUser": _PEOPLE,
    "changeUserRole": _PEOPLE,
    "disableUser": _PEOPLE,
    "enableUser": _PEOPLE,
    "listUserSessions": _PEOPLE,
    "endUserSession": _PEOPLE,
    "getAsyncApi": SIGNED_IN,
    "listTasks": _LOOK,
    "getTask": _LOOK,
    "getTimeline": _LOOK,
    "getDiff": _LOOK,
    "getCheckOutput": _LOOK,
    "getSetupOutput": _LOOK,
    "getTranscript": _LOOK,
    "listRepos": _LOOK,
    "getCosts": _LOOK,
    "openTask": _STEER,
    "followUp": _STEER,
    "giveInput": _STEER,
    "stopTask": _STEER,
    "retryTask": _STEER,
    "approvePlan": _APPROVE,
    "rejectPlan": _APPROVE,
    "publishResult": _APPROVE,
    "getSession": _READ_CHAT,
    "listSessions": _READ_CHAT,
    "sayToBrain": _CHAT,
    "interruptAnswer": _CHAT,
    "renameSession": _CHAT,
    "archiveSession": _CHAT,
    "unarchiveSession": _CHAT,
    "dismissProposal": _CHAT,
    "confirmProposal": _STEER,
    "getStatus": _LOOK_AT_SYSTEM,
    "listAgents": _LOOK_AT_SYSTEM,
    "listSkills": _LOOK_AT_SYSTEM,
    "listDeliveries": _LOOK_AT_SYSTEM,
    "getDelivery": _LOOK_AT_SYSTEM,
    "getDeliveryBody": _LOOK_AT_SYSTEM,
    "replayDelivery": _RUN_SYSTEM,
    "sendTestEvent": _RUN_SYSTEM,
    "listWebhooks": _LOOK_AT_DOORS,
    "getWebhook": _LOOK_AT_DOORS,
    "listDoors": _LOOK_AT_DOORS,
    "listCalls": _LOOK_AT_DOORS,
    "tryWebhook": _DOORS,
    "testWebhook": _DOORS,
    "draftWebhook": _DOORS,
    "getWebhookDraft": _LOOK_AT_DOORS,
    "createWebhook": _DOORS,
    "changeWebhook": _DOORS,
    "rotateWebhookSecret": _DOORS,
    "disableWebhook": _DOORS,
    "enableWebhook": _DOORS,
}
"""Every route of the API, by its operation id."""

TOPICS: Final[dict[str, Row]] = {
    "tasks": _LOOK,
    "task": _LOOK,
    "output": _LOOK,
    "replay": _LOOK,
    "sessions": _READ_CHAT,
    "session": _READ_CHAT,
}
"""What a WebSocket can subscribe to, by what stands before the colon."""

MESSAGES: Final[dict[str, Row]] = {
    "task.approve": _APPROVE,
    "task.stop": _STEER,
    "task.input": _STEER,
    "chat.message": _CHAT,
}
"""What a WebSocket can do, by the message's type."""


def is_for_people(kind: str) -> bool:
    """Whether people may tell actors of this kind anything."""
    return any(row is not CLOSED for row in COMMANDS.get(kind, {}).values())


def refusal(row: Row | None, role: Role, scopes: tuple[Scope, ...] = ()) -> Rejected | None:
    """Why somebody with this role, or a token with these scopes, may not do it; None where they may.

    The codes are ``role-lacking`` and ``scope-lacking``.
    """
    match row:
        case Special.OPEN:
            return None
        case Permission(role=least) if not role.includes(least):
            return Rejected("role-lacking", f"This takes the role {least}, and you are {role}: ask an admin for it.")
        case Permission(scope=scope) if scopes and scope is not None and scope not in scopes:
            there = ", ".join(scopes)
            return Rejected(
                "scope-lacking", f"This takes a token for {scope}, and this one is for {there}: make another."
            )
        case Permission():
            return None
        case _:
            return Rejected("role-lacking", "No person may do this: only the services themselves do.")


def refusal_of_command(kind: str, verb: str, *, name: str, actor: str, user: User) -> Rejected | None:
    """Why the person ``name`` may not give this command to an actor; None where they may.

    ``user`` is what is known of them, `NOBODY` for somebody who was never invited.
    """
    row = COMMANDS.get(kind, {}).get(verb)
    if row is None or row is CLOSED:
        return refusal(CLOSED, Role.ADMIN)
    if not user.invited:
        return Rejected(
            "user-unknown", f"Nobody here is called {name[:40]}: an admin invites people (`journeyman user add`)."
        )
    if not user.enabled:
        return Rejected("user-disabled", f"{name} may not do anything here any more: ask an admin.")
    if kind == "user" and row is SIGNED_IN and name != actor:
        row = _PEOPLE
    return refusal(row, user.role)
