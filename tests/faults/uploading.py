"""Devices that upload and go on after whatever happens, and know what was acknowledged to them."""

import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

import grpc

from tests.faults.stage import ids_of
from tests.support.serving import Client, Served
from tpsi import Secret
from tpsi_proto import tpsi_pb2 as pb

BATCH = 4


class Uploader:
    """A device of one account with an outbox; one thread at a time uploads."""

    def __init__(self, token: Secret) -> None:
        self._token = token.reveal().decode()
        self.outbox: deque[bytes] = deque()
        self.acknowledged: set[bytes] = set()
        self.refused: list[str] = []
        self.broke_off = ""  # why the last call that did not end well did not

    def upload(self, served: Served) -> bool:
        """Send all that is in the outbox; False if the call broke off."""
        pending: deque[list[bytes]] = deque()
        vouchers = list(self.outbox)
        batches = [vouchers[start : start + BATCH] for start in range(0, len(vouchers), BATCH)]

        def requests() -> Iterator[pb.UploadBatch]:
            for number, batch in enumerate(batches):
                pending.append(batch)
                yield pb.UploadBatch(sequence=number, vouchers=batch)

        try:
            with served.channel() as channel:
                call: Any = Client(channel, self._token).vouchers.Upload(requests())
                for ack in call:
                    self._acknowledge(pending.popleft(), ack)
        except grpc.RpcError as error:
            self.broke_off = f"{error.code().name}: {error.details()}" if isinstance(error, grpc.Call) else str(error)
            return False
        return True

    def upload_all(self, served: Served, patience: float) -> None:
        """Upload until the outbox is empty, as a device does: with thousands of vouchers, an account has its pace."""
        deadline = time.monotonic() + patience
        while not self.upload(served):
            assert time.monotonic() < deadline, f"{len(self.outbox)} vouchers left: {self.broke_off}"
            time.sleep(0.5)

    def _acknowledge(self, batch: Sequence[bytes], ack: pb.BatchAck) -> None:
        assert ack.stored + len(ack.refused) == len(batch)
        self.refused += [pb.Reason.Name(one.reason) for one in ack.refused]
        self.acknowledged |= ids_of(list(batch))
        for one in batch:
            self.outbox.remove(one)


class Uploads:
    """Several devices that upload at the same time, in threads, until they are through or cut off."""

    def __init__(self, devices: Sequence[Uploader], served: Served) -> None:
        self._threads = [threading.Thread(target=one.upload, args=(served,)) for one in devices]
        for thread in self._threads:
            thread.start()

    def wait(self) -> None:
        """Wait until all have ended."""
        for thread in self._threads:
            thread.join()
