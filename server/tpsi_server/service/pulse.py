"""The pulse: health follows the store, down when it fails and up again when it can be written to again."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from tpsi_server.errors import StoreError
from tpsi_server.ingest import Ingest
from tpsi_server.store import Store

#: Seconds between two looks.
PERIOD = 1.0
_log = logging.getLogger(__name__)


class Pulse:
    """Watches a store by what ingest meets with, and by reading it; tells `report` when it fails, and when no more.

    While nothing fails the store is only read; what has failed has to be written to, durably, before it counts as well.
    """

    def __init__(
        self, store: Store, ingest: Ingest, report: Callable[[bool], Awaitable[None]], period: float = PERIOD
    ) -> None:
        self._store, self._ingest, self._report, self._period = store, ingest, report, period
        self.works = True

    async def run(self) -> None:
        """Watch, until cancelled."""
        while True:
            await asyncio.sleep(self._period)
            works = await asyncio.to_thread(self._try)
            if works is not self.works:
                self.works = works
                if works:
                    _log.info("the store works again")
                await self._report(works)

    def _try(self) -> bool:
        """Whether the store works; a store that has failed is written to."""
        failed = self._ingest.failing or not self.works
        try:
            self._store.probe(write=failed)
        except StoreError as error:
            if self.works:
                _log.error("the store fails: health says so until it works again: %s", error)
            return False
        if failed:
            self._ingest.failing = False
        return True
