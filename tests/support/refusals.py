"""What a test expects of a refused call."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2  # type: ignore[import-untyped]
from grpc_status import rpc_status


@dataclass
class Refused:
    """What was told to the caller of a call that was refused."""

    code: grpc.StatusCode = grpc.StatusCode.OK
    text: str = ""
    retry_after: int | None = None


@contextmanager
def refused(reason: str) -> Iterator[Refused]:
    """A block in which a call is refused with one reason of the contract."""
    told = Refused()
    with pytest.raises(grpc.RpcError) as caught:
        yield told
    call: Any = caught.value
    told.code, told.text = call.code(), call.details()
    status = rpc_status.from_call(call)
    assert status is not None, f"{told.code}: {told.text}"
    assert status.message == told.text
    info, retry = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
    assert status.details[0].Unpack(info)
    assert (info.domain, info.reason) == ("tpsi.v1", reason)
    for detail in status.details[1:]:
        assert detail.Unpack(retry)
        told.retry_after = retry.retry_delay.seconds
