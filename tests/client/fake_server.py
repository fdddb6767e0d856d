"""A small server of the contract over TLS, in the test's process, which can be told to misbehave."""

# ruff: noqa: N802 - methods have the names of the contract

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc import error_details_pb2, status_pb2  # type: ignore[import-untyped]
from grpc_status import rpc_status

from tests.client.certificates import Authority, ServerCertificate
from tests.client.epochs import LIST_ID, LIST_NAME, SERVER_KEY, SIGNING_KEY, Epoch
from tpsi import Header
from tpsi.canary import canary_picture
from tpsi.log import Checkpoint, ManifestEntry, Tree, sign_checkpoint
from tpsi.merkle import CHUNK_SIZE, leaf_digest
from tpsi_proto import tpsi_pb2 as pb
from tpsi_proto.tpsi_pb2_grpc import (
    LogServiceServicer,
    TableServiceServicer,
    VoucherServiceServicer,
    add_LogServiceServicer_to_server,
    add_TableServiceServicer_to_server,
    add_VoucherServiceServicer_to_server,
)

TOKEN = "a-token-for-alice"
PIECE = 20_000


class Behaviour:
    """What the server holds, what it was sent, and how it misbehaves; tests change it while it runs."""

    def __init__(self, *epochs: Epoch) -> None:
        self.epochs = list(epochs)
        self.account, self.list_name = "alice", LIST_NAME
        self.token_reason: str | None = None
        self.canary = canary_picture()
        # the log: what tests appended, and manifests when they are first asked for; what is told of reveals
        self.entries: list[bytes] = []
        self.told: list[pb.RevealNotice] = []
        self.log_key = SIGNING_KEY
        self.hides_entries = False
        self.shown: list[bytes] | None = None  # entries that are given in place of those of the log
        self.inclusion: list[bytes] | None = None
        # downloads: chunks to damage so often; octets after which the next downloads break off; offsets asked for
        self.damage: Counter[int] = Counter()
        self.break_off: list[int] = []
        self.offsets: list[int] = []
        # uploads: what is stored; batches in order of arrival; reasons to refuse a voucher for
        self.stored: dict[bytes, bytes] = {}
        self.batches: list[list[bytes]] = []
        self.refuse: Callable[[bytes], int | None] = lambda _data: None
        self.lose_acks = 0
        self.unavailable = 0
        self.on_batch: Callable[[], None] = lambda: None

    @property
    def vouchers(self) -> list[bytes]:
        """All vouchers that are stored, each once."""
        return list(self.stored.values())

    def log(self) -> Tree:
        """The log's tree, with every manifest that was ever served."""
        for epoch in self.epochs:
            entry = ManifestEntry(epoch.manifest.epoch, epoch.manifest.digest).encoded
            if entry not in self.entries:
                self.entries.append(entry)
        return Tree(map(leaf_digest, self.entries))

    def epoch(self, digest: bytes) -> Epoch | None:
        """The epoch with a manifest digest."""
        return next((epoch for epoch in self.epochs if epoch.manifest.digest == digest), None)


def refuse(context: grpc.ServicerContext, code: grpc.StatusCode, reason: str, retry_after: float = 0.0) -> None:
    """End a call with a rich status."""
    info, retry = AnyMessage(), AnyMessage()
    info.Pack(error_details_pb2.ErrorInfo(domain="tpsi.v1", reason=reason))
    details = [info]
    if retry_after:
        message = error_details_pb2.RetryInfo()
        message.retry_delay.FromNanoseconds(int(retry_after * 1e9))
        retry.Pack(message)
        details.append(retry)
    status = status_pb2.Status(code=code.value[0], message="refused", details=details)
    context.abort_with_status(rpc_status.to_status(status))


def check_token(behaviour: Behaviour, context: grpc.ServicerContext) -> None:
    """Refuse callers without the token."""
    if behaviour.token_reason is not None:
        refuse(context, grpc.StatusCode.UNAUTHENTICATED, behaviour.token_reason)
    if ("authorization", f"Bearer {TOKEN}") not in [tuple(pair) for pair in context.invocation_metadata()]:
        refuse(context, grpc.StatusCode.UNAUTHENTICATED, "TOKEN_UNKNOWN")


class Tables(TableServiceServicer):
    """The table service."""

    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour

    def GetManifest(self, request: Any, context: Any) -> Any:
        check_token(self._behaviour, context)
        if not self._behaviour.epochs:
            refuse(context, grpc.StatusCode.NOT_FOUND, "NO_TABLE")
        number = request.epoch or self._behaviour.epochs[-1].manifest.epoch
        found = [epoch for epoch in self._behaviour.epochs if epoch.manifest.epoch == number]
        if not found:
            refuse(context, grpc.StatusCode.NOT_FOUND, "MANIFEST_UNKNOWN")
        return pb.GetManifestResponse(signed_manifest=found[-1].envelope)

    def GetTableDigests(self, request: Any, context: Any) -> Any:
        return pb.GetTableDigestsResponse(leaves=b"".join(self._epoch(request, context).leaves))

    def DownloadTable(self, request: Any, context: Any) -> Iterator[Any]:
        table = self._epoch(request, context).table
        behaviour, position = self._behaviour, request.offset
        behaviour.offsets.append(position)
        end = position + behaviour.break_off.pop(0) if behaviour.break_off else len(table)
        while position < min(end, len(table)):
            chunk = position // CHUNK_SIZE
            stop = min(position + PIECE, (chunk + 1) * CHUNK_SIZE, end)
            data = bytearray(table[position:stop])
            if behaviour.damage[chunk] and stop == min((chunk + 1) * CHUNK_SIZE, len(table)):
                behaviour.damage[chunk] -= 1
                data[-1] ^= 1
            yield pb.TablePiece(offset=position, data=bytes(data))
            position = stop
        if position < len(table):
            context.abort(grpc.StatusCode.UNAVAILABLE, "broken off")

    def GetCanary(self, request: Any, context: Any) -> Any:
        self._epoch(request, context)
        return pb.GetCanaryResponse(name="canary", picture=self._behaviour.canary)

    def _epoch(self, request: Any, context: Any) -> Epoch:
        check_token(self._behaviour, context)
        epoch = self._behaviour.epoch(request.manifest_digest)
        if epoch is None:
            refuse(context, grpc.StatusCode.NOT_FOUND, "MANIFEST_UNKNOWN")
        assert epoch is not None
        return epoch


class Log(LogServiceServicer):
    """The log service."""

    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour

    def GetCheckpoint(self, request: Any, context: Any) -> Any:
        tree = self._behaviour.log()
        signed = sign_checkpoint(Checkpoint(LIST_ID, len(tree), tree.root()), self._behaviour.log_key)
        return pb.GetCheckpointResponse(checkpoint=signed.encode())

    def GetInclusionProof(self, request: Any, context: Any) -> Any:
        tree = self._behaviour.log()
        if self._behaviour.inclusion is not None:
            return pb.GetInclusionProofResponse(index=0, path=self._behaviour.inclusion)
        places = [place for place in range(request.tree_size) if tree.leaf(place) == request.leaf_digest]
        if not places:
            refuse(context, grpc.StatusCode.NOT_FOUND, "LOG_ENTRY_UNKNOWN")
        path = tree.inclusion(places[0], request.tree_size)
        return pb.GetInclusionProofResponse(index=places[0], path=path)

    def GetConsistencyProof(self, request: Any, context: Any) -> Any:
        path = self._behaviour.log().consistency(request.first_size, request.second_size)
        return pb.GetConsistencyProofResponse(path=path)

    def GetEntries(self, request: Any, context: Any) -> Any:
        self._behaviour.log()
        if self._behaviour.hides_entries:
            return pb.GetEntriesResponse()
        entries = self._behaviour.entries if self._behaviour.shown is None else self._behaviour.shown
        return pb.GetEntriesResponse(entries=entries[request.start : request.start + request.count])

    def GetNotices(self, request: Any, context: Any) -> Any:
        told = [one for one in self._behaviour.told if one.index >= request.after]
        return pb.GetNoticesResponse(notices=told)


class Vouchers(VoucherServiceServicer):
    """The voucher service."""

    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour

    def WhoAmI(self, request: Any, context: Any) -> Any:
        check_token(self._behaviour, context)
        return pb.WhoAmIResponse(account=self._behaviour.account, list_name=self._behaviour.list_name)

    def Upload(self, requests: Iterable[Any], context: Any) -> Iterator[Any]:
        check_token(self._behaviour, context)
        behaviour = self._behaviour
        for batch in requests:
            if behaviour.unavailable:
                behaviour.unavailable -= 1
                refuse(context, grpc.StatusCode.UNAVAILABLE, "STORE_UNAVAILABLE", 0.01)
            behaviour.on_batch()
            ack = self._store(batch)
            if behaviour.lose_acks:
                behaviour.lose_acks -= 1
                context.abort(grpc.StatusCode.UNAVAILABLE, "lost on the way")
            yield ack

    def _store(self, batch: Any) -> Any:
        behaviour = self._behaviour
        behaviour.batches.append(list(batch.vouchers))
        refused = []
        for index, data in enumerate(batch.vouchers):
            voucher_id = Header.decode(data).voucher_id
            reason = behaviour.refuse(data)
            if reason is None and behaviour.stored.get(voucher_id, data) != data:
                reason = pb.VOUCHER_ID_REUSED
            if reason is not None:
                refused.append(pb.Refusal(index=index, reason=reason))  # type: ignore[arg-type]
                continue
            behaviour.stored[voucher_id] = data
        return pb.BatchAck(sequence=batch.sequence, stored=len(batch.vouchers) - len(refused), refused=refused)


class FakeServer:
    """The server itself: `address` while it runs. Use as a context manager."""

    def __init__(self, behaviour: Behaviour, certificate: ServerCertificate, port: int = 0) -> None:
        self._server = grpc.server(futures.ThreadPoolExecutor(4))
        add_TableServiceServicer_to_server(Tables(behaviour), self._server)  # type: ignore[no-untyped-call]
        add_LogServiceServicer_to_server(Log(behaviour), self._server)  # type: ignore[no-untyped-call]
        add_VoucherServiceServicer_to_server(Vouchers(behaviour), self._server)  # type: ignore[no-untyped-call]
        credentials = grpc.ssl_server_credentials([(certificate.key, certificate.certificate)])
        self.port = self._server.add_secure_port(f"127.0.0.1:{port}", credentials)
        self.behaviour = behaviour

    def __enter__(self) -> "FakeServer":
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop(None).wait()

    @property
    def address(self) -> str:
        """What a device connects to."""
        return f"127.0.0.1:{self.port}"


def enrolment(address: str, authority: Authority, **changes: object) -> bytes:
    """An enrolment file for alice."""
    value: dict[str, object] = {
        "tpsi_enrolment": 1,
        "server": address,
        "ca": authority.pem,
        "list": LIST_ID.hex(),
        "list_name": LIST_NAME,
        "server_key": SERVER_KEY.hex(),
        "account": "alice",
        "token": TOKEN,
        "lowest_threshold": None,
    }
    return json.dumps(value | changes).encode()


def save_enrolment(folder: Path, server: FakeServer, authority: Authority, **changes: object) -> Path:
    """The same, written to a file."""
    path = folder / "alice.json"
    path.write_bytes(enrolment(server.address, authority, **changes))
    return path


def opened(epoch: Epoch, vouchers: Sequence[bytes]) -> int:
    """How many vouchers open at the server."""
    return sum(one is not None for one in epoch.open("alice", vouchers))
