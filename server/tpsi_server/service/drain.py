"""The end of serving: calls learn that they should come to their end."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from typing import Any, TypeVar

from tpsi_server.errors import RefusedError
from tpsi_server.reasons import Reason

_T = TypeVar("_T")
_NOTHING = object()


class Drain:
    """Whether the server is stopping. For the event loop that it is first used in."""

    def __init__(self) -> None:
        self._begun = asyncio.Event()

    def begin(self) -> None:
        """From now on nothing new is taken."""
        self._begun.set()

    def check(self) -> None:
        """RefusedError if the server is stopping."""
        if self._begun.is_set():
            raise RefusedError(Reason.SHUTTING_DOWN, "the server is stopping")

    async def unless_begun(self, work: Coroutine[Any, Any, _T], *, farewell: float = 0.0) -> _T:
        """The result of `work`; RefusedError, `work` being cancelled, if the server is stopped while it goes on.

        `farewell`: seconds that `work` has after that.
        """
        task, begun = asyncio.ensure_future(work), asyncio.ensure_future(self._begun.wait())
        try:
            await asyncio.wait((task, begun), return_when=asyncio.FIRST_COMPLETED)
            if not task.done() and farewell:
                await asyncio.wait((task,), timeout=farewell)
            if task.done():
                return task.result()
            raise RefusedError(Reason.SHUTTING_DOWN, "the server is stopping")
        finally:
            task.cancel()
            begun.cancel()

    async def until_begun(self, messages: AsyncIterator[_T]) -> AsyncIterator[_T]:
        """The messages of a peer that come before the server is stopped; then RefusedError."""
        while True:
            self.check()
            message = await self.unless_begun(_next(messages))
            if message is _NOTHING:
                return
            yield message


async def _next(messages: AsyncIterator[Any]) -> Any:
    return await anext(messages, _NOTHING)
