"""Waiting until something has happened, not for a fixed time."""

import time
from collections.abc import Callable

#: Seconds to wait for the server to start, or to get through a day's vouchers: one or two, where nothing else runs.
PATIENCE = 120.0

_PAUSE = 0.05


def until(condition: Callable[[], bool]) -> bool:
    """Wait for a condition; False if it does not come true."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_PAUSE)
    return True
