"""The errors of NATS by our names, so that nothing outside `shared/nats` and `shared/runtime` imports nats-py."""

from __future__ import annotations

import nats.errors
import nats.js.errors

NatsError = nats.errors.Error
"""Whatever nats-py raises: the connection, a timeout, JetStream."""

JetStreamError = nats.js.errors.APIError
"""JetStream answered with an error; ``err_code`` says which."""

NotFound = nats.js.errors.NotFoundError
"""There is no such stream, consumer or message."""

NoJetStream = (nats.js.errors.ServiceUnavailableError, nats.errors.NoRespondersError)
"""NATS is there, and nobody answers for JetStream."""
