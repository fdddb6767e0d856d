"""Errors of the server: a reason and a fixed text for the peer, everything else for the log."""

import logging
import re
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import grpc
import pytest

from tests.support.refusals import Refused, refused
from tests.support.server_data import TestEpoch
from tests.support.serving import Client
from tpsi_proto import tpsi_pb2 as pb
from tpsi_server import Reason, Runtime, StoreError
from tpsi_server.service.status import ANSWERS, RETRY_AFTER

SECRET = "postgres://user:hunter2@db\nline two"


def raising(error: Exception) -> Callable[..., NoReturn]:
    """A function that fails."""

    def fail(*_arguments: Any) -> NoReturn:
        raise error

    return fail


def incident_of(told: Refused, caplog: pytest.LogCaptureFixture) -> logging.LogRecord:
    """The entry of the log that a refusal names; its text must not be in what the peer was told."""
    assert "hunter2" not in told.text
    named = re.fullmatch(r"the server failed: incident ([0-9a-f]{12})", told.text)
    assert named is not None
    (entry,) = [record for record in caplog.records if named[1] in record.getMessage()]
    return entry


def test_every_reason_of_the_contract_has_an_answer() -> None:
    assert {str(reason) for reason in ANSWERS} == set(pb.Reason.keys()) - {"REASON_UNSPECIFIED"}
    assert {code for code, _ in ANSWERS.values()}.isdisjoint({grpc.StatusCode.OK, grpc.StatusCode.UNKNOWN})
    exhausted = {reason for reason, (code, _) in ANSWERS.items() if code is grpc.StatusCode.RESOURCE_EXHAUSTED}
    passing = {Reason.STORE_UNAVAILABLE, Reason.SHUTTING_DOWN, Reason.CALL_STALLED, Reason.LOG_UNSIGNED}
    passing.add(Reason.TABLE_NOT_HERE)
    assert set(RETRY_AFTER) == passing | exhausted


@pytest.mark.parametrize("error", [ValueError(SECRET), OSError(5, SECRET), AssertionError(SECRET)])
def test_an_unexpected_error_keeps_its_text_for_the_log(
    device: Client,
    runtime: Runtime,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
) -> None:
    with monkeypatch.context() as broken, refused("INTERNAL_ERROR") as told:
        broken.setattr(runtime.tables, "newest", raising(error))
        device.tables.GetManifest(pb.GetManifestRequest())
    assert told.code is grpc.StatusCode.INTERNAL
    entry = incident_of(told, caplog)
    assert entry.levelno == logging.ERROR
    assert entry.exc_info is not None
    assert entry.exc_info[1] is error
    assert device.tables.GetManifest(pb.GetManifestRequest()).signed_manifest


def test_an_unexpected_error_in_the_middle_of_a_stream_keeps_its_text_for_the_log(
    operator: Client, runtime: Runtime, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken_reveals(_name: str) -> Iterator[Any]:
        raise ValueError(SECRET)
        yield

    monkeypatch.setattr(runtime.store.reveals, "of_account", broken_reveals)
    with refused("INTERNAL_ERROR") as told:
        list(operator.operator.GetReveal(pb.GetRevealRequest(account="alice")))
    incident_of(told, caplog)


def test_a_store_that_fails_while_a_token_is_looked_up_asks_to_try_again(
    device: Client, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime.accounts, "authenticate", raising(StoreError(SECRET)))
    with refused("STORE_UNAVAILABLE") as told:
        device.vouchers.WhoAmI(pb.WhoAmIRequest())
    assert (told.code, told.retry_after) == (grpc.StatusCode.UNAVAILABLE, 5)
    assert "hunter2" not in told.text


def test_a_store_that_fails_to_commit_acknowledges_nothing_and_recovers(
    device: Client, runtime: Runtime, epoch: TestEpoch, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches = [pb.UploadBatch(sequence=1, vouchers=epoch.seal(range(3)))]
    with monkeypatch.context() as broken, refused("STORE_UNAVAILABLE") as told:
        broken.setattr(runtime.store.vouchers, "store", raising(StoreError(SECRET)))
        list(device.vouchers.Upload(iter(batches)))
    assert told.retry_after == 5
    assert [ack.stored for ack in device.vouchers.Upload(iter(batches))] == [3]


def test_an_ingest_that_was_closed_says_that_the_server_stops(
    device: Client, runtime: Runtime, epoch: TestEpoch
) -> None:
    runtime.ingest.close()
    with refused("SHUTTING_DOWN") as told:
        list(device.vouchers.Upload(iter([pb.UploadBatch(vouchers=epoch.seal(["one"]))])))
    assert told.retry_after == 5
