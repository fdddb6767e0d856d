"""Watching a server's log: read what is new of it, check its rules, and compare it with what others have seen."""

import copy
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from tpsi import SignedManifest, VerificationError
from tpsi.log import Fork, Frontier, History, RevealEntry, SignedCheckpoint, decode_entry, verify_consistency
from tpsi_audit.errors import RefusedError
from tpsi_audit.watched import Watched
from tpsi_client.cli.words import span
from tpsi_client.enrolment import Enrolment
from tpsi_client.errors import ForkError
from tpsi_client.log import MAX_READ, PAGE, read_tree
from tpsi_client.service import Patience, Retry, Service

#: Seconds that an opening may be late: clocks differ, and a server opens what is due when somebody looks.
GRACE = 3600


@dataclass(frozen=True)
class Reading:
    """A server's log, as one observer was shown it, with everything about it checked that it alone can tell.

    `new` counts the entries that were read now, the others were before. `commitments` are the reveal entries among
    those, by place, if they were asked for.
    """

    enrolment: Enrolment
    watched: Watched
    new: int
    commitments: Mapping[int, RevealEntry] = field(default_factory=dict)

    @property
    def signed(self) -> SignedCheckpoint:
        """The newest checkpoint."""
        return self.watched.signed

    @property
    def history(self) -> History:
        """What the entries say."""
        return self.watched.history

    @property
    def size(self) -> int:
        """How many entries."""
        return self.signed.checkpoint.size

    def lines(self) -> list[str]:
        """What it says, for people."""
        history = self.history
        after = history.notify_after
        told = "are not told of reveals" if after is None else f"are told of a reveal {span(after)} after it"
        opened = history.reveals - len(history.waiting)
        return [
            f'the log of "{self.enrolment.list_name}" has {self.size} entries, and hashes to its signed checkpoint; '
            f"{self.new} of them were read now",
            f"it names the manifests of {len(history.epochs)} epochs, which form one chain",
            f"accounts {told}; it holds {history.reveals} batches of reveals, of which {opened} are open",
        ]


async def read_log(
    enrolment: Enrolment,
    before: Watched | None = None,
    patience: Patience | None = None,
    *,
    keep_commitments: bool = False,
    clock: Callable[[], float] = time.time,
) -> Reading:
    """Read a log to its newest checkpoint, from where it was read `before`, or from its first entry.

    If the log does not go on from there, it is read from its first entry, too: `compare` tells why.
    Raises RefusedError or VerificationError for what does not hold, DecodeError, ServiceError.
    """
    retry = Retry(patience or Patience())
    async with Service(enrolment.endpoint) as service:
        signed = SignedCheckpoint.decode(await retry.persist(service.checkpoint))
        size = signed.verify(enrolment.server_key, enrolment.list_id).size
        reader = _Reader(service, retry, enrolment, signed, keep_commitments=keep_commitments)
        if before is not None and before.signed.checkpoint.size <= size:
            before.signed.verify(enrolment.server_key, enrolment.list_id)
            with suppress(VerificationError):  # what does not go on from there may be another history altogether
                await reader.read(before.frontier, before.history)
        if reader.watched is None:
            await reader.read(Frontier(), History())
    if (watched := reader.watched) is None:
        raise RefusedError("the entries that the server gives are not those under its signed checkpoint")
    if late := watched.history.overdue(int(clock()) - GRACE):
        raise RefusedError(
            f"the server committed to a reveal and did not open it to its account when it had to: entries {late}"
        )
    return Reading(enrolment, watched, reader.new, reader.commitments)


class _Reader:
    """Reads entries up to a checkpoint; `watched` is what came of it, None if they are not those under it."""

    def __init__(
        self,
        service: Service,
        retry: Retry,
        enrolment: Enrolment,
        signed: SignedCheckpoint,
        *,
        keep_commitments: bool,
    ) -> None:
        self._service = service
        self._retry = retry
        self._enrolment = enrolment
        self._signed = signed
        self._keep_commitments = keep_commitments
        self.watched: Watched | None = None
        self.new = 0
        self.commitments: dict[int, RevealEntry] = {}

    async def read(self, frontier: Frontier, known: History) -> None:
        """Read on from where a tree ends, whose entries are `known`."""
        checkpoint, history = self._signed.checkpoint, copy.deepcopy(known)
        self.new = checkpoint.size - frontier.size
        if self.new > MAX_READ:
            raise RefusedError(f"the log has {self.new} new entries, more than are read here")
        while frontier.size < checkpoint.size:
            for data in await self._page(frontier.size, min(PAGE, checkpoint.size - frontier.size)):
                entry = decode_entry(data)
                if self._keep_commitments and isinstance(entry, RevealEntry):
                    self.commitments[frontier.size] = entry
                history.add(entry)
                frontier = frontier.with_leaf(entry.leaf)
        if frontier.root == checkpoint.root:
            await _check_chain(self._service, self._retry, self._enrolment, history.epochs, len(known.epochs))
            self.watched = Watched(self._signed, frontier, history)

    async def _page(self, start: int, count: int) -> list[bytes]:
        page = await self._retry.persist(lambda: self._service.entries(start, count))
        if not page:
            size = self._signed.checkpoint.size
            raise RefusedError(f"the server signed a log of {size} entries, and gives {start} of them")
        return page


async def compare(
    reading: Reading, seen: Mapping[str, SignedCheckpoint], patience: Patience | None = None
) -> list[str]:
    """Compare a log with checkpoints that others have seen of it, by who they are; sentences on what agrees.

    Raises ForkError with the evidence if one contradicts it, RefusedError if one is ahead of it, ServiceError.
    """
    key, list_id = reading.enrolment.server_key, reading.enrolment.list_id
    found: list[str] = []
    async with Service(reading.enrolment.endpoint) as service:
        for who, signed in seen.items():
            checkpoint = signed.verify(key, list_id)
            if checkpoint.size > reading.size:
                raise RefusedError(
                    f"{who} has seen {checkpoint.size} entries of the log, and the server shows {reading.size} here: "
                    "ask again; if it stays so, the server shows different logs"
                )
            await _require_continued(service, Retry(patience or Patience()), reading, who, signed)
            found.append(f"what {who} has seen ({checkpoint.size} entries) is the beginning of it")
    return found


async def _require_continued(
    service: Service, retry: Retry, reading: Reading, who: str, signed: SignedCheckpoint
) -> None:
    """ForkError with the evidence unless a log begins with what somebody has seen of it."""
    first, second = signed.checkpoint, reading.signed.checkpoint
    try:
        path: list[bytes] = []
        if 0 < first.size < second.size:
            path = await retry.persist(lambda: service.consistency(first.size, second.size))
        verify_consistency(first.size, first.root, second.size, second.root, path)
        return
    except VerificationError:
        tree = await read_tree(service, second)
    if tree is None:
        raise RefusedError(
            f"the server neither proves that its log begins with what {who} has seen, nor gives the entries that "
            "would show whether it does"
        )
    if tree.root(first.size) != first.root:
        fork = Fork.between(reading.enrolment.server_key, signed, reading.signed, tree)
        fork.verify()
        raise ForkError(f"the server showed {who} another log than it shows here", fork)


def compare_alone(key: bytes, seen: Mapping[str, SignedCheckpoint]) -> list[str]:
    """Compare checkpoints with each other, without the server: only those of equal size can be; sentences.

    Raises ForkError with the evidence if two contradict each other, VerificationError for a forged one.
    """
    by_size: dict[tuple[bytes, int], tuple[str, SignedCheckpoint]] = {}
    for who, signed in seen.items():
        checkpoint = signed.verify(key, signed.checkpoint.list_id)
        other = by_size.setdefault((checkpoint.list_id, checkpoint.size), (who, signed))
        if other[1].checkpoint.root != checkpoint.root:
            raise ForkError(f"the server showed {other[0]} and {who} two logs", Fork(key, other[1], signed))
    found = [f"{len(seen)} checkpoints are signed by the server; those of equal size agree"]
    if len(by_size) > 1:
        found.append("they have different sizes: only with the server's help (an access file) can these be compared")
    return found


async def _check_chain(service: Service, retry: Retry, enrolment: Enrolment, epochs: list[bytes], known: int) -> None:
    """The manifests that the log names after the `known` ones are there, signed, and each names the one before it."""
    before = epochs[known - 1] if known else None
    for number, digest in enumerate(epochs[known:], known + 1):
        data = await retry.persist(lambda number=number: service.signed_manifest(number))  # type: ignore[misc]
        manifest = SignedManifest.decode(data).verify(enrolment.server_key)
        if (manifest.epoch, manifest.digest, manifest.list_id) != (number, digest, enrolment.list_id):
            raise RefusedError(f"the server hands out another manifest for epoch {number} than its log names")
        if manifest.previous != before:
            raise RefusedError(f"the manifest of epoch {number} does not follow the one before it in the log")
        before = digest


def require_fork(data: bytes, key: bytes | None) -> list[str]:
    """What an evidence file proves, in sentences; VerificationError if it proves nothing, DecodeError."""
    fork = Fork.decode(data)
    if key is not None and fork.server_key != key:
        raise VerificationError("the evidence is about another server key than the one given")
    first, second = fork.verify()
    lines = [
        f"the holder of the key {fork.server_key.hex()} signed two logs of the list {first.list_id.hex()} "
        "that contradict each other:",
        f"  one with {first.size} entries and the root {first.root.hex()}",
        f"  one with {second.size} entries and the root {second.root.hex()}",
    ]
    if fork.prefix is not None:
        lines.append(f"  whose first {first.size} entries have the root {fork.prefix.hex()}")
    return lines


def checkpoints(named: Iterable[tuple[str, bytes]]) -> dict[str, SignedCheckpoint]:
    """Checkpoints from the octets of files, by the files' names. Raises DecodeError."""
    return {name: SignedCheckpoint.decode(data) for name, data in named}
