"""The log as it is shown: checkpoints, proofs and entries (specification, section 16)."""

import threading
import time
from collections.abc import Callable, Sequence

from tpsi import merkle
from tpsi.log import Checkpoint, Disclosure, SignedCheckpoint, Tree, sign_checkpoint
from tpsi_server.errors import KeyFileError, RefusedError
from tpsi_server.keys import KeyRing
from tpsi_server.reasons import Reason
from tpsi_server.store import Store

#: Seconds for which reveals are gathered before the log commits to them.
GATHER = 60.0
#: Leaf digests read at a time.
_PAGE = 10_000


class TransparencyLog:
    """Answers about the log from a tree in memory, which follows the store. Thread-safe.

    `keys` None: there is nothing to sign checkpoints with.
    """

    def __init__(
        self, store: Store, list_id: bytes, keys: KeyRing | None, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._store = store
        self._list_id = list_id
        self._keys = keys
        self._clock = clock
        self._lock = threading.Lock()
        self._tree = Tree()
        self._signed: SignedCheckpoint | None = None
        store.log.adopt()

    def checkpoint(self) -> SignedCheckpoint:
        """The newest checkpoint. What is due comes into the log first: commitments to reveals, and their openings.

        RefusedError LOG_UNSIGNED if the signing key cannot be had.
        """
        self._store.log.commit(self._clock() - GATHER)
        self._store.log.open_due(self._clock())
        with self._lock:
            tree = self._followed()
            if self._signed is None or self._signed.checkpoint.size != len(tree):
                self._signed = self._sign(Checkpoint(self._list_id, len(tree), tree.root()))
            return self._signed

    def inclusion(self, leaf: bytes, size: int) -> tuple[int, list[bytes]]:
        """The first place of a leaf digest, and the proof that it is in the tree of the first `size` entries.

        RefusedError LOG_ENTRY_UNKNOWN if it is not, LOG_OUT_OF_RANGE if the log has fewer entries.
        """
        if len(leaf) != merkle.DIGEST_SIZE:
            raise RefusedError(Reason.INVALID_REQUEST, f"a leaf digest has {merkle.DIGEST_SIZE} octets")
        place = self._store.log.place_of(leaf)
        with self._lock:
            tree = self._up_to(size)
            if place is None or place >= size:
                raise RefusedError(Reason.LOG_ENTRY_UNKNOWN, f"no leaf of the first {size} has this digest")
            return place, tree.inclusion(place, size)

    def consistency(self, first: int, second: int) -> list[bytes]:
        """The proof that the tree of `second` entries begins with that of `first`; RefusedError LOG_OUT_OF_RANGE."""
        with self._lock:
            tree = self._up_to(second)
            if first > second:
                raise RefusedError(Reason.INVALID_REQUEST, "the first size is above the second")
            return tree.consistency(first, second)

    def entries(self, start: int, count: int) -> list[bytes]:
        """Entries from a place on; RefusedError LOG_OUT_OF_RANGE beyond the end."""
        if start > self._store.log.size():
            raise RefusedError(Reason.LOG_OUT_OF_RANGE, "the log ends before")
        return self._store.log.entries(start, start + count)

    def disclosures(self, account: str, after: int, limit: int) -> Sequence[Disclosure]:
        """What an account may know of its reveals by now, from a place of the log on; `limit` notices at most."""
        self._store.log.open_due(self._clock())
        return self._store.log.disclosures(account, after, limit)

    def _up_to(self, size: int) -> Tree:
        tree = self._followed() if size > len(self._tree) else self._tree
        if size > len(tree):
            raise RefusedError(Reason.LOG_OUT_OF_RANGE, f"the log has {len(tree)} entries")
        return tree

    def _followed(self) -> Tree:
        """The tree, with what has come into the store since the last look."""
        while page := self._store.log.leaves(len(self._tree), len(self._tree) + _PAGE):
            for leaf in page:
                self._tree.append(leaf)
        return self._tree

    def _sign(self, checkpoint: Checkpoint) -> SignedCheckpoint:
        if self._keys is None:
            raise RefusedError(Reason.LOG_UNSIGNED, "checkpoints are signed where the passphrase of the keys is")
        try:
            return sign_checkpoint(checkpoint, self._keys.signing_key())
        except KeyFileError as error:
            raise RefusedError(Reason.LOG_UNSIGNED, str(error)) from None
