"""A crew: whoever works off jobs, in this process or beside it. Used by one thread."""

import logging
import multiprocessing
import os
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any, Protocol

from tpsi.groups import set_threads
from tpsi_server.children import interrupts_held
from tpsi_server.jobs import Job, Result

#: Seconds that a killed process is waited for.
_BURIAL = 5.0

#: What a matching process adds to its niceness.
LOWEST = 19

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Failure:
    """A job came to nothing: it raised, or its process died. `begun`: it may be to blame for that."""

    reason: str
    begun: bool = True


class Crew(Protocol):
    """Works off jobs. A ticket is any value, by which a result is recognised."""

    size: int

    def free(self) -> bool:
        """Whether a job can be started now."""
        ...

    def start(self, ticket: Any, job: Job) -> None:
        """Start a job, if `free`."""
        ...

    def finished(self, timeout: float) -> list[tuple[Any, Result | Failure]]:
        """What has been finished, waiting up to `timeout` seconds for a first result."""
        ...

    def close(self) -> None:
        """Drop everything, at once."""
        ...


class OwnCrew:
    """Works off each job where and when it is started."""

    size = 1

    def __init__(self) -> None:
        self._finished: list[tuple[Any, Result | Failure]] = []

    def free(self) -> bool:
        """See `Crew.free`."""
        return not self._finished

    def start(self, ticket: Any, job: Job) -> None:
        """See `Crew.start`; returns when the job is done."""
        self._finished.append((ticket, _result(job)))

    def finished(self, timeout: float) -> list[tuple[Any, Result | Failure]]:
        """See `Crew.finished`; never waits."""
        done, self._finished = self._finished, []
        return done

    def close(self) -> None:
        """See `Crew.close`."""
        self._finished.clear()


class ProcessCrew:
    """Works off jobs in processes of their own. One that dies is replaced, and its job is a failure."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._workers = [_Worker() for _ in range(size)]

    def free(self) -> bool:
        """See `Crew.free`."""
        return any(worker.ticket is None for worker in self._workers)

    def start(self, ticket: Any, job: Job) -> None:
        """See `Crew.start`."""
        next(worker for worker in self._workers if worker.ticket is None).give((ticket,), job)

    def finished(self, timeout: float) -> list[tuple[Any, Result | Failure]]:
        """See `Crew.finished`."""
        busy = {worker.connection: worker for worker in self._workers if worker.ticket is not None}
        done: list[tuple[Any, Result | Failure]] = []
        for connection in wait(list(busy), timeout) if busy else ():
            worker = busy[connection]  # type: ignore[index]
            if (result := worker.take()) is not None:
                done.append(result)
            if not worker.alive:
                self._workers[self._workers.index(worker)] = _Worker()
        return done

    def close(self) -> None:
        """See `Crew.close`: the processes are killed; they hold nothing that could be lost."""
        for worker in self._workers:
            worker.kill()
        self._workers.clear()


class _Worker:
    """A process at the other end of a connection. `ticket` is a tuple of the current job's, or None."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.ticket: tuple[Any] | None = None
        self.alive = True
        self._ready = False
        self._process = context.Process(target=_work, args=(theirs,), name="tpsi-matching", daemon=True)
        with interrupts_held():
            self._process.start()
        theirs.close()  # so that the connection ends with the process

    def give(self, ticket: tuple[Any], job: Job) -> None:
        self.ticket = ticket
        with suppress(OSError):  # it died: `take` will see that
            self.connection.send(job)

    def take(self) -> tuple[Any, Result | Failure] | None:
        """The current job's ticket and result; None if the process has only just said that it is there."""
        try:
            result = self.connection.recv()
        except (EOFError, OSError):
            self.kill()
            _log.error("a matching process died (exit status %s); another takes its place", self._process.exitcode)
            result = Failure("its process died", begun=self._ready)
        if result is None:
            self._ready = True
            return None
        (ticket,), self.ticket = self.ticket or (None,), None
        return ticket, result

    def kill(self) -> None:
        self.alive = False
        self._process.kill()
        self._process.join(_BURIAL)
        self.connection.close()


def _work(connection: "Connection[Any, Any]") -> None:
    """The life of a process: a sign that it is there, then results for jobs, until the other end is gone."""
    set_threads(1)  # the crew's processes share the processors
    _stand_back()
    with suppress(EOFError, OSError):
        connection.send(None)
        while True:
            connection.send(_result(connection.recv()))


def _stand_back() -> None:
    """Leave the processor to whoever answers devices: how long they wait is not to tell what is being matched.

    Not SCHED_IDLE: on a machine whose processors are never free, claims would end before their work is done.
    """
    with suppress(OSError):
        os.nice(LOWEST)
        if hasattr(os, "sched_setscheduler"):
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def _result(job: Job) -> Result | Failure:
    try:
        return job.run()
    except Exception as error:
        return Failure(f"{type(error).__name__}: {error}")
