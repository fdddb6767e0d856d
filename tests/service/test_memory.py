"""Messages made to cost memory: a server in a process of its own, and how much it takes at most."""

import threading
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import grpc
import psutil
import pytest
from grpc import StatusCode

from tests.support.refusals import refused
from tests.support.server_data import TestEpoch, copy_data_folder
from tests.support.server_process import ServerProcess
from tests.support.serving import PATIENCE, Client, Served, raw_call
from tpsi_proto import tpsi_pb2 as pb
from tpsi_server import DataFolder, Role, Runtime
from tpsi_server.service import limits

MIB = 1 << 20
ACCOUNTS = 12
UPLOAD = "/tpsi.v1.VoucherService/Upload"


@pytest.fixture(scope="module")
def folder(template: DataFolder, tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    return copy_data_folder(template, tmp_path_factory.mktemp("memory") / "data")


@pytest.fixture(scope="module")
def tokens(folder: DataFolder) -> list[str]:
    """A token for each of some accounts."""
    with Runtime(folder) as runtime:
        for number in range(ACCOUNTS):
            runtime.accounts.create(f"account {number}")
        return [
            runtime.accounts.issue(Role.DEVICE, f"account {number}").token.reveal().decode()
            for number in range(ACCOUNTS)
        ]


@pytest.fixture(scope="module")
def process(folder: DataFolder, tokens: Sequence[str]) -> Iterator[ServerProcess]:
    with ServerProcess(folder, "--workers", "0") as running:
        running.served()
        yield running


@pytest.fixture(scope="module")
def served(process: ServerProcess) -> Served:
    return process.served()


@pytest.fixture
def peak(process: ServerProcess) -> Iterator[Callable[[], int]]:
    """The most memory that the server has taken since, in octets above what it had."""
    server, over = psutil.Process(process.process.pid), threading.Event()
    before = server.memory_info().rss
    found = [0]

    def watch() -> None:
        while not over.wait(0.005):
            found[0] = max(found[0], server.memory_info().rss - before)

    watcher = threading.Thread(target=watch)
    watcher.start()
    yield lambda: found[0]
    over.set()
    watcher.join()


def upload(client: Client, *batches: pb.UploadBatch) -> int:
    """How many vouchers of some batches are stored."""
    return sum(ack.stored for ack in client.vouchers.Upload(iter(batches)))


@pytest.mark.parametrize("algorithm", [grpc.Compression.Gzip, grpc.Compression.Deflate])
def test_a_compressed_message_is_refused_unopened(
    served: Served, tokens: Sequence[str], peak: Callable[[], int], algorithm: grpc.Compression
) -> None:
    """100 MiB of nothing: on the wire it has 100 KiB."""
    bomb = bytes(100 * MIB)
    assert len(zlib.compress(bomb)) < 128 << 10
    options = [("grpc.max_send_message_length", -1)]
    metadata = [("authorization", f"Bearer {tokens[0]}")]
    with grpc.secure_channel(served.address, grpc.ssl_channel_credentials(served.ca), options) as channel:
        call: Any = channel.stream_stream
        answers = call(UPLOAD)(iter([bomb]), metadata=metadata, timeout=PATIENCE, compression=algorithm)
        with pytest.raises(grpc.RpcError) as caught:
            list(answers)
    assert caught.value.code() is StatusCode.UNIMPLEMENTED
    assert peak() < 20 * MIB


def test_a_million_repeated_fields_cost_bounded_memory(
    served: Served, tokens: Sequence[str], epoch: TestEpoch, peak: Callable[[], int]
) -> None:
    flood = pb.UploadBatch(sequence=1, vouchers=[b""] * 1_000_000)
    with served.client(tokens[0]) as client:
        for _ in range(5):
            with refused("BATCH_TOO_LARGE"):
                upload(client, flood)
        good = pb.UploadBatch(sequence=1, vouchers=epoch.seal(["one"], "account 0"))
        assert upload(client, good) == 1
    assert peak() < 100 * MIB


@pytest.mark.parametrize("path", ["/tpsi.v1.TableService/GetManifest", "/tpsi.v1.VoucherService/WhoAmI", UPLOAD])
def test_a_million_unknown_fields_cost_bounded_memory(
    served: Served, tokens: Sequence[str], peak: Callable[[], int], path: str
) -> None:
    unknown = b"\xf8\x07\x01" * 1_000_000  # field 127, a number
    with served.channel() as channel:
        metadata = [("authorization", f"Bearer {tokens[0]}")]
        for _ in range(3):
            with refused("BATCH_TOO_LARGE"):
                raw_call(channel, path, unknown, metadata)
    assert peak() < 50 * MIB


def test_messages_nested_without_end_are_refused(
    served: Served, tokens: Sequence[str], peak: Callable[[], int]
) -> None:
    nested = b"\x0b" * 1_000_000  # a million groups, one in the other
    few = b"\x0b" * 60_000
    with served.channel() as channel:
        metadata = [("authorization", f"Bearer {tokens[0]}")]
        with refused("BATCH_TOO_LARGE"):
            raw_call(channel, UPLOAD, nested, metadata)
        with refused("INVALID_REQUEST"):
            raw_call(channel, UPLOAD, few, metadata)
    assert peak() < 50 * MIB


def test_the_largest_messages_of_many_at_once_cost_bounded_memory(
    served: Served, tokens: Sequence[str], peak: Callable[[], int]
) -> None:
    flood = [pb.UploadBatch(sequence=n, vouchers=[bytes(MIB - 64)] * 4) for n in range(20)]
    with ExitStack() as stack, ThreadPoolExecutor(ACCOUNTS) as pool:
        clients = [stack.enter_context(served.client(token)) for token in tokens]
        stored = list(pool.map(lambda client: upload(client, *flood), clients))
    assert stored == [0] * ACCOUNTS  # they are no vouchers
    # what is held is there as a message and as vouchers; and each call has one more in the hands of gRPC
    assert peak() < 2 * (limits.HELD_OCTETS + limits.WAITING_OCTETS) + ACCOUNTS * 2 * limits.MAX_MESSAGE


def test_messages_of_callers_without_a_token_are_not_read(served: Served, peak: Callable[[], int]) -> None:
    """Forty calls of one connection, each with the largest message that there is."""
    with served.channel() as channel:
        call: Any = channel.stream_stream
        method = call("/tpsi.v1.TableService/GetManifest")
        calls = [method(iter([bytes(4 * MIB)]), timeout=PATIENCE) for _ in range(40)]
        for one in calls:
            with refused("TOKEN_MISSING"):
                list(one)
    assert peak() < 40 * MIB


def test_many_idle_connections_and_calls_cost_bounded_memory(
    served: Served, tokens: Sequence[str], epoch: TestEpoch, peak: Callable[[], int]
) -> None:
    """Two hundred connections that say nothing, on which calls were begun and left."""
    with ExitStack() as stack:
        for number in range(200):
            options = [("grpc.use_local_subchannel_pool", 1)]
            credentials = grpc.ssl_channel_credentials(served.ca)
            channel = stack.enter_context(grpc.secure_channel(served.address, credentials, options))
            grpc.channel_ready_future(channel).result(PATIENCE)
            if number % 10 == 0:
                client = Client(channel, tokens[number % ACCOUNTS])
                held = client.vouchers.Upload(_nothing(stack))
                stack.callback(held.cancel)
        good = pb.UploadBatch(sequence=1, vouchers=epoch.seal(["two"], "account 5"))
        with served.client(tokens[5]) as client:
            assert upload(client, good) == 1
    assert peak() < 100 * MIB


def _nothing(stack: ExitStack) -> Iterator[pb.UploadBatch]:
    """No batch, until the end."""
    over = threading.Event()
    stack.callback(over.set)
    over.wait(PATIENCE)
    yield from ()
