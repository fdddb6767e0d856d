"""Blinding a long list on several processors: the long part of building a table."""

import multiprocessing
import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor

from tpsi import Group, Secret, TableSecrets, group
from tpsi.groups import Rows, set_threads
from tpsi.table import Progress, blind_items
from tpsi_server.children import interrupts_held

#: Items of one task: a fraction of a second of work, a few hundred kilobytes.
CHUNK = 4096
#: Tasks given out ahead for each process: it never waits, and little is in memory.
AHEAD = 2
#: Below this many items, starting processes takes longer than they save.
WORTHWHILE = 4 * CHUNK


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class ParallelBlinding:
    """`tpsi.table.Blind` over processes, which end with it. Raises what blinding raises.

    `chunk`: items of one task.
    """

    def __init__(self, chosen: Group, processes: int, progress: Progress, *, chunk: int = CHUNK) -> None:
        self._group = chosen
        self._processes = processes
        self._progress = progress
        self._chunk = chunk

    def __call__(self, items: Sequence[bytes], table_secrets: TableSecrets) -> Iterator[Rows]:
        """The blinded items, in order, a chunk after the other."""
        octets = (self._group.suite, table_secrets.alpha.reveal(), table_secrets.fill_key.reveal())
        pool = ProcessPoolExecutor(
            self._processes, multiprocessing.get_context("spawn"), initializer=_start, initargs=octets
        )
        try:
            yield from self._run(pool, items)
        finally:
            pool.shutdown(cancel_futures=True)

    def _run(self, pool: ProcessPoolExecutor, items: Sequence[bytes]) -> Iterator[Rows]:
        running: deque[Future[Rows]] = deque()
        given = done = 0
        while given < len(items) or running:
            if given < len(items) and len(running) < AHEAD * self._processes:
                with interrupts_held():  # the pool starts its processes when it is given work
                    running.append(pool.submit(_blind, items[given : given + self._chunk]))
                given = min(given + self._chunk, len(items))
                continue
            rows = running.popleft().result()
            yield rows
            done += len(rows)
            self._progress("blinding", done, len(items))


_SECRETS: list[tuple[Group, TableSecrets]] = []  # of this process, if it is one of the pool's


def _start(suite: str, alpha: bytes, fill_key: bytes) -> None:
    set_threads(1)  # the processes are the threads
    _SECRETS.append((group(suite), TableSecrets(Secret(alpha), Secret(fill_key))))


def _blind(items: Sequence[bytes]) -> Rows:
    chosen, table_secrets = _SECRETS[0]
    return blind_items(chosen, items, table_secrets)
