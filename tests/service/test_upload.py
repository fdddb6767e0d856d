"""The voucher service: batches, their acknowledgements, and vouchers that are not taken."""

import threading
from collections.abc import Iterable
from concurrent.futures import Future

import grpc
import pytest

from tests.service.conftest import Connect, Issue
from tests.support.refusals import refused
from tests.support.server_data import LIST_NAME, RETIRED, TestEpoch
from tests.support.serving import Client, ServerThread, raw_call
from tpsi_proto import tpsi_pb2 as pb
from tpsi_server import MAX_BATCH, DataFolder, Outcome, Role, Runtime, Store
from tpsi_server.service.limits import BATCHES_IN_FLIGHT, MAX_BATCH_BYTES, MAX_MESSAGE


def batch(sequence: int, vouchers: Iterable[bytes]) -> pb.UploadBatch:
    """A batch."""
    return pb.UploadBatch(sequence=sequence, vouchers=vouchers)


def upload(client: Client, *batches: pb.UploadBatch) -> list[pb.BatchAck]:
    """The acknowledgements of some batches."""
    return list(client.vouchers.Upload(iter(batches)))


def refusals(ack: pb.BatchAck) -> dict[int, str]:
    """The reasons of an acknowledgement by place."""
    return {refusal.index: pb.Reason.Name(refusal.reason) for refusal in ack.refused}


def received(runtime: Runtime, account: str = "alice") -> int:
    """How many vouchers of an account are stored."""
    record = runtime.store.accounts.find(account)
    assert record is not None
    return record.vouchers


def test_a_device_learns_its_account_and_list(device: Client) -> None:
    answer = device.vouchers.WhoAmI(pb.WhoAmIRequest())
    assert (answer.account, answer.list_name) == ("alice", LIST_NAME)


def test_batches_are_acknowledged_in_order_and_stored(device: Client, epoch: TestEpoch, runtime: Runtime) -> None:
    vouchers = epoch.seal(range(40))
    sequences = [7, 7, 0, 2**64 - 1, *range(16)]
    batches = [batch(sequence, vouchers[2 * i : 2 * i + 2]) for i, sequence in enumerate(sequences)]
    acks = upload(device, *batches)
    assert [ack.sequence for ack in acks] == sequences
    assert [(ack.stored, len(ack.refused)) for ack in acks] == [(2, 0)] * 20
    assert received(runtime) == 40


def test_an_empty_upload_ends_well(device: Client) -> None:
    assert upload(device) == []


def test_matching_and_other_vouchers_are_acknowledged_alike(device: Client, epoch: TestEpoch) -> None:
    listed, unlisted = epoch.seal(range(8)), epoch.seal([f"other {i}" for i in range(8)], seed="others")
    (first, second) = upload(device, batch(1, listed), batch(1, unlisted))
    assert first == second


def test_a_batch_sent_again_is_acknowledged_alike_and_stored_once(
    device: Client, epoch: TestEpoch, runtime: Runtime
) -> None:
    again = batch(1, epoch.seal(range(5)))
    (first, second) = upload(device, again, again)
    assert first == second == upload(device, again)[0]
    assert received(runtime) == 5


def test_a_malformed_voucher_stops_no_other_of_its_batch(device: Client, epoch: TestEpoch, runtime: Runtime) -> None:
    good = epoch.seal(range(4))
    cut, long, version = good[1][:-1], good[1] + b"\0", b"\2" + good[1][1:]
    (ack,) = upload(device, batch(3, [good[0], cut, b"", good[2], long, version, b"x" * 40, good[3]]))
    assert refusals(ack) == dict.fromkeys((1, 2, 4, 5), "VOUCHER_MALFORMED") | {6: "VOUCHER_MALFORMED"}
    assert ack.stored == 3
    assert received(runtime) == 3


def test_the_reused_id_of_another_voucher_is_refused(device: Client, epoch: TestEpoch, runtime: Runtime) -> None:
    (first,) = epoch.seal(["one"], seed="same")
    (other,) = epoch.seal(["two"], seed="same")
    assert first[17:33] == other[17:33]
    assert first != other
    upload(device, batch(1, [first]))
    (ack,) = upload(device, batch(2, [other, first]))
    assert refusals(ack) == {0: "VOUCHER_ID_REUSED"}
    assert ack.stored == 1
    assert received(runtime) == 1


def test_two_accounts_may_use_the_same_id(device: Client, connect: Connect, issue: Issue, epoch: TestEpoch) -> None:
    upload(device, batch(1, epoch.seal(["one"], seed="same")))
    (ack,) = upload(connect(issue(account="bob")), batch(1, epoch.seal(["one"], "bob", seed="same")))
    assert (ack.stored, len(ack.refused)) == (1, 0)


def test_vouchers_of_retired_and_unknown_epochs_are_refused(
    device: Client, epoch: TestEpoch, folder: DataFolder
) -> None:
    good, *others = epoch.seal(range(3))
    names = TestEpoch.read(folder, RETIRED).manifest.manifest_id, bytes(16)
    old, foreign = (voucher[:1] + name + voucher[17:] for name, voucher in zip(names, others, strict=True))
    (ack,) = upload(device, batch(1, [old, good, foreign]))
    assert refusals(ack) == {0: "VOUCHER_WRONG_EPOCH", 2: "VOUCHER_WRONG_EPOCH"}
    assert ack.stored == 1


def test_an_empty_batch_ends_the_upload_after_the_acknowledgements_before_it(
    device: Client, epoch: TestEpoch, runtime: Runtime
) -> None:
    vouchers = epoch.seal(range(3))
    acks = device.vouchers.Upload(iter([batch(1, vouchers[:1]), batch(2, []), batch(3, vouchers[1:])]))
    assert next(acks).stored == 1
    with refused("BATCH_EMPTY") as told:
        next(acks)
    assert told.code is grpc.StatusCode.INVALID_ARGUMENT
    assert received(runtime) == 1


def test_the_largest_batch_is_taken(device: Client, epoch: TestEpoch) -> None:
    vouchers = epoch.seal(range(10))
    (ack,) = upload(device, batch(1, (vouchers * 103)[:MAX_BATCH]))
    assert ack.stored == MAX_BATCH


def test_a_batch_of_too_many_vouchers_is_refused(device: Client, epoch: TestEpoch, runtime: Runtime) -> None:
    (voucher,) = epoch.seal(["one"])
    with refused("BATCH_TOO_LARGE") as told:
        upload(device, batch(1, [voucher] * (MAX_BATCH + 1)))
    assert told.code is grpc.StatusCode.INVALID_ARGUMENT
    assert received(runtime) == 0


def test_a_batch_of_too_many_octets_is_refused(device: Client) -> None:
    with refused("BATCH_TOO_LARGE"):
        upload(device, batch(1, [bytes(MAX_BATCH_BYTES), b"x"]))


def test_a_message_beyond_all_bounds_is_not_read(device: Client) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        upload(device, batch(1, [bytes(MAX_MESSAGE)]))
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_a_million_empty_vouchers_are_refused(device: Client, epoch: TestEpoch) -> None:
    with refused("BATCH_TOO_LARGE"):
        upload(device, batch(1, [b""] * 1_000_000))
    assert upload(device, batch(1, epoch.seal(["one"])))[0].stored == 1


def test_a_message_that_is_no_protocol_buffer_is_refused(server: ServerThread, issue: Issue) -> None:
    metadata = [("authorization", f"Bearer {issue()}")]
    with server.served.channel() as channel, refused("INVALID_REQUEST") as told:
        raw_call(channel, "/tpsi.v1.VoucherService/Upload", b"\xff" * 9, metadata)
    assert told.code is grpc.StatusCode.INVALID_ARGUMENT


def test_what_is_acknowledged_is_in_the_store_of_a_server_that_vanishes(
    device: Client, epoch: TestEpoch, folder: DataFolder
) -> None:
    """A second reader of the database sees the voucher the moment the acknowledgement is there."""
    with Store.open(folder.database) as store:
        for number, voucher in enumerate(epoch.seal(range(10)), 1):
            assert upload(device, batch(1, [voucher]))[0].stored == 1
            record = store.accounts.find("alice")
            assert record is not None
            assert record.vouchers == number


class HeldIngest:
    """Takes batches and stores none until it is told to."""

    failing = False

    def __init__(self) -> None:
        self.futures: list[Future[list[Outcome]]] = []
        self.came = threading.Semaphore(0)

    def submit(self, account: str, vouchers: list[bytes]) -> Future[list[Outcome]]:
        self.futures.append(Future())
        self.came.release()
        return self.futures[-1]

    def close(self) -> None:
        """Nothing is left to do."""


@pytest.fixture
def held(runtime: Runtime) -> HeldIngest:
    """A store that has stalled: in place before the server starts."""
    runtime.ingest.close()
    ingest = HeldIngest()
    runtime.ingest = ingest  # type: ignore[assignment]
    return ingest


def test_no_batch_is_acknowledged_before_it_is_stored_and_few_wait_in_memory(
    held: HeldIngest, device: Client, epoch: TestEpoch
) -> None:
    (voucher,) = epoch.seal(["one"])
    acks = device.vouchers.Upload(batch(i, [voucher]) for i in range(100))
    first: list[pb.BatchAck] = []
    reader = threading.Thread(target=lambda: first.append(next(acks)))
    reader.start()
    for _ in range(BATCHES_IN_FLIGHT):
        assert held.came.acquire(timeout=10)
    assert not held.came.acquire(timeout=0.3)
    assert first == []
    held.futures[0].set_result([Outcome()])
    reader.join(10)
    assert [ack.sequence for ack in first] == [0]
    assert held.came.acquire(timeout=10)
    acks.cancel()


def test_a_device_that_goes_away_does_not_take_its_batch_back(
    held: HeldIngest, device: Client, epoch: TestEpoch, server: ServerThread
) -> None:
    acks = device.vouchers.Upload(iter([batch(1, epoch.seal(["one"]))]))
    assert held.came.acquire(timeout=10)
    acks.cancel()
    server.stop()  # all calls have ended
    assert not held.futures[0].cancelled()
    held.futures[0].set_result([Outcome()])


def test_a_token_revoked_in_the_middle_of_an_upload_stops_it(
    connect: Connect, runtime: Runtime, epoch: TestEpoch
) -> None:
    issued = runtime.accounts.issue(Role.DEVICE, "alice")
    client = connect(issued.token.reveal().decode())
    go_on = threading.Event()
    vouchers = epoch.seal(range(2))

    def batches() -> Iterable[pb.UploadBatch]:
        yield batch(1, vouchers[:1])
        go_on.wait(10)
        yield batch(2, vouchers[1:])

    acks = client.vouchers.Upload(batches())
    assert next(acks).stored == 1
    runtime.accounts.revoke_token(issued.token_id)
    go_on.set()
    with refused("TOKEN_REVOKED"):
        next(acks)
    assert received(runtime) == 1
