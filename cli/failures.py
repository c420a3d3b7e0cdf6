"""What a command says when it cannot do its work: one line with the mend, and exit code 1."""

from __future__ import annotations

import errno
import json.decoder


class Failure(Exception):
    """The command failed; the text is the line that explains it."""


def explain(error: Exception) -> str | None:
    """The one line for an error that a person can do something about; None for a bug of ours."""
    from shared.backup.archive import ArchiveRefused
    from shared.claude.process.binary import CliMissing
    from shared.contracts.decider import Rejected
    from shared.contracts.subjects import BadAddress
    from shared.event_store.envelope import BadEnvelope
    from shared.event_store.journal import LogDamaged, LogFull, LogUnavailable
    from shared.nats.errors import JetStreamError, NatsError, NoJetStream, NotFound
    from shared.nats.idempotency import KeyReused
    from shared.nats.server import CannotServe
    from shared.runtime.client import NoAnswer, QueryFailed
    from shared.runtime.dead_letters import CannotReplay
    from shared.runtime.service import EXPLAINED
    from shared.workspace.git import GitFailed

    match error:
        case Failure() | NoAnswer() | QueryFailed() | Rejected() | BadEnvelope() | BadAddress() | GitFailed():
            return str(error)
        case (
            LogDamaged()
            | LogFull()
            | LogUnavailable()
            | CannotServe()
            | CannotReplay()
            | CliMissing()
            | ArchiveRefused()
            | KeyReused()
        ):
            return str(error)
        case _ if isinstance(error, EXPLAINED):
            return str(error)
        case _ if isinstance(error, NoJetStream):
            return "NATS answers, but without JetStream: start it with JetStream on, as deploy/nats.conf does."
        case JetStreamError(err_code=10047):
            return (
                "NATS has too little room for the streams: give it a larger disk, or raise max_file_store in its "
                "configuration (Journeyman reserves about 20 GiB)."
            )
        case NotFound(err_code=10059):
            return "There is no log here yet: run `journeyman provision`, or start everything with `journeyman up`."
        case TimeoutError() | NatsError():
            return f"NATS did not answer in time ({error or type(error).__name__}): check that it runs."
        case PermissionError(filename=str() as name):
            return f"{name}: permission denied. Mend its permissions, or choose another place with --data."
        case json.decoder.JSONDecodeError():
            return None
        case OSError(filename=str() as name, strerror=str() as reason):
            return f"{name}: {reason}."
        case OSError(errno=errno.ENOSPC | errno.EDQUOT | errno.EFBIG, strerror=str() as reason):
            return f"{reason}: what was to be written is not whole. Make room, and run the command again."
        case _:
            return None
