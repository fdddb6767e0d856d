"""The calls that a device makes, typed, authenticated, with time limits, over one TLS channel."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from types import TracebackType
from typing import Any, Self, TypeVar

import grpc
from grpc.aio import AioRpcError

from tpsi_client.endpoint import Endpoint
from tpsi_client.errors import ServiceError
from tpsi_client.service.diagnosis import diagnose
from tpsi_client.service.refusals import service_error
from tpsi_proto import tpsi_pb2 as pb
from tpsi_proto.tpsi_pb2_grpc import LogServiceStub, TableServiceStub, VoucherServiceStub

_T = TypeVar("_T")
_END: Any = grpc.aio.EOF  # type: ignore[attr-defined]

#: Seconds for a call with one answer, and between two messages of a stream.
ANSWER_TIMEOUT = 30.0
STREAM_TIMEOUT = 60.0

#: The largest message is the leaves of the digest tree: 32 octets for every 65 536 of a table; this allows a
#: table of 34 GB, a thousand million hashes.
MAX_MESSAGE = 16 * 1024 * 1024

#: Pings on a quiet connection find a dead network within a minute, and keep address translators awake.
_OPTIONS = (
    ("grpc.max_receive_message_length", MAX_MESSAGE),
    ("grpc.max_send_message_length", MAX_MESSAGE),
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
)


class Service:
    """One server. Use it as an async context manager; calls raise ServiceError and its subclasses."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        token = endpoint.token
        self._metadata = () if token is None else (("authorization", f"Bearer {token.reveal().decode('ascii')}"),)

    async def __aenter__(self) -> Self:
        endpoint = self._endpoint
        authority = endpoint.ca.encode("ascii") if endpoint.ca is not None else None
        shown = endpoint.certificate
        credentials = grpc.ssl_channel_credentials(
            authority,
            None if shown is None else shown.key.reveal(),
            None if shown is None else shown.chain.encode("ascii"),
        )
        options = (*_OPTIONS, ("grpc.enable_http_proxy", 0 if endpoint.is_local else 1))
        self._channel = grpc.aio.secure_channel(endpoint.address, credentials, options)
        self._tables: Any = TableServiceStub(self._channel)  # type: ignore[no-untyped-call]
        self._log: Any = LogServiceStub(self._channel)  # type: ignore[no-untyped-call]
        self._vouchers: Any = VoucherServiceStub(self._channel)  # type: ignore[no-untyped-call]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._channel.close(None)

    async def who_am_i(self) -> pb.WhoAmIResponse:
        """The account that the token stands for."""
        return await self._ask(self._vouchers.WhoAmI, pb.WhoAmIRequest())

    async def signed_manifest(self, epoch: int = 0) -> bytes:
        """The signed manifest of an epoch, 0 for the newest one; nothing about it is checked yet."""
        answer = await self._ask(self._tables.GetManifest, pb.GetManifestRequest(epoch=epoch))
        return bytes(answer.signed_manifest)

    async def table_digests(self, manifest_digest: bytes) -> bytes:
        """The leaves of a table's digest tree, unchecked."""
        request = pb.GetTableDigestsRequest(manifest_digest=manifest_digest)
        return bytes((await self._ask(self._tables.GetTableDigests, request)).leaves)

    async def canary(self, manifest_digest: bytes) -> bytes:
        """The canary picture, unchecked."""
        request = pb.GetCanaryRequest(manifest_digest=manifest_digest)
        return bytes((await self._ask(self._tables.GetCanary, request)).picture)

    async def checkpoint(self) -> bytes:
        """The log's newest signed checkpoint, unchecked."""
        return bytes((await self._ask(self._log.GetCheckpoint, pb.GetCheckpointRequest())).checkpoint)

    async def inclusion(self, leaf: bytes, size: int) -> tuple[int, list[bytes]]:
        """The place of a leaf digest in the log, and the path that is to prove it."""
        request = pb.GetInclusionProofRequest(leaf_digest=leaf, tree_size=size)
        answer = await self._ask(self._log.GetInclusionProof, request)
        return int(answer.index), list(answer.path)

    async def consistency(self, first: int, second: int) -> list[bytes]:
        """The path that is to prove that the log of one size continues that of another."""
        request = pb.GetConsistencyProofRequest(first_size=first, second_size=second)
        return list((await self._ask(self._log.GetConsistencyProof, request)).path)

    async def entries(self, start: int, count: int) -> list[bytes]:
        """Entries of the log, unchecked."""
        request = pb.GetEntriesRequest(start=start, count=count)
        return list((await self._ask(self._log.GetEntries, request)).entries)

    async def notices(self, after: int) -> list[pb.RevealNotice]:
        """What the server tells of reveals, unchecked."""
        return list((await self._ask(self._log.GetNotices, pb.GetNoticesRequest(after=after))).notices)

    async def table(self, manifest_digest: bytes, offset: int) -> AsyncGenerator[pb.TablePiece, None]:
        """The table file from an offset on, unchecked."""
        request = pb.DownloadTableRequest(manifest_digest=manifest_digest, offset=offset)
        call = self._tables.DownloadTable(request, metadata=self._metadata)
        async for piece in self._answers(call):
            yield piece

    async def upload(self, batches: AsyncIterator[pb.UploadBatch]) -> AsyncGenerator[pb.BatchAck, None]:
        """Send batches, receive their acknowledgements. An error in `batches` ends the call and is raised here."""
        call = self._vouchers.Upload(metadata=self._metadata)
        writer = asyncio.create_task(_write(call, batches))
        try:
            async for ack in self._answers(call):
                yield ack
        except asyncio.CancelledError:
            task = asyncio.current_task()
            interrupted = (
                task is not None and task.cancelling() > 0
            )  # from outside: the writer's end is its consequence
            if not interrupted and writer.done() and not writer.cancelled() and (error := writer.exception()):
                raise error from None
            raise
        finally:
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)

    async def _ask(self, method: Callable[..., Awaitable[_T]], request: object) -> _T:
        try:
            return await method(request, metadata=self._metadata, timeout=ANSWER_TIMEOUT)
        except AioRpcError as error:
            raise await self._explain(error) from None

    async def _answers(self, call: Any) -> AsyncIterator[Any]:
        """The messages of a stream; it is cancelled when the caller stops listening or the server falls silent."""
        try:
            while (message := await _next(call)) is not _END:
                yield message
            if await call.code() is not grpc.StatusCode.OK:
                # Read the status in the same way as that of every other call.
                raise AioRpcError(
                    await call.code(),
                    await call.initial_metadata(),
                    await call.trailing_metadata(),
                    await call.details(),
                    None,
                )
        except AioRpcError as error:
            raise await self._explain(error) from None
        except TimeoutError:
            raise ServiceError("the server has fallen silent; try again later", passing=True) from None
        finally:
            call.cancel()

    async def _explain(self, error: AioRpcError) -> ServiceError:
        found = service_error(error)
        if error.code() is grpc.StatusCode.UNAVAILABLE and not found.reason:
            return await asyncio.to_thread(diagnose, self._endpoint)
        return found


async def _write(call: Any, batches: AsyncIterator[pb.UploadBatch]) -> None:
    """Feed a call (by hand, as gRPC drops what an iterator given to it raises)."""
    try:
        async for batch in batches:
            await call.write(batch)
        await call.done_writing()
    except (AioRpcError, asyncio.InvalidStateError):
        return  # the call has ended; whoever reads its answers learns why
    except Exception:
        call.cancel()
        raise


async def _next(call: Any) -> Any:
    """The next message. `asyncio.wait_for` before Python 3.12 loses an interrupt that comes together with one."""
    async with asyncio.timeout(STREAM_TIMEOUT):
        return await call.read()
