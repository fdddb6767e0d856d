"""The decoders of client and server: files, headers and messages."""

import io
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import DecodeError as ProtobufDecodeError
from google.rpc import error_details_pb2, status_pb2  # type: ignore[import-untyped]

from tests.client.certificates import Authority
from tests.client.epochs import LIST_ID, SERVER_KEY
from tests.client.fake_server import enrolment
from tests.fuzz.harness import Target
from tests.lists.test_fuzz import SAMPLES as LISTS
from tests.lists.test_fuzz import read_file
from tests.pictures.recipes import picture
from tests.support.client_certificates import self_signed
from tests.support.engines import compiled_once
from tests.support.server_data import COST, PASSPHRASE
from tests.support.world import World, file_root, md5
from tpsi import DecodeError, Pins, Secret, TpsiError
from tpsi.log import Notice
from tpsi.merkle import CHUNK_SIZE, leaves_of
from tpsi.pictures.picture import Picture
from tpsi_audit.reveals import Export
from tpsi_client.account_secret import AccountSecret, _guard
from tpsi_client.configuration import Configuration
from tpsi_client.container import read_vouchers
from tpsi_client.endpoint import Endpoint
from tpsi_client.enrolment import Enrolment
from tpsi_client.home import Home
from tpsi_client.service.refusals import _details
from tpsi_client.state import State
from tpsi_client.tables import check_leaves
from tpsi_proto import tpsi_pb2 as pb
from tpsi_server import DataFolder, keyfile
from tpsi_server.auditing import read_names
from tpsi_server.bundle import read_bundle
from tpsi_server.companions import read_companions
from tpsi_server.errors import OperatorError
from tpsi_server.keyfile import Cost, _checksum, _derive, read_key_file, write_key_file
from tpsi_server.lists import ListFormat
from tpsi_server.service.auth import bearer_token, peer_fingerprint
from tpsi_server.service.wire import SMALL, has_more_fields
from tpsi_server.store.location import parse_location
from tpsi_server.tls import load_certificate

_BUNDLE = b"TPSIVB1\n" + b"".join(len(one).to_bytes(4, "big") + one for one in (b"voucher", b"x" * 300))
#: Octets of memory and rounds that scrypt may take here.
_AT_MOST = 1 << 16
_TOKEN = "tpsi_" + "x" * 43


def targets(folder: Path) -> Iterator[Target]:
    """All of them; files are written below `folder`, which should be in memory."""
    yield from _lists(folder)
    yield Target("reveals-export", Export.decode, [_export()], (DecodeError,))
    yield from _server_files(folder)
    yield from _device_files(folder)
    yield from _messages()
    yield from _headers()
    yield from _pictures()
    world = World(range(3000))
    cells = world.built.table.cells.tobytes()
    leaves = leaves_of([cells[i : i + CHUNK_SIZE] for i in range(0, len(cells), CHUNK_SIZE)])
    assert file_root(world.built.table.cells) == world.manifest.root
    yield Target("table-digests", lambda data: check_leaves(world.manifest, data), [b"".join(leaves)])
    yield Target("container", lambda data: [*read_vouchers(io.BytesIO(data))], [_BUNDLE])
    yield Target("bundle", lambda data: [*read_bundle(io.BytesIO(data))], [_BUNDLE])


def _from_file(path: Path, read: Callable[[], object]) -> Callable[[bytes], object]:
    """A decoder of files as one of octets."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(0o600)
    name = os.fspath(path)

    def run(data: bytes) -> object:
        descriptor = os.open(name, os.O_WRONLY | os.O_TRUNC)
        os.write(descriptor, data)
        os.close(descriptor)
        return read()

    return run


def _lists(folder: Path) -> Iterator[Target]:
    path = folder / "list"
    for form, sample in zip(ListFormat, LISTS, strict=True):
        reading = _from_file(path, lambda form=form: read_file(path, form))  # type: ignore[misc]
        yield Target(f"list-{form}", reading, [sample, sample, *LISTS], (), weight=2)
    table = f"hash,companion,name\n{md5(1)},pdq64:{bytes(32).hex()},a name\nmd5:{'0f' * 16},,\n".encode()
    companions = _from_file(path, lambda: [*read_companions(path)])
    yield Target("list-companions", companions, [table], (OperatorError,))
    names = _from_file(path, lambda: read_names(path))
    yield Target("names", names, [f"{md5(1)}\n{md5(2)}\n".encode()], (DecodeError,))


def _export() -> bytes:
    """What a server says of its reveals."""
    notice = Notice("alice", LIST_ID, 1, 2, 1, bytes(32)).encoded.decode("ascii")
    told = {"index": 3, "opening": bytes(32).hex(), "notice": notice, "vouchers": [bytes(16).hex()]}
    reveals = [{"voucher": bytes(16).hex(), "account": "alice", "revealed": 2}]
    return json.dumps({"tpsi_reveals": 1, "list": LIST_ID.hex(), "reveals": reveals, "notices": [told]}).encode()


def _server_files(folder: Path) -> Iterator[Target]:
    key = folder / "key"
    write_key_file(key, "signing", {"list": "a"}, Secret(bytes(32)), PASSPHRASE, cost=COST)
    sample = key.read_bytes()
    read_key = _from_file(key, lambda: read_key_file(key, "signing", PASSPHRASE))
    yield Target("key-file", read_key, [sample])
    members = json.dumps({name: value for name, value in json.loads(sample).items() if name != "sha256"}).encode()
    yield Target("key-file-members", _checked(read_key), [members])
    data = DataFolder(folder / "server")
    identity = {"tpsi_server": 1, "list": LIST_ID.hex(), "name": "it", "server_key": SERVER_KEY.hex()}
    settings = json.dumps(identity | {"limits": {"vouchers": 5}, "database": "postgresql://u:p@h:5/d"}).encode()
    read_settings = _from_file(data.server_file, lambda: (data.identity(), data.allowance(), data.location))
    yield Target("server-settings", read_settings, [settings])
    pem = folder / "certificate.pem"
    yield Target("certificate", _from_file(pem, lambda: load_certificate(pem)), [self_signed().certificate])
    urls = [b"postgresql://user:secret@host:5432/name", b"/a/path", b"sqlite:///file"]
    yield Target("database-url", lambda octets: parse_location(octets.decode("latin-1")), urls)


def _checked(read_key: Callable[[bytes], object]) -> Callable[[bytes], object]:
    """A reader of key files whose checksum is always right, and where scrypt is cut short: it can take a second."""

    def cheap(passphrase: Secret, salt: bytes, cost: Cost) -> bytes:
        assert 2 <= cost.n < 2 ** (16 * cost.r), "what reaches scrypt is what it is defined for"
        assert 128 * cost.n * cost.r <= 256 << 20, "it is bounded"
        return _derive(passphrase, salt, cost) if 128 * cost.n * cost.r * cost.p <= _AT_MOST else bytes(32)

    def run(data: bytes) -> object:
        try:
            content = json.loads(data)
            content["sha256"] = _checksum(content)
        except (ValueError, TypeError, RecursionError):
            return None  # what is not JSON is for the other target
        with patch.object(keyfile, "_derive", cheap):
            return read_key(json.dumps(content).encode())

    return run


def _device_files(folder: Path) -> Iterator[Target]:
    authority = Authority()
    yield Target("enrolment", Enrolment.decode, [enrolment("localhost:50051", authority)])
    home = Home(folder / "home")
    home.path.mkdir(parents=True)
    endpoint = Endpoint("localhost", 1, None, Secret(b"a-token"))
    configuration = Configuration(endpoint, "a list", "alice", Pins(LIST_ID, SERVER_KEY, 3, 1))
    configuration.save(home)
    secret = AccountSecret(LIST_ID, Secret(bytes(32)))
    secret.save(home)
    State.create(home.outbox, configuration.identity, secret.check).close()
    device, account, outbox = (path.read_bytes() for path in (home.configuration, home.secret, home.outbox))
    yield Target("device-configuration", _from_file(home.configuration, lambda: Configuration.load(home)), [device])
    load_secret = _from_file(home.secret, lambda: AccountSecret.load(home))
    yield Target("account-secret", load_secret, [account])
    guarded = lambda data: load_secret(data + b":" + _guard(data.decode("ascii", "replace")).encode())  # noqa: E731
    yield Target("account-secret-guarded", guarded, [account.rpartition(b":")[0]])

    def state() -> None:
        for ending in ("-wal", "-shm", "-journal"):
            Path(f"{home.outbox}{ending}").unlink(missing_ok=True)
        with compiled_once():
            opened = State.open(home.outbox, configuration.identity, secret.check)
        try:
            opened.outbox.counts()
            opened.chain.newest()
            opened.check()
        finally:
            opened.close()

    yield Target("device-state", _from_file(home.outbox, state), [outbox], weight=20)


def _messages() -> Iterator[Target]:
    upload = pb.UploadBatch(sequence=3, vouchers=[b"x" * 300, b"", b"y"])
    ack = pb.BatchAck(sequence=3, stored=2, refused=[pb.Refusal(index=1, reason=pb.VOUCHER_MALFORMED)])
    account = pb.ListAccountsResponse(accounts=[pb.Account(name="alice", vouchers=3)], next_page_token="a")
    for message in (upload, ack, account):
        name = f"message-{type(message).__name__}"
        yield Target(name, type(message).FromString, [message.SerializeToString()], (ProtobufDecodeError,))
    padding = pb.UploadBatch(vouchers=[bytes(SMALL)]).SerializeToString()
    yield Target("fields", lambda data: has_more_fields(padding + data, 20), [upload.SerializeToString()], ())


def _headers() -> Iterator[Target]:
    def token(data: bytes) -> object:
        text = data.decode("latin-1")
        return bearer_token([("authorization", text), *([("authorization", text)] if len(data) % 50 == 0 else [])])

    yield Target("authorization", token, [f"Bearer {_TOKEN}".encode(), b"basic x"])
    certificate = self_signed().certificate
    yield Target("peer-certificate", lambda data: peer_fingerprint({"x509_pem_cert": [data]}), [certificate])
    info, retry = AnyMessage(), AnyMessage()
    info.Pack(error_details_pb2.ErrorInfo(domain="tpsi.v1", reason="RATE_LIMITED"))
    waiting = error_details_pb2.RetryInfo()
    waiting.retry_delay.FromMilliseconds(1500)
    retry.Pack(waiting)
    status = status_pb2.Status(code=8, message="no", details=[info, retry]).SerializeToString()
    yield Target("refusal", lambda data: _details([("grpc-status-details-bin", data)]), [status], ())


def _pictures() -> Iterator[Target]:
    drawn: Any = picture("smooth", 1, 24, 16)
    samples = []
    for form in ("JPEG", "PNG", "GIF", "WEBP"):
        stream = io.BytesIO()
        drawn.save(stream, form)
        samples.append(stream.getvalue())
    yield Target("picture", lambda data: Picture.from_bytes(data).image, samples, (TpsiError,), weight=2)
