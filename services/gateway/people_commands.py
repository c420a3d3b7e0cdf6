"""What is asked about people: each request becomes one command, and counts here before it is answered."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Final, NamedTuple

from services.gateway.security.identity import Identity
from services.gateway.security.sessions import TOKEN_BYTES, Sessions, hash_of_secret
from shared.contracts import user
from shared.contracts.decider import Rejected
from shared.contracts.subjects import Actor
from shared.contracts.user import NAME, Role, Scope, Token, UserCommand
from shared.ops.machine_token import PREFIX
from shared.runtime.client import Client, CommandResult
from shared.runtime.people import People

_ID_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz0123456789"
_ID_LENGTH: Final = 10


class TokenMade(NamedTuple):
    """A new token: what came of it, the token itself, which nobody keeps, and what is known of it."""

    result: CommandResult
    secret: str
    token: Token


class PeopleCommands:
    """Sends commands about people. Raises what `Client.send` raises."""

    def __init__(self, client: Client, people: People, sessions: Sessions) -> None:
        self._client = client
        self._people = people
        self._sessions = sessions

    async def invite(self, name: str, role: Role, *, by: Identity) -> CommandResult:
        """Let a person in; raises `Rejected` ``user-name`` for what nobody can be called."""
        if not NAME.fullmatch(name):
            # What is no name may be no part of a subject either.
            raise Rejected(
                "user-name", "A name has 1 to 32 small letters, digits and '-', a letter first: take such a one."
            )
        return await self._send(name, user.Invite(role=role), by)

    async def change_role(self, name: str, role: Role, *, by: Identity) -> CommandResult:
        """Let a person do more, or less. Raises `Rejected` ``last-admin``."""
        if role is not Role.ADMIN:
            self._keep_an_admin(name)
        return await self._send(self._known(name), user.ChangeRole(role=role), by)

    async def disable(self, name: str, *, by: Identity) -> CommandResult:
        """Let a person in no more, and end all sessions. Raises `Rejected` ``last-admin``."""
        self._keep_an_admin(name)
        done = await self._send(self._known(name), user.Disable(), by)
        for hash, _ in self._sessions.of(name):
            await self._sessions.end(hash)
        return done

    async def enable(self, name: str, *, by: Identity) -> CommandResult:
        """Let a person in again."""
        return await self._send(self._known(name), user.Enable(), by)

    async def make_token(
        self,
        name: str,
        *,
        title: str,
        role: Role | None,
        scopes: tuple[Scope, ...],
        ends_at: datetime | None,
        by: Identity,
    ) -> TokenMade:
        """A token for a person, which may do no more than whoever makes it. Raises `Rejected`."""
        allowed = role or min(by.role, self._people.find(name).role, key=lambda each: each.rank)
        if not by.role.includes(allowed):
            raise Rejected("token-role", f"You are {by.role} here: a token that you make may do no more.")
        if by.scopes and not (scopes and set(scopes) <= set(by.scopes)):
            raise Rejected("token-scope", f"You came with a token for {', '.join(by.scopes)}: name no other scopes.")
        id = "".join(secrets.choice(_ID_LETTERS) for _ in range(_ID_LENGTH))
        secret = f"{PREFIX}{id}_{secrets.token_urlsafe(TOKEN_BYTES)}"
        ends = min((each for each in (ends_at, by.ends_at) if each is not None), default=None) if by.key else ends_at
        made = Token(
            token=id, hash=hash_of_secret(secret), name=title.strip(), role=allowed, scopes=scopes, ends_at=ends
        )
        command = user.MakeToken(
            token=made.token,
            hash=made.hash,
            name=made.name,
            role=made.role,
            scopes=made.scopes,
            ends_at=made.ends_at,
        )
        return TokenMade(await self._send(self._known(name), command, by), secret, made)

    async def revoke_token(self, name: str, token: str, *, by: Identity) -> CommandResult:
        """Let a token stand for nobody any more."""
        return await self._send(self._known(name), user.RevokeToken(token=token), by)

    def _known(self, name: str) -> str:
        if not self._people.find(name).invited:
            raise Rejected("user-unknown", "There is nobody of this name: look at `journeyman user list`.")
        return name

    def _keep_an_admin(self, name: str) -> None:
        """A system without an admin is one that nobody can mend from outside."""
        admins = {each for each, found in self._people.all().items() if found.enabled and found.role is Role.ADMIN}
        if admins == {name}:
            raise Rejected("last-admin", f"{name} is the only admin: make somebody else one first.")

    async def _send(self, name: str, command: UserCommand, by: Identity) -> CommandResult:
        done = await self._client.send(Actor("user", name), command, principal=by.principal)
        await self._people.heard(done.position)
        return done
