"""Fetching: the newest manifest with all that leads to it, and its table, none of it believed before it is verified."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import TypeAlias

from tpsi import Manifest, Pins, Seen, SignedManifest, VerificationError, accept
from tpsi.merkle import CHUNK_SIZE, chunk_count
from tpsi.trust import check_chain
from tpsi_client.errors import ServiceError
from tpsi_client.service import Retry, Service
from tpsi_client.state import Link
from tpsi_client.tables import DamagedChunkError, PartFile, TableFolder

#: Told as work goes on: what is being done, how much of it is done, of how much (0 if unknown).
Progress: TypeAlias = Callable[[str, int, int], None]

#: A chunk that arrives damaged this often is damaged at the server, or somebody alters it on purpose.
MAX_CHUNK_ATTEMPTS = 3
#: Eleven years of daily epochs: whoever was away for longer enrols again.
MAX_SKIPPED = 4096


@dataclass(frozen=True, slots=True)
class Arrival:
    """An accepted manifest with its exact signed bytes, and the links from the newest epoch seen up to it."""

    manifest: Manifest
    envelope: bytes
    links: Sequence[Link]


async def newest(service: Service, pins: Pins, seen: Seen | None) -> Arrival:
    """The server's newest manifest, if a device with these pins may use it after what it has seen.

    If epochs were skipped, their manifests are fetched and the chain through them is checked. Raises
    DecodeError or VerificationError saying what is wrong; nothing is remembered of a refused manifest.
    """
    envelope = await service.signed_manifest()
    signed = SignedManifest.decode(envelope)
    links: list[Link] = []
    if seen is not None and signed.manifest.epoch > seen.epoch + 1:
        signed.verify(pins.server_key)  # else anybody could send the device on a long walk
        links = await _between(service, pins, seen, signed.manifest.epoch)
        seen = Seen(links[-1].number, links[-1].digest)
    manifest = accept(signed, pins, seen)
    return Arrival(manifest, envelope, [*links, Link(manifest.epoch, manifest.digest)])


async def _between(service: Service, pins: Pins, seen: Seen, newest_epoch: int) -> list[Link]:
    """The epochs between, each signed and following the one before.

    Their parameters don't matter: no voucher is ever sealed under them.
    """
    if newest_epoch - seen.epoch > MAX_SKIPPED:
        raise VerificationError(
            f"the list has gone on by {newest_epoch - seen.epoch} epochs since this device last looked, "
            f"more than {MAX_SKIPPED}; ask the operator, and enrol again into a new --home"
        )
    links: list[Link] = []
    for number in range(seen.epoch + 1, newest_epoch):
        signed = SignedManifest.decode(await service.signed_manifest(number))
        manifest = signed.verify(pins.server_key)
        if manifest.epoch != number:
            raise VerificationError(f"asked for epoch {number}, the server sent the manifest of epoch {manifest.epoch}")
        check_chain(manifest, pins, seen)
        seen = Seen(number, manifest.digest)
        links.append(Link(number, manifest.digest))
    return links


async def download(service: Service, folder: TableFolder, retry: Retry, progress: Progress) -> int:
    """Bring a table into its folder, going on wherever an earlier attempt ended; the octets that were received.

    Raises VerificationError naming a chunk that stays damaged; ServiceError; DiskError.
    """
    if folder.complete:
        return 0
    leaves = folder.leaves()
    if leaves is None:
        digest = folder.manifest.digest
        leaves = folder.save_leaves(await retry.persist(lambda: service.table_digests(digest)))
    folder.require_room()
    with await asyncio.to_thread(PartFile, folder, leaves) as part:
        damaged: Counter[int] = Counter()
        while not part.whole:
            try:
                await _receive(service, folder.manifest, part, retry, progress)
            except DamagedChunkError as error:
                damaged[error.number] += 1
                if damaged[error.number] == MAX_CHUNK_ATTEMPTS:
                    raise _hopeless(folder.manifest, error.number) from None
            except ServiceError as error:
                await retry.after(error)
    await asyncio.to_thread(folder.finish)
    return part.received


async def _receive(service: Service, manifest: Manifest, part: PartFile, retry: Retry, progress: Progress) -> None:
    """Append what one call delivers. Raises DamagedChunkError, or ServiceError if the table did not become whole."""
    async with aclosing(service.table(manifest.digest, part.offset)) as pieces:
        async for piece in pieces:
            if piece.offset != part.offset or not 0 < len(piece.data) <= part.room:
                raise ServiceError("the server sends pieces of the table that don't fit together; tell the operator")
            part.append(piece.data)
            retry.progressed()
            progress("fetching the table", part.offset, manifest.table_bytes)
            if part.whole:
                return
    raise ServiceError("the server ended the table too early; try again later", passing=True)


def _hopeless(manifest: Manifest, number: int) -> VerificationError:
    start = number * CHUNK_SIZE
    return VerificationError(
        f"chunk {number} of {chunk_count(manifest.table_bytes)} of the table (octets from {start}) arrived damaged "
        f"{MAX_CHUNK_ATTEMPTS} times; what is right so far is kept. Try again later, and tell the operator"
    )
