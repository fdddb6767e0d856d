"""Following the server's log: that it only grows, and holds the manifest at hand (specification, section 16)."""

from collections.abc import Sequence

from tpsi import Manifest, Pins, Secret, VerificationError
from tpsi.errors import DecodeError, TpsiError
from tpsi.log import (
    Checkpoint,
    Disclosure,
    Fork,
    Frontier,
    ManifestEntry,
    Notice,
    PolicyEntry,
    RevealEntry,
    SignedCheckpoint,
    Tree,
    decode_entry,
    verify_consistency,
    verify_inclusion,
)
from tpsi.merkle import leaf_digest
from tpsi_client.errors import ForkError
from tpsi_client.service import Service
from tpsi_proto import tpsi_pb2 as pb

#: Entries asked for at a time, and how many a device reads at most to complete the evidence of a fork.
PAGE, MAX_READ = 1000, 1_000_000


async def follow(service: Service, pins: Pins, kept: SignedCheckpoint | None, manifest: Manifest) -> SignedCheckpoint:
    """The newest checkpoint, after everything that a device checks about it (specification, section 16.4).

    `kept` is the one that the device saw last. Raises ForkError with the evidence if the server shows another history
    than before, VerificationError for anything else that is wrong.
    """
    signed = SignedCheckpoint.decode(await service.checkpoint())
    newest = signed.verify(pins.server_key, pins.list_id)
    if kept is not None:
        if newest.size < kept.checkpoint.size:  # older, or another: nobody but the server could tell
            raise VerificationError(
                f"the server shows a state of its log with {newest.size} entries, this device has seen one with "
                f"{kept.checkpoint.size}; try again later, and tell the operator if it stays so"
            )
        await _require_continued(service, pins, kept, signed)
    leaf = ManifestEntry(manifest.epoch, manifest.digest).leaf
    index, path = await service.inclusion(leaf, newest.size)
    try:
        verify_inclusion(leaf, index, newest.size, newest.root, path)
    except VerificationError as error:
        raise VerificationError(f"the server's log does not hold the manifest that it hands out: {error}") from None
    return signed


async def notices(service: Service, newest: Checkpoint, account: str, after: int) -> list[Disclosure]:
    """What the server tells this account of its reveals, from a place of the log on.

    Raises VerificationError if it committed to anything else, or for somebody else.
    """
    told: list[Disclosure] = []
    while page := await service.notices(after):
        last = after, -1
        for disclosure in map(_disclosure, page):
            await _require_committed(service, newest, disclosure)
            place = disclosure.index, disclosure.position
            if (disclosure.notice.account, disclosure.notice.list_id) != (account, newest.list_id) or place <= last:
                raise VerificationError("the server tells this device of a reveal that is not of its account")
            told.append(disclosure)
            last = place
        after = last[0] + 1
    return told


def _disclosure(told: pb.RevealNotice) -> Disclosure:
    notice, path = Notice.decode(told.notice), tuple(told.path)
    return Disclosure(told.index, Secret(told.opening), notice, told.position, told.batch_size, path)


async def policy(service: Service, newest: Checkpoint, read: Frontier) -> tuple[Frontier, PolicyEntry | None]:
    """The newest policy on telling accounts of reveals, among the entries behind those that were `read`, and all that
    is read now; None if there is no new one.

    Raises VerificationError unless these are the entries under the checkpoint: a server could leave the newest out.
    """
    found: PolicyEntry | None = None
    while read.size < newest.size:
        page = await service.entries(read.size, min(PAGE, newest.size - read.size))
        if not page:
            raise VerificationError(
                f"the server signed a log of {newest.size} entries, and gives this device {read.size}"
            )
        for entry in map(decode_entry, page):
            read = read.with_leaf(entry.leaf)
            found = entry if isinstance(entry, PolicyEntry) else found
    if (read.size, read.root) != (newest.size, newest.root):
        raise VerificationError("the entries that the server gives are not those under its signed checkpoint")
    return read, found


async def _require_committed(service: Service, newest: Checkpoint, disclosure: Disclosure) -> None:
    found = await service.entries(disclosure.index, 1)
    entry = decode_entry(found[0]) if found else None
    if not isinstance(entry, RevealEntry):
        raise VerificationError(f"the server tells of a reveal, but entry {disclosure.index} of its log is none")
    index, path = await service.inclusion(entry.leaf, newest.size)
    if index != disclosure.index:
        raise VerificationError("the server's log holds one commitment in two places")
    verify_inclusion(entry.leaf, index, newest.size, newest.root, path)
    disclosure.verify(entry)


async def _require_continued(service: Service, pins: Pins, kept: SignedCheckpoint, signed: SignedCheckpoint) -> None:
    """ForkError unless a checkpoint continues the one that was kept, which is no longer."""
    first, second = kept.checkpoint, signed.checkpoint
    try:
        path: Sequence[bytes] = ()
        if 0 < first.size < second.size:
            path = await service.consistency(first.size, second.size)
        verify_consistency(first.size, first.root, second.size, second.root, path)
    except VerificationError as error:
        fork = Fork.between(pins.server_key, kept, signed, await read_tree(service, second))
        raise ForkError(
            f"the server shows another history than before: its log with {second.size} entries does not continue the "
            f"one with {first.size} ({error})",
            fork,
        ) from None


async def read_tree(service: Service, checkpoint: Checkpoint) -> Tree | None:
    """The tree behind a checkpoint, read entry by entry; None if the server does not give it."""
    tree = Tree()
    try:
        while len(tree) < min(checkpoint.size, MAX_READ):
            page = await service.entries(len(tree), min(PAGE, checkpoint.size - len(tree)))
            if not page:
                return None
            for data in page:
                tree.append(leaf_digest(data))
    except (TpsiError, DecodeError):
        return None
    return tree if len(tree) == checkpoint.size and tree.root() == checkpoint.root else None
