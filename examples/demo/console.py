"""The reviewer's window on the server: accounts with their counts, and reveals, asked for over gRPC with TLS."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

import grpc

from examples.demo.errors import DemoError
from examples.demo.outcome import Seen
from examples.demo.waiting import until
from tpsi import Photograph
from tpsi_proto import tpsi_pb2 as pb
from tpsi_proto.tpsi_pb2_grpc import OperatorServiceStub

#: Seconds for a call.
_TIMEOUT = 20.0


class Console:
    """A connection with a reviewer's token; use it in a `with` block. Calls raise DemoError."""

    def __init__(self, address: str, authority: bytes, token: str) -> None:
        credentials = grpc.ssl_channel_credentials(authority)
        # the server is on this machine: a proxy that the environment names could not reach it
        self._channel = grpc.secure_channel(address, credentials, [("grpc.enable_http_proxy", 0)])
        self._calls: Any = OperatorServiceStub(self._channel)  # type: ignore[no-untyped-call]
        self._options: dict[str, Any] = {
            "timeout": _TIMEOUT,
            "metadata": (("authorization", f"Bearer {token}"),),
            "wait_for_ready": True,
        }

    def accounts(self) -> dict[str, Seen]:
        """What the server has of every account."""
        with _explained():
            answer = self._calls.ListAccounts(pb.ListAccountsRequest(), **self._options)
            return {one.name: Seen(one.vouchers, one.opened, one.revealed, one.flagged) for one in answer.accounts}

    def accounts_when(self, expected: Callable[[dict[str, Seen]], bool]) -> dict[str, Seen]:
        """The same as soon as matching has come as far as expected; if it never does, what there is in the end."""
        last: dict[str, Seen] = {}

        def arrived() -> bool:
            last.update(self.accounts())
            return expected(last)

        until(arrived)
        return last

    def reveal(self, name: str) -> list[bytes]:
        """The small pictures that were revealed of an account; none at all up to the threshold."""
        with _explained():
            items = self._calls.GetReveal(pb.GetRevealRequest(account=name), **self._options)
            return [Photograph.decode(item.associated_data).derivative for item in items]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._channel.close()


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except grpc.RpcError as error:
        raise DemoError(f"the server refused the reviewer's call: {error}".splitlines()[0]) from None
