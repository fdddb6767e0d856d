"""What honest uploads feel of a flood: `python -m tests.service.overload`

A real server in a process of its own; one honest account that uploads a batch, waits for the acknowledgement, and
again; and beside it, in another process of lower priority, each kind of flood in turn. Prints the honest 50th and 99th
percentile under each, the 99th alone (measured right before and right after), their ratio, and the most memory that
the server had until then. Needs a quiet machine: whatever else runs shows in the 99th percentile.
"""

import argparse
import multiprocessing
import os
import selectors
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import grpc
import numpy as np

from tests.support.server_data import TestEpoch, make_data_folder, wait_for
from tests.support.server_process import ServerProcess
from tests.support.serving import PATIENCE, Client, Served
from tpsi_proto import tpsi_pb2 as pb
from tpsi_server import DataFolder, Role, Runtime

UPLOAD = "/tpsi.v1.VoucherService/Upload"
BATCH = 32
MIB = 1 << 20
#: Connections that one process makes: each has a thread's worth of work for its handshake.
CONNECTIONS_A_PROCESS = 250
#: Seconds that a thousand connections may take to be made.
MAKING = 180.0


@dataclass(frozen=True)
class Crowd:
    """The connections of one flooding process, until `stop`; `made` counts those of all."""

    connections: int
    stop: Any
    made: Any

    def count(self) -> None:
        """One more is in place."""
        with self.made.get_lock():
            self.made.value += 1


_Flood = Callable[[Served, str, Crowd], None]


def idle(served: Served, _token: str, crowd: Crowd) -> None:
    """Connections that say nothing."""
    with ExitStack() as stack:
        for _ in range(crowd.connections):
            stack.enter_context(_connected(served))
            crowd.count()
        crowd.stop.wait()


def slow(served: Served, token: str, crowd: Crowd) -> None:
    """Connections with an upload on each that was begun and left."""

    def nothing() -> Iterator[bytes]:
        crowd.stop.wait()
        yield from ()

    with ExitStack() as stack:
        for _ in range(crowd.connections):
            channel = stack.enter_context(_connected(served))
            call = _call(channel)(nothing(), metadata=_bearer(token))
            stack.callback(call.cancel)
            crowd.count()
        crowd.stop.wait()


def silent(served: Served, _token: str, crowd: Crowd) -> None:
    """Connections that do not even begin their handshake; who is cut off comes again."""
    host, port = served.address.rsplit(":", 1)
    with selectors.DefaultSelector() as open_ones:

        def connect() -> None:
            open_ones.register(socket.create_connection((host, int(port)), PATIENCE), selectors.EVENT_READ)

        for _ in range(crowd.connections):
            connect()
            crowd.count()
        while not crowd.stop.is_set():
            for key, _ in open_ones.select(0.5):  # nothing is ever said: it was cut off
                open_ones.unregister(key.fileobj)
                cast("socket.socket", key.fileobj).close()
                with suppress(OSError):
                    connect()


def oversized(served: Served, token: str, crowd: Crowd) -> None:
    """Messages beyond the limit, one after the other."""
    _again(served, token, crowd, bytes(8 * MIB))


def bombs(served: Served, token: str, crowd: Crowd) -> None:
    """Small messages that would be 64 MiB."""
    _again(served, token, crowd, bytes(64 * MIB), compression=grpc.Compression.Gzip)


def fields(served: Served, token: str, crowd: Crowd) -> None:
    """Messages of a million empty vouchers."""
    _again(served, token, crowd, b"\x12\0" * 1_000_000)


def garbage(served: Served, token: str, crowd: Crowd) -> None:
    """The largest batches that are read, of what are no vouchers."""
    _again(served, token, crowd, pb.UploadBatch(vouchers=[bytes(4000)] * 1024).SerializeToString())


FLOODS: dict[str, _Flood] = {flood.__name__: flood for flood in (silent, idle, slow, oversized, bombs, fields, garbage)}
#: Those of many connections, which are in place before anything is measured.
CROWDS = ("silent", "idle", "slow")


def _connected(served: Served) -> grpc.Channel:
    options = [("grpc.use_local_subchannel_pool", 1), ("grpc.max_send_message_length", -1)]
    channel = grpc.secure_channel(served.address, grpc.ssl_channel_credentials(served.ca), options)
    with suppress(grpc.FutureTimeoutError):
        grpc.channel_ready_future(channel).result(PATIENCE)
    return channel


def _call(channel: grpc.Channel) -> Any:
    method: Any = channel.stream_stream
    return method(UPLOAD)


def _bearer(token: str) -> Sequence[tuple[str, str]]:
    return [("authorization", f"Bearer {token}")]


def _again(served: Served, token: str, crowd: Crowd, message: bytes, **options: Any) -> None:
    with _connected(served) as channel:
        while not crowd.stop.is_set():
            with suppress(grpc.RpcError):
                list(_call(channel)(iter([message]), metadata=_bearer(token), timeout=PATIENCE, **options))


def _flood(name: str, served: Served, token: str, crowd: Crowd) -> None:
    """The life of another process."""
    os.nice(10)
    FLOODS[name](served, token, crowd)


@dataclass(frozen=True)
class Latency:
    """Seconds from a batch's sending to its acknowledgement."""

    median: float
    p99: float
    uploads: int

    @classmethod
    def of(cls, taken: Sequence[float]) -> "Latency":
        """What uploads that took so long come to."""
        return cls(float(np.median(taken)), float(np.quantile(taken, 0.99)), len(taken))


def honest(client: Client, epoch: TestEpoch, seconds: float, seed: str) -> list[float]:
    """Upload for so long, and say how long each batch took; everything has to be acknowledged."""
    names = [[f"{seed} {n} {i}" for i in range(BATCH)] for n in range(20)]
    sealed = [epoch.seal(some, "honest", seed=f"{seed} {n}") for n, some in enumerate(names)]
    taken: list[float] = []
    end = time.monotonic() + seconds
    while time.monotonic() < end or not taken:
        batch = pb.UploadBatch(sequence=1, vouchers=sealed[len(taken) % len(sealed)])
        start = time.perf_counter()
        (ack,) = client.vouchers.Upload(iter([batch]))
        taken.append(time.perf_counter() - start)
        if ack.stored != BATCH:
            raise RuntimeError("an honest upload was not taken")
    return taken


def prepared(path: Path) -> tuple[DataFolder, dict[str, str]]:
    """A server's folder, with tokens of an honest account and of a hostile one."""
    folder = make_data_folder(path)
    with Runtime(folder) as runtime:
        for name in ("honest", "hostile"):
            runtime.accounts.create(name)
        return folder, {
            name: runtime.accounts.issue(Role.DEVICE, name).token.reveal().decode() for name in ("honest", "hostile")
        }


@dataclass(frozen=True)
class Stage:
    """A server that runs, and who may talk to it."""

    served: Served
    tokens: dict[str, str]
    epoch: TestEpoch


def compare(name: str, stage: Stage, connections: int, seconds: float) -> tuple[Latency, Latency]:
    """Honest uploads alone, before a flood and after it, and under it."""
    served, tokens, epoch = stage.served, stage.tokens, stage.epoch
    context = multiprocessing.get_context("spawn")
    with served.client(tokens["honest"]) as client:
        honest(client, epoch, min(seconds, 0.5), f"warm {name}")
        alone = honest(client, epoch, seconds / 2, f"before {name}")
        stop, made = context.Event(), context.Value("i", 0)
        floods = [
            context.Process(
                target=_flood, args=(name, served, tokens["hostile"], Crowd(count, stop, made)), daemon=True
            )
            for count in _shares(name, connections)
        ]
        for flood in floods:
            flood.start()
        try:
            if name in CROWDS:
                wait_for(lambda: made.value == connections, MAKING)
            else:
                time.sleep(2.0)  # until it has got going
            under = honest(client, epoch, seconds, f"under {name}")
        finally:
            stop.set()
            for flood in floods:
                flood.join(PATIENCE)
                flood.kill()
        time.sleep(min(2.0, seconds))  # until the server has done with it
        alone += honest(client, epoch, seconds / 2, f"after {name}")
    return Latency.of(alone), Latency.of(under)


def _shares(name: str, connections: int) -> list[int]:
    """How many connections each of the flooding processes makes."""
    if name not in CROWDS:
        return [connections]
    full, rest = divmod(connections, CONNECTIONS_A_PROCESS)
    return [CONNECTIONS_A_PROCESS] * full + [rest] * (rest > 0)


def peak_memory(process: int) -> int:
    """The most octets of memory that a process has had, by its number."""
    lines = Path(f"/proc/{process}/status").read_text("ascii", "replace").splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM:"))


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.service.overload", description=__doc__)
    parser.add_argument("--connections", type=int, default=1000, help="idle or slow ones (default: 1000)")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each measurement (default: 20)")
    parser.add_argument("--flood", choices=sorted(FLOODS), action="append", help="this one alone")
    arguments = parser.parse_args()
    os.environ["GRPC_VERBOSITY"] = "NONE"  # the flooding processes would say each time that they were cut off
    with tempfile.TemporaryDirectory() as path:
        folder, tokens = prepared(Path(path) / "data")
        with ServerProcess(folder, "--workers", "0") as process:
            stage = Stage(process.served(), tokens, TestEpoch.read(folder))
            print(f"{'flood':12} {'p50 ms':>8} {'p99 ms':>8} {'alone':>8} {'ratio':>7} {'uploads':>8} {'MiB':>6}")
            for name in arguments.flood or FLOODS:
                alone, under = compare(name, stage, arguments.connections, arguments.seconds)
                figures = [1000 * seconds for seconds in (under.median, under.p99, alone.p99)]
                shown = " ".join(f"{figure:8.1f}" for figure in figures)
                memory = peak_memory(process.process.pid) >> 20
                print(f"{name:12} {shown} {under.p99 / alone.p99:7.2f} {under.uploads:8} {memory:6}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
