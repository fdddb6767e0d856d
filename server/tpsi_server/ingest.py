"""Ingest: vouchers in, durable when it returns, whatever carried them here."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from tpsi_server.reasons import Reason
from tpsi_server.store import Store
from tpsi_server.tables import TableRepository

#: Vouchers in one call: the wire contract's bound on a batch.
MAX_BATCH = 1024


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one voucher: stored if `reason` is None. `already`: it had been stored before."""

    reason: Reason | None = None
    already: bool = False

    @property
    def stored(self) -> bool:
        """Whether the voucher is durable, by this call or an earlier one."""
        return self.reason is None


class Ingest:
    """Takes vouchers of any transport. Thread-safe; concurrent calls share transactions."""

    def __init__(
        self, store: Store, tables: TableRepository, *, clock: Callable[[], float] = time.time
    ) -> None:
        raise NotImplementedError

    def ingest(self, account: str, vouchers: Sequence[bytes]) -> list[Outcome]:
        """One outcome for each voucher, in order; those that are stored are durable when this returns.

        A voucher that was stored before with the same octets counts as stored; a bad one stops no other.
        Raises RefusedError (ACCOUNT_UNKNOWN, BATCH_EMPTY, BATCH_TOO_LARGE, SHUTTING_DOWN) and StoreError:
        then nothing of the call was stored.
        """
        return self.submit(account, vouchers).result()

    def submit(self, account: str, vouchers: Sequence[bytes]) -> Future[list[Outcome]]:
        """`ingest` without waiting for the disk: for callers that must not block (`asyncio.wrap_future`).

        Malformed calls raise at once, everything else is the future's.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Store what was submitted, and refuse what comes later."""
        raise NotImplementedError
