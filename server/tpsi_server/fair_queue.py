"""A queue that takes turns: whoever puts much into it waits for himself, not others for him."""

import threading
from collections import deque
from typing import Generic, TypeVar

_T = TypeVar("_T")


class FairQueue(Generic[_T]):
    """Bounded, for threads: those who put things in by different names are served in turn. Never blocks who puts."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._waiting: dict[str, deque[tuple[int, _T]]] = {}  # in the order of their turns
        self._weight = self._count = 0
        self._closed = False
        self._ready = threading.Condition()

    def put(self, name: str, weight: int, value: _T) -> bool:
        """Put a value in; False if it is too full. A value heavier than the limit gets in when nothing else is."""
        with self._ready:
            if self._count and self._weight + weight > self._limit:
                return False
            self._waiting.setdefault(name, deque()).append((weight, value))
            self._weight += weight
            self._count += 1
            self._ready.notify()
            return True

    def close(self) -> None:
        """Say that nothing more comes."""
        with self._ready:
            self._closed = True
            self._ready.notify_all()

    def get(self) -> _T | None:
        """The next value, waiting for it; None when there is none and nothing more comes."""
        with self._ready:
            self._ready.wait_for(lambda: self._count or self._closed)
            return self._take()

    def get_nowait(self) -> _T | None:
        """The next value, None if there is none at the moment."""
        with self._ready:
            return self._take()

    def __len__(self) -> int:
        return self._count

    def _take(self) -> _T | None:
        if not self._count:
            return None
        name, own = next(iter(self._waiting.items()))
        weight, value = own.popleft()
        del self._waiting[name]
        if own:
            self._waiting[name] = own  # at the end: the others come first
        self._weight -= weight
        self._count -= 1
        return value
