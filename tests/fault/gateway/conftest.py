"""A gateway of one test's own, and the seed of a fault test."""

from tests.fault.log.conftest import random
from tests.integration.gateway.conftest import gateway

__all__ = ["gateway", "random"]
