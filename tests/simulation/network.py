"""The transport: calls of a device to the server in this process, which it loses, repeats, reorders and delays."""

import random
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

from tpsi import Header
from tpsi_client.endpoint import Endpoint
from tpsi_client.errors import ServiceError
from tpsi_client.service import Service
from tpsi_proto import tpsi_pb2 as pb
from tpsi_server import Runtime
from tpsi_server.errors import RefusedError
from tpsi_server.service.auth import CALLER, Caller, Credentials, Directory, admit
from tpsi_server.service.log import LogServicer
from tpsi_server.service.tables import TableServicer
from tpsi_server.service.vouchers import acknowledgement

_T = TypeVar("_T")
#: What can become of a batch, and how often in relation to the others.
FATES = {
    "arrives": 60,
    "is lost": 5,
    "answer is lost": 8,
    "comes late": 5,
    "comes twice": 6,
    "server dies before": 3,
    "server dies after": 4,
    "device dies before": 3,
    "device dies after": 3,
}
#: One of so many calls with one answer is lost, and as many of the answers.
LOSS = 40


class DeviceDiedError(Exception):
    """The process of a device ends here."""


class Server(Protocol):
    """What a network needs of a server: to pass calls on, and to let it die."""

    runtime: Runtime

    def die(self) -> None:
        """Lose everything that is not on the disk, and start again."""
        ...


class Witness(Protocol):
    """Who is told what goes over the network."""

    def sends(self, vouchers: list[bytes]) -> None:
        """A batch reaches the server."""
        ...

    def answers(self, device: str, vouchers: list[bytes], ack: pb.BatchAck) -> None:
        """An acknowledgement reaches a device."""
        ...


@dataclass
class Network:
    """Between one server and all devices. `calm`: nothing goes wrong. `late`: batches on their way, by account."""

    server: Server
    witness: Witness
    calm: bool = False
    late: list[tuple[str, list[bytes]]] = field(default_factory=list)
    forged: bytes | None = None

    def deliver(self, account: str, vouchers: list[bytes]) -> list[Any]:
        """What the server makes of a batch; RefusedError, StoreError."""
        self.witness.sends(vouchers)
        return self.server.runtime.ingest.ingest(account, vouchers)


class Line(Service):
    """A device's connection, as bad as its randomness makes it."""

    def __init__(self, network: Network, endpoint: Endpoint, device: str, account: str, rng: random.Random) -> None:
        super().__init__(endpoint)
        self._network, self._device, self._account, self._rng = network, device, account, rng

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    @property
    def _runtime(self) -> Runtime:
        return self._network.server.runtime

    # what `Service` calls, each time of the server that is there then
    def __getattr__(self, name: str) -> Any:
        if name == "_tables":
            return TableServicer(self._runtime.tables)
        if name == "_log":
            return LogServicer(self._runtime.log)
        if name == "_vouchers":
            return self
        raise AttributeError(name)

    async def WhoAmI(self, request: pb.WhoAmIRequest, context: object) -> pb.WhoAmIResponse:  # noqa: N802
        """The account of the token."""
        return pb.WhoAmIResponse(account=CALLER.get().account, list_name=self._runtime.identity.name)

    async def signed_manifest(self, epoch: int = 0) -> bytes:
        """The manifest, or the forged one."""
        if self._network.forged is not None and not epoch:
            return self._network.forged
        return await super().signed_manifest(epoch)

    async def table(self, manifest_digest: bytes, offset: int) -> AsyncGenerator[pb.TablePiece, None]:
        """The table, which may break off."""
        request = pb.DownloadTableRequest(manifest_digest=manifest_digest, offset=offset)
        self._trouble()
        try:
            async for piece in TableServicer(self._runtime.tables).DownloadTable(request, None):  # type: ignore[arg-type]
                yield piece
        except RefusedError as error:
            raise _refused(error) from None
        self._trouble()

    async def upload(self, batches: AsyncIterator[pb.UploadBatch]) -> AsyncGenerator[pb.BatchAck, None]:
        """Some batches at a time, in any order."""
        self._admit("/tpsi.v1.VoucherService/Upload")
        async with aclosing(batches):  # type: ignore[type-var]
            while some := await self._some(batches):
                for batch in some:
                    ack = self._carry(batch)
                    self._network.witness.answers(self._device, list(batch.vouchers), ack)
                    yield pb.BatchAck.FromString(ack.SerializeToString())
                    if self._fate == "device dies after":
                        raise DeviceDiedError

    async def _some(self, batches: AsyncIterator[pb.UploadBatch]) -> list[pb.UploadBatch]:
        """As many as a device sends ahead, or fewer; in another order."""
        some: list[pb.UploadBatch] = []
        while len(some) < (1 if self._network.calm else self._rng.randint(1, 4)):
            batch = await anext(batches, None)
            if batch is None:
                break
            some.append(pb.UploadBatch.FromString(batch.SerializeToString()))
        if not self._network.calm:
            self._rng.shuffle(some)
        return some

    def _carry(self, batch: pb.UploadBatch) -> pb.BatchAck:
        """There and back. What breaks the connection is raised."""
        fate = "arrives" if self._network.calm else self._rng.choices(list(FATES), list(FATES.values()))[0]
        self._fate, vouchers = fate, list(batch.vouchers)
        if fate == "comes late":
            self._network.late.append((self._account, vouchers))
        if fate == "device dies before":
            raise DeviceDiedError
        if fate == "server dies before":
            self._network.server.die()
        if fate in ("is lost", "comes late", "server dies before"):
            raise _broken_off()
        try:
            outcomes = self._network.deliver(self._account, vouchers)
            if fate == "comes twice":
                outcomes = self._network.deliver(self._account, vouchers)
        except RefusedError as error:
            raise _refused(error) from None
        if fate == "server dies after":
            self._network.server.die()
        if fate in ("answer is lost", "server dies after"):
            raise _broken_off()
        return acknowledgement(batch.sequence, outcomes)

    async def _ask(self, method: Callable[..., Awaitable[_T]], request: object) -> _T:
        name = method.__name__
        self._trouble()
        CALLER.set(self._admit(f"/tpsi.v1.{_SERVICES[name]}/{name}"))
        try:
            answer = await method(request, None)
        except RefusedError as error:
            raise _refused(error) from None
        self._trouble()
        return answer

    def _admit(self, method: str) -> Caller:
        runtime = self._runtime
        assert self._endpoint.token is not None
        credentials = Credentials(self._endpoint.token.reveal().decode())
        try:
            return admit(Directory(runtime.accounts, runtime.certificates), method, credentials)
        except RefusedError as error:
            raise _refused(error) from None

    def _trouble(self) -> None:
        if not self._network.calm and self._rng.randrange(LOSS) == 0:
            raise _broken_off()


_SERVICES = {
    **dict.fromkeys(("GetManifest", "GetTableDigests", "GetCanary"), "TableService"),
    **dict.fromkeys(("GetCheckpoint", "GetInclusionProof", "GetConsistencyProof", "GetEntries"), "LogService"),
    "GetNotices": "LogService",
    "WhoAmI": "VoucherService",
}


def ids_of(vouchers: list[bytes]) -> list[bytes]:
    """The ids of encoded vouchers."""
    return [Header.decode(data).voucher_id for data in vouchers]


def _broken_off() -> ServiceError:
    return ServiceError("the connection broke off", passing=True)


def _refused(error: RefusedError) -> ServiceError:
    return ServiceError(f"refused: {error.reason}", reason=error.reason.value)
