"""A lock that is given to threads in the order in which they asked, so that a busy one starves no other."""

import threading
from collections import deque
from types import TracebackType


class FairLock:
    """Use it in a `with` block; not reentrant."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._held = False
        self._waiting: deque[threading.Lock] = deque()

    def __enter__(self) -> None:
        with self._guard:
            if not self._held:
                self._held = True
                return
            ticket = threading.Lock()
            ticket.acquire()
            self._waiting.append(ticket)
        try:
            ticket.acquire()
        except BaseException:  # an interrupt: the turn must not get lost with it
            self._give_up(ticket)
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._guard:
            self._pass_on()

    def _give_up(self, ticket: threading.Lock) -> None:
        with self._guard:
            if ticket in self._waiting:
                self._waiting.remove(ticket)
            else:
                self._pass_on()

    def _pass_on(self) -> None:
        """Wake whoever is next; the lock stays held, by them."""
        if self._waiting:
            self._waiting.popleft().release()
        else:
            self._held = False
