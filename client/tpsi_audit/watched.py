"""What a watcher keeps of a log between two looks: enough to go on from there (specification, section 16.4)."""

import json
import math
from dataclasses import dataclass
from typing import Any, Self

from tpsi.errors import CallerError, DecodeError
from tpsi.log import Frontier, History, SignedCheckpoint

VERSION = 1
#: Octets of a file: an epoch or a batch of reveals that is not open yet takes some tens.
MAX_FILE = 64 << 20
_COUNTS = "size", "time", "reveals"


@dataclass(frozen=True)
class Watched:
    """A log as far as it was read and found in order: its checkpoint, its tree's frontier, and what its rules need."""

    signed: SignedCheckpoint
    frontier: Frontier
    history: History

    def __post_init__(self) -> None:
        checkpoint = self.signed.checkpoint
        if (self.frontier.size, self.frontier.root) != (checkpoint.size, checkpoint.root):
            raise CallerError("what was read of the log is not what its checkpoint says")
        if self.history.size != checkpoint.size:
            raise CallerError("not all that was read of the log was checked")

    def encode(self) -> bytes:
        """The octets of a file."""
        history = self.history
        promised = [[start, None if end == math.inf else end] for start, end in history.promised]
        value = {
            "tpsi_watched": VERSION,
            "checkpoint": self.signed.encode().decode(),
            "frontier": self.frontier.encode(),
            **{name: getattr(history, name) for name in _COUNTS},
            "notify_after": history.notify_after,
            "epochs": [digest.hex() for digest in history.epochs],
            "waiting": list(history.waiting.items()),
            "promised": promised,
        }
        return json.dumps(value).encode() + b"\n"

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Inverse of `encode`; DecodeError for anything else. The checkpoint's signature is not verified by it."""
        try:
            value = json.loads(data)
            if value["tpsi_watched"] != VERSION:
                raise ValueError
            signed = SignedCheckpoint.decode(value["checkpoint"].encode())
            return cls(signed, Frontier.decode(value["frontier"]), _history(value))
        except (CallerError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise DecodeError("what was kept of the log is damaged") from None


def _history(value: Any) -> History:
    after = value["notify_after"]
    return History(
        **{name: int(value[name]) for name in _COUNTS},
        notify_after=None if after is None else int(after),
        epochs=[bytes.fromhex(digest) for digest in value["epochs"]],
        waiting={int(index): int(due) for index, due in value["waiting"]},
        promised=[(int(start), math.inf if end is None else int(end)) for start, end in value["promised"]],
    )
