"""The table service: manifests, digest trees, table files and canaries, as they lie on the disk."""

# ruff: noqa: N802 (the calls have the names of the contract)

import asyncio
from collections.abc import AsyncIterator
from io import BufferedReader
from pathlib import Path

from tpsi.merkle import CHUNK_SIZE, DIGEST_SIZE
from tpsi_proto import tpsi_pb2 as pb
from tpsi_proto.tpsi_pb2_grpc import TableServiceServicer
from tpsi_server.errors import DataError, RefusedError
from tpsi_server.reasons import Reason
from tpsi_server.service.limits import READ_SIZE
from tpsi_server.service.status import Context
from tpsi_server.tables import Epoch, TableRepository


class TableServicer(TableServiceServicer):
    """Serves what a repository holds."""

    def __init__(self, tables: TableRepository) -> None:
        self._tables = tables

    async def GetManifest(self, request: pb.GetManifestRequest, context: Context) -> pb.GetManifestResponse:
        """The signed manifest of an epoch, 0 being the newest."""
        if request.epoch:
            epoch = await asyncio.to_thread(self._tables.by_number, request.epoch)
        else:
            epoch = await asyncio.to_thread(self._tables.newest)
        return pb.GetManifestResponse(signed_manifest=epoch.signed_manifest)

    async def GetTableDigests(self, request: pb.GetTableDigestsRequest, context: Context) -> pb.GetTableDigestsResponse:
        """The leaves of the digest tree."""
        return pb.GetTableDigestsResponse(leaves=(await self._epoch(request.manifest_digest)).leaves)

    async def DownloadTable(self, request: pb.DownloadTableRequest, context: Context) -> AsyncIterator[pb.TablePiece]:
        """The table file from an offset on."""
        epoch = await self._epoch(request.manifest_digest)
        size = epoch.manifest.table_bytes
        if request.offset > size:
            raise RefusedError(Reason.OFFSET_OUT_OF_RANGE, f"the table has {size} octets")
        async for offset, data in _pieces(epoch.table, request.offset, size):
            yield pb.TablePiece(offset=offset, data=data)

    async def GetCanary(self, request: pb.GetCanaryRequest, context: Context) -> pb.GetCanaryResponse:
        """The canary picture."""
        epoch = await self._epoch(request.manifest_digest)
        name, picture = await asyncio.to_thread(epoch.canary)
        return pb.GetCanaryResponse(name=name, picture=picture)

    async def _epoch(self, digest: bytes) -> Epoch:
        if len(digest) != DIGEST_SIZE:
            raise RefusedError(Reason.INVALID_REQUEST, f"a manifest digest has {DIGEST_SIZE} octets")
        return await asyncio.to_thread(self._tables.by_digest, digest)


async def _pieces(path: Path, offset: int, size: int) -> AsyncIterator[tuple[int, bytes]]:
    """A file's octets from `offset` to `size`, cut at the boundaries of chunks; each with its offset."""
    file = await asyncio.to_thread(path.open, "rb")
    try:
        while offset < size:
            block = await asyncio.to_thread(_read_at, file, offset, min(size, offset + READ_SIZE) - offset)
            start = 0
            while start < len(block):
                end = start + CHUNK_SIZE - (offset + start) % CHUNK_SIZE
                yield offset + start, block[start:end]
                start = end
            offset += len(block)
    finally:
        file.close()


def _read_at(file: BufferedReader, offset: int, length: int) -> bytes:
    file.seek(offset)
    data = file.read(length)
    if len(data) < length:
        raise DataError(f"{file.name} is shorter than its manifest says")
    return data
