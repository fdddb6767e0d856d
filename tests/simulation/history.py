"""Histories: what devices, operator, network and time do, drawn from a seed, and made shorter when one fails."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum, auto

ACCOUNTS = ("alice", "bob")
#: Names that the list holds, and others.
LISTED, OTHERS = range(8), range(100, 112)


class Kind(StrEnum):
    """What can happen."""

    SEAL = auto()  # a device seals a picture, once
    SEND = auto()  # it sends what is in its outbox, and is answered
    LOSE_REQUEST = auto()  # it sends, and nothing arrives
    LOSE_RESPONSE = auto()  # it sends, and the answer is lost
    REPEAT = auto()  # what was acknowledged is sent again
    SWAP = auto()  # another account sends it
    MATCH = auto()  # the server matches what waits
    BUILD = auto()  # a new epoch
    RETIRE = auto()  # all epochs but the newest one end
    FETCH = auto()  # a device takes the newest table
    ROTATE = auto()  # the key of sensitive columns changes
    FORGET = auto()  # a hundred days pass, and what is past its period is forgotten
    RESTART = auto()  # the server is closed and opened


@dataclass(frozen=True)
class Event:
    """Something that happens, to an account and with a name where that makes sense."""

    kind: Kind
    account: str = ""
    name: int = 0

    def __str__(self) -> str:
        return f"{self.kind} {self.account} {self.name}".strip()


_WEIGHTS = {
    Kind.SEAL: 30, Kind.SEND: 12, Kind.LOSE_REQUEST: 5, Kind.LOSE_RESPONSE: 7, Kind.REPEAT: 6, Kind.SWAP: 2,
    Kind.MATCH: 7, Kind.BUILD: 1, Kind.RETIRE: 1, Kind.FETCH: 3, Kind.ROTATE: 1, Kind.FORGET: 1, Kind.RESTART: 2,
}  # fmt: skip


def drawn(seed: int, length: int = 30) -> list[Event]:
    """The history of a seed."""
    rng = random.Random(f"history {seed}")
    kinds = rng.choices(list(_WEIGHTS), list(_WEIGHTS.values()), k=length)
    return [Event(kind, rng.choice(ACCOUNTS), rng.choice([*LISTED, *OTHERS])) for kind in kinds]


def shrunk(events: Sequence[Event], fails: Callable[[Sequence[Event]], bool]) -> list[Event]:
    """A history that fails, too, and from which nothing can be left out without that it passes."""
    left, size = list(events), max(1, len(events) // 2)
    while True:
        for start in range(0, len(left), size):
            shorter = left[:start] + left[start + size :]
            if fails(shorter):
                left = shorter
                break
        else:
            if size == 1:
                return left
            size = max(1, size // 2)
