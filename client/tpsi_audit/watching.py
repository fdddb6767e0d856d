"""Watching a server's log: read it whole, check its rules, and compare it with what others have seen of it."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from tpsi import SignedManifest, VerificationError
from tpsi.log import Fork, History, SignedCheckpoint, Tree, decode_entry
from tpsi_audit.errors import RefusedError
from tpsi_client.cli.words import span
from tpsi_client.enrolment import Enrolment
from tpsi_client.errors import ForkError
from tpsi_client.log import MAX_READ, PAGE
from tpsi_client.service import Patience, Retry, Service

#: Seconds that an opening may be late: clocks differ, and a server opens what is due when somebody looks.
GRACE = 3600


@dataclass(frozen=True)
class Reading:
    """A server's whole log, as one observer was shown it, with everything about it checked that it alone can tell."""

    enrolment: Enrolment
    signed: SignedCheckpoint
    tree: Tree
    history: History

    @property
    def size(self) -> int:
        """How many entries."""
        return self.signed.checkpoint.size

    def lines(self) -> list[str]:
        """What it says, for people."""
        history = self.history
        after = history.notify_after
        told = "are not told of reveals" if after is None else f"are told of a reveal {span(after)} after it"
        opened = len(history.reveals) - len(history.waiting)
        return [
            f'the log of "{self.enrolment.list_name}" has {self.size} entries, and hashes to its signed checkpoint',
            f"it names the manifests of {len(history.epochs)} epochs, which form one chain",
            f"accounts {told}; it holds {len(history.reveals)} commitments to reveals, of which {opened} are open",
        ]


async def read_log(
    enrolment: Enrolment, patience: Patience | None = None, *, clock: Callable[[], float] = time.time
) -> Reading:
    """Read a log from its first entry to its newest checkpoint.

    Raises RefusedError or VerificationError for what does not hold, DecodeError, ServiceError.
    """
    retry = Retry(patience or Patience())
    async with Service(enrolment.endpoint) as service:
        signed = SignedCheckpoint.decode(await retry.persist(service.checkpoint))
        checkpoint = signed.verify(enrolment.server_key, enrolment.list_id)
        if checkpoint.size > MAX_READ:
            raise RefusedError(f"the log has {checkpoint.size} entries, more than are read here")
        tree, history = Tree(), History()
        while len(tree) < checkpoint.size:
            start, count = len(tree), min(PAGE, checkpoint.size - len(tree))
            page = await retry.persist(lambda start=start, count=count: service.entries(start, count))  # type: ignore[misc]
            if not page:
                raise RefusedError(
                    f"the server signed a log of {checkpoint.size} entries, and gives {len(tree)} of them"
                )
            for entry in map(decode_entry, page):
                history.add(entry)
                tree.append(entry.leaf)
        if tree.root() != checkpoint.root:
            raise RefusedError("the entries that the server gives are not those under its signed checkpoint")
        await _check_chain(service, retry, enrolment, history)
    if late := history.overdue(int(clock()) - GRACE):
        raise RefusedError(
            f"the server committed to a reveal and did not open it to its account when it had to: entries {late}"
        )
    return Reading(enrolment, signed, tree, history)


def compare(reading: Reading, seen: Mapping[str, SignedCheckpoint]) -> list[str]:
    """Compare a log with checkpoints that others have seen of it, by who they are; sentences on what agrees.

    Raises ForkError with the evidence if one contradicts it, RefusedError if one is ahead of it.
    """
    key, list_id = reading.enrolment.server_key, reading.enrolment.list_id
    found: list[str] = []
    for who, signed in seen.items():
        checkpoint = signed.verify(key, list_id)
        if checkpoint.size > reading.size:
            raise RefusedError(
                f"{who} has seen {checkpoint.size} entries of the log, and the server shows {reading.size} here: "
                "ask again; if it stays so, the server shows different logs"
            )
        if reading.tree.root(checkpoint.size) != checkpoint.root:
            fork = Fork.between(key, signed, reading.signed, reading.tree)
            fork.verify()
            raise ForkError(f"the server showed {who} another log than it shows here", fork)
        found.append(f"what {who} has seen ({checkpoint.size} entries) is the beginning of it")
    return found


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


async def _check_chain(service: Service, retry: Retry, enrolment: Enrolment, history: History) -> None:
    """The manifests that the log names are there, signed, and each names the one before it."""
    before: bytes | None = None
    for number, digest in enumerate(history.epochs, 1):
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
