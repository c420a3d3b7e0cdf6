"""Which of a task's actions somebody may have: what its state allows, by what their role or token allows."""

from __future__ import annotations

from typing import Final

from shared.contracts.messages import wire_name
from shared.contracts.roles import COMMANDS, refusal
from shared.contracts.rules import ACTION_OF, ActionState
from shared.contracts.user import Role, Scope

_VERB_OF: Final = {action.value: wire_name(command) for command, action in ACTION_OF.items()}


def permitted(
    actions: dict[str, ActionState], role: Role, scopes: tuple[Scope, ...] = (), *, in_brief: bool = False
) -> dict[str, ActionState]:
    """The same actions, refused with ``role-lacking`` or ``scope-lacking`` where this person may not ask for them.

    A refusal by the task's state stays as it is: nobody could do that now. ``in_brief`` leaves codes and reasons out,
    as a list of tasks does. An action that this version does not know is left as it came: an older gateway beside a
    newer projector refuses the command, not the answer.
    """
    return {name: _permitted(name, state, role, scopes, in_brief) for name, state in actions.items()}


def _permitted(name: str, state: ActionState, role: Role, scopes: tuple[Scope, ...], in_brief: bool) -> ActionState:
    verb = _VERB_OF.get(name)
    if not state.allowed or verb is None:
        return state
    refused = refusal(COMMANDS["task"].get(verb), role, scopes)
    if refused is None:
        return state
    return (
        ActionState(allowed=False)
        if in_brief
        else ActionState(allowed=False, code=refused.code, reason=refused.sentence)
    )
