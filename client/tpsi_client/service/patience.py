"""Trying again: exponential backoff with jitter, bounded, and reset by every progress."""

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from tpsi.errors import CallerError
from tpsi_client.errors import ServiceError

_T = TypeVar("_T")
_log = logging.getLogger(__name__)

#: A server may ask for a longer pause than our own; one that asks for hours is told to the user instead.
LONGEST_DEMANDED = 120.0


@dataclass(frozen=True, slots=True)
class Patience:
    """How often a call that fails for a passing reason is made in a row, and the pauses between, in seconds."""

    attempts: int = 6
    first: float = 0.5
    longest: float = 30.0

    def __post_init__(self) -> None:
        if self.attempts < 1 or not 0 <= self.first <= self.longest:
            raise CallerError("patience has at least one attempt, and pauses that don't shrink")


class Retry:
    """The state of one long operation: failures in a row since something last went forward."""

    def __init__(self, patience: Patience, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._patience, self._sleep = patience, sleep
        self._failures = 0

    def progressed(self) -> None:
        """Something went forward: the next failure is the first one again."""
        self._failures = 0

    async def persist(self, call: Callable[[], Awaitable[_T]]) -> _T:
        """The outcome of `call`, made as often as patience allows. Raises its last ServiceError."""
        while True:
            try:
                outcome = await call()
            except ServiceError as error:
                await self.after(error)
            else:
                self.progressed()
                return outcome

    async def after(self, error: ServiceError) -> None:
        """Wait until it makes sense to try again, or raise `error` if it does not."""
        self._failures += 1
        if not error.passing or self._failures >= self._patience.attempts or error.retry_after > LONGEST_DEMANDED:
            raise error
        longest = min(self._patience.longest, self._patience.first * 2 ** (self._failures - 1))
        # Devices that failed together must not come back together: half of the pause is random.
        jitter = secrets.randbelow(2**20) / 2**20
        pause = max(error.retry_after, longest * (0.5 + jitter / 2))
        _log.warning("%s (next attempt in %.1f s)", error, pause)
        await self._sleep(pause)
