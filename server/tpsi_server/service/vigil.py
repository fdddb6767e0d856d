"""The vigil: calls that go on for long are ended when their caller's credentials are revoked or expire."""

import asyncio
import logging
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

from tpsi_server.errors import RefusedError, StoreError
from tpsi_server.service.auth import Caller
from tpsi_server.service.limits import VIGIL_PERIOD
from tpsi_server.store import Store

_T = TypeVar("_T")
_log = logging.getLogger(__name__)
#: What a caller is told, as it comes from the check; a verdict that is None has not been spoken.
_Verdict = asyncio.Future[RefusedError]


class Vigil:
    """Watches the calls that are guarded, for the event loop that `run` is run in.

    One query tells whether anything was revoked at all; only then, or when a credential's time is over, are the
    callers looked up.
    """

    def __init__(self, store: Store, period: float = VIGIL_PERIOD) -> None:
        self._store = store
        self._period = period
        self._watched: dict[_Verdict, Caller] = {}
        self._seen: tuple[int, ...] | None = None

    async def guard(self, caller: Caller, work: Coroutine[Any, Any, _T]) -> _T:
        """Do `work` for a caller: its result. RefusedError, `work` being cancelled, when the caller may not go on."""
        verdict: _Verdict = asyncio.get_running_loop().create_future()
        task = asyncio.ensure_future(work)
        self._watched[verdict] = caller
        try:
            await asyncio.wait((task, verdict), return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                raise verdict.result()
            return task.result()
        finally:
            del self._watched[verdict]
            if not task.done():
                task.cancel()
                await asyncio.wait((task,))

    async def run(self) -> None:
        """Watch, until cancelled."""
        while True:
            await asyncio.sleep(self._period)
            if self._watched:
                await self._look()

    async def _look(self) -> None:
        try:
            revocations = await asyncio.to_thread(self._store.certificates.revocations)
            changed, self._seen = revocations != self._seen, revocations
            now = time.time()
            for verdict, caller in list(self._watched.items()):
                expires = caller.identity.expires
                if changed or (expires is not None and expires <= now):
                    await self._judge(verdict, caller)
        except StoreError as error:  # what is stored needs the store, too: nothing gets past it meanwhile
            _log.warning("revocations cannot be read: %s", error)
            self._seen = None

    async def _judge(self, verdict: _Verdict, caller: Caller) -> None:
        try:
            await asyncio.to_thread(caller.check_again)
        except RefusedError as refusal:
            if not verdict.done():
                verdict.set_result(refusal)
