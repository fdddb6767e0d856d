"""Work that a device gives to other threads, done at once: the same each time, and no thread is waited for."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any


class Inline(ThreadPoolExecutor):
    """A pool of threads that has none, and does its work where it is submitted."""

    def submit(self, work: Callable[..., Any], /, *arguments: Any, **options: Any) -> Future[Any]:
        """The result, which is there already."""
        done = Future[Any]()
        try:
            done.set_result(work(*arguments, **options))
        except BaseException as error:
            done.set_exception(error)
        return done
