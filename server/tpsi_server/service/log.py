"""The log service: checkpoints, proofs and entries for everybody, notices of reveals for their account."""

# ruff: noqa: N802 (the calls have the names of the contract)

import asyncio
from itertools import groupby
from operator import attrgetter

from tpsi.log import Disclosure
from tpsi.log.notice import MAX_BATCH
from tpsi_proto import tpsi_pb2 as pb
from tpsi_proto.tpsi_pb2_grpc import LogServiceServicer
from tpsi_server.errors import RefusedError
from tpsi_server.reasons import Reason
from tpsi_server.service.auth import CALLER
from tpsi_server.service.limits import MAX_ENTRIES, MAX_NOTICES
from tpsi_server.service.status import Context
from tpsi_server.transparency import TransparencyLog


class LogServicer(LogServiceServicer):
    """Shows a log."""

    def __init__(self, log: TransparencyLog) -> None:
        self._log = log

    async def GetCheckpoint(self, request: pb.GetCheckpointRequest, context: Context) -> pb.GetCheckpointResponse:
        """The newest checkpoint."""
        signed = await asyncio.to_thread(self._log.checkpoint)
        return pb.GetCheckpointResponse(checkpoint=signed.encode())

    async def GetInclusionProof(
        self, request: pb.GetInclusionProofRequest, context: Context
    ) -> pb.GetInclusionProofResponse:
        """Where a leaf is, and the proof of it."""
        index, path = await asyncio.to_thread(self._log.inclusion, request.leaf_digest, request.tree_size)
        return pb.GetInclusionProofResponse(index=index, path=path)

    async def GetConsistencyProof(
        self, request: pb.GetConsistencyProofRequest, context: Context
    ) -> pb.GetConsistencyProofResponse:
        """That one tree begins with another."""
        path = await asyncio.to_thread(self._log.consistency, request.first_size, request.second_size)
        return pb.GetConsistencyProofResponse(path=path)

    async def GetEntries(self, request: pb.GetEntriesRequest, context: Context) -> pb.GetEntriesResponse:
        """Entries from a place on."""
        if not 1 <= request.count <= MAX_ENTRIES:
            raise RefusedError(Reason.INVALID_REQUEST, f"1 to {MAX_ENTRIES} entries are given at a time")
        entries = await asyncio.to_thread(self._log.entries, request.start, request.count)
        return pb.GetEntriesResponse(entries=entries)

    async def GetNotices(self, request: pb.GetNoticesRequest, context: Context) -> pb.GetNoticesResponse:
        """What the caller's account is told of its reveals."""
        most = MAX_NOTICES + MAX_BATCH  # the batch that goes beyond an answer is in it as a whole
        told = await asyncio.to_thread(self._log.disclosures, CALLER.get().account, request.after, most)
        page: list[Disclosure] = []
        for _, batch in groupby(told, key=attrgetter("index")):
            page += batch
            if len(page) >= MAX_NOTICES:
                break
        return pb.GetNoticesResponse(notices=map(_notice, page))


def _notice(one: Disclosure) -> pb.RevealNotice:
    return pb.RevealNotice(
        index=one.index,
        opening=one.opening.reveal(),
        notice=one.notice.encoded,
        position=one.position,
        batch_size=one.batch_size,
        path=one.path,
    )
