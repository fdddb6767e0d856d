"""Too much of everything: what is refused, with which reason, and that others go on."""

import asyncio
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc import StatusCode

from tests.service.conftest import Connect, Issue
from tests.support.refusals import refused
from tests.support.server_data import TestEpoch, wait_for
from tests.support.serving import PATIENCE, Client, ServerThread
from tpsi_proto import tpsi_pb2 as pb
from tpsi_server import RefusedError, Runtime
from tpsi_server.ingest import MAX_BATCH, Outcome
from tpsi_server.service import limits
from tpsi_server.service.overload import Budget, Pace, Turnstile
from tpsi_server.store import Allowance

MIB = 1 << 20


def batch(vouchers: list[bytes], sequence: int = 1) -> pb.UploadBatch:
    """A batch."""
    return pb.UploadBatch(sequence=sequence, vouchers=vouchers)


def upload(client: Client, *batches: pb.UploadBatch) -> int:
    """How many vouchers of some batches are stored."""
    return sum(ack.stored for ack in client.vouchers.Upload(iter(batches)))


def limit(runtime: Runtime, account: str, **values: int) -> None:
    """Set an account's limits."""
    assert runtime.store.quotas.limit(account, values)


def received(runtime: Runtime, account: str = "alice") -> int:
    """How many vouchers of an account are stored."""
    record = runtime.store.accounts.find(account)
    assert record is not None
    return record.vouchers


# ---------------------------------------------------------------- quotas and rates


def test_vouchers_beyond_the_quota_are_refused_and_what_is_stored_stays_acknowledged(
    device: Client, runtime: Runtime, epoch: TestEpoch
) -> None:
    vouchers = epoch.seal(range(12))
    limit(runtime, "alice", vouchers=10)
    assert upload(device, batch(vouchers[:8])) == 8
    with refused("QUOTA_EXCEEDED") as told:
        upload(device, batch(vouchers[8:]))
    assert (told.code, told.retry_after) == (StatusCode.RESOURCE_EXHAUSTED, 3600)
    assert received(runtime) == 8
    assert upload(device, batch(vouchers[8:10])) == 2
    assert upload(device, batch(vouchers[:10])) == 10, "what was stored is acknowledged again, quota or not"
    limit(runtime, "alice", vouchers=0)
    assert upload(device, batch(vouchers[8:])) == 4


def test_octets_of_a_day_beyond_the_quota_are_refused_until_the_next_day(
    device: Client, runtime: Runtime, epoch: TestEpoch, monkeypatch: pytest.MonkeyPatch
) -> None:
    vouchers = epoch.seal(range(6))
    limit(runtime, "alice", octets_a_day=4 * len(vouchers[0]))
    monkeypatch.setattr(runtime.ingest, "_clock", lambda: 86_400.0 * 20_000 + 86_000)
    assert upload(device, batch(vouchers[:4])) == 4
    with refused("QUOTA_EXCEEDED") as told:
        upload(device, batch(vouchers[4:]))
    assert told.retry_after == 400
    monkeypatch.setattr(runtime.ingest, "_clock", lambda: 86_400.0 * 20_001)
    assert upload(device, batch(vouchers[4:])) == 2


def test_the_quota_of_one_account_is_not_anothers(
    device: Client, connect: Connect, issue: Issue, runtime: Runtime, epoch: TestEpoch
) -> None:
    limit(runtime, "alice", vouchers=1)
    bob = connect(issue(account="bob"))
    with ThreadPoolExecutor(2) as pool:
        theirs = pool.submit(upload, bob, batch(epoch.seal(range(5), "bob")))
        with refused("QUOTA_EXCEEDED"):
            upload(device, batch(epoch.seal(range(5))))
        assert theirs.result(PATIENCE) == 5
    assert (received(runtime), received(runtime, "bob")) == (0, 5)


def test_the_settings_of_the_server_hold_for_accounts_without_their_own(
    device: Client, connect: Connect, issue: Issue, runtime: Runtime, epoch: TestEpoch
) -> None:
    runtime.store.vouchers.allowance = Allowance(vouchers=3)
    limit(runtime, "bob", vouchers=0)
    with refused("QUOTA_EXCEEDED"):
        upload(device, batch(epoch.seal(range(4))))
    assert upload(connect(issue(account="bob")), batch(epoch.seal(range(4), "bob"))) == 4


def test_many_uploads_at_once_do_not_get_past_a_quota(
    connect: Connect, issue: Issue, runtime: Runtime, epoch: TestEpoch
) -> None:
    limit(runtime, "alice", vouchers=10)
    batches = [batch(epoch.seal([f"{n} {i}" for i in range(3)], seed=f"{n}")) for n in range(8)]
    clients = [connect(issue()) for _ in batches]
    with ThreadPoolExecutor(8) as pool:
        results = [pool.submit(upload, client, one) for client, one in zip(clients, batches, strict=True)]
    errors = [result.exception() for result in results]
    assert errors.count(None) == 3
    assert received(runtime) == 9


def test_who_is_too_fast_is_slowed_down_and_who_is_much_too_fast_is_refused(
    device: Client, runtime: Runtime, epoch: TestEpoch, server: ServerThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server.service.vouchers._pace, "_clock", lambda: 0.0)  # however slow this machine is
    limit(runtime, "alice", vouchers_a_second=10)  # 50 at once, and 50 more if they wait
    vouchers = epoch.seal(range(64))
    assert upload(device, batch(vouchers[:50])) == 50
    start = time.monotonic()
    assert upload(device, batch(vouchers[50:60])) == 10
    assert time.monotonic() - start > 0.9
    with refused("RATE_LIMITED") as told:
        upload(device, batch(vouchers * 2))
    assert told.code is StatusCode.RESOURCE_EXHAUSTED
    assert told.retry_after == 13  # and 0.8: 188 in steps of a tenth of a second, 5 seconds ahead


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_pace_lets_some_come_at_once_and_the_others_in_step() -> None:
    clock = Clock()
    pace = Pace(ahead=2.0, patience=3.0, clock=clock)
    assert pace.wait("a", 20, 10) == 0
    assert pace.wait("a", 10, 10) == pytest.approx(1.0)
    assert pace.wait("b", 20, 10) == 0
    with pytest.raises(RefusedError) as told:
        pace.wait("a", 30, 10)
    assert told.value.retry_after == pytest.approx(4.0)
    assert pace.wait("a", 20, 10) == pytest.approx(3.0)  # what was refused did not count
    clock.now += 100
    assert pace.wait("a", 20, 10) == 0
    assert pace.wait("a", 10**6, 0) == 0


def test_a_pace_lets_a_batch_through_that_is_too_large_for_any_moment_and_makes_up_for_it() -> None:
    """Batches of 256 at two a second: refused each time, a device would try for ever."""
    clock = Clock()
    pace, taken, start = Pace(ahead=5.0, patience=5.0, clock=clock), 0, clock.now
    for _ in range(1000):
        try:
            clock.now += pace.wait("a", 256, 2)
        except RefusedError as refusal:
            clock.now += refusal.retry_after or 0.0
        else:
            taken += 256
    assert taken >= 256 * 400
    assert taken - 256 <= 2 * (clock.now - start)


def test_a_pace_forgets_names_at_rest() -> None:
    clock = Clock()
    pace = Pace(1.0, 1.0, clock)
    for number in range(30_000):
        pace.wait(str(number), 1, 10)
        clock.now += 0.001
    assert len(pace._due) <= 10_001


# ---------------------------------------------------------------- places and room


def test_uploads_of_one_account_are_bounded_and_others_have_their_own(
    connect: Connect, issue: Issue, epoch: TestEpoch
) -> None:
    end = threading.Event()

    def batches() -> Iterator[pb.UploadBatch]:
        yield batch(epoch.seal(["one"]))
        end.wait(PATIENCE)

    token = issue()
    held = [connect(token).vouchers.Upload(batches()) for _ in range(limits.UPLOADS_AN_ACCOUNT)]
    for acks in held:
        assert next(acks).stored == 1
    with refused("TOO_MANY_CALLS") as told:
        upload(connect(issue()), batch(epoch.seal(["two"])))
    assert told.code is StatusCode.RESOURCE_EXHAUSTED
    assert told.retry_after == 5
    assert upload(connect(issue(account="bob")), batch(epoch.seal(["three"], "bob"))) == 1
    end.set()
    for acks in held:
        assert list(acks) == []
    assert upload(connect(issue()), batch(epoch.seal(["two"], seed="two"))) == 1


def test_a_turnstile_counts_those_inside() -> None:
    turnstile = Turnstile(2)
    with turnstile.passing("a"), turnstile.passing("a"), turnstile.passing("b"):
        assert len(turnstile) == 3
        with pytest.raises(RefusedError), turnstile.passing("a"):
            raise AssertionError("a third one came through")
    assert len(turnstile) == 0


def test_a_budget_is_given_out_in_order_and_bounded() -> None:
    async def run() -> None:
        budget = Budget(10, 8)
        await budget.take("a", 8)
        first, second = asyncio.ensure_future(budget.take("b", 6)), asyncio.ensure_future(budget.take("c", 2))
        await asyncio.sleep(0)
        assert not first.done()
        assert not second.done(), "the smaller one does not overtake"
        with pytest.raises(RefusedError):
            await budget.take("d", 1)
        first.cancel()
        await asyncio.sleep(0.01)
        assert second.done()
        budget.give_back("a", 8)
        budget.give_back("c", 2)
        assert budget.held == 0
        await budget.take("a", 1000)  # what is larger than all there is takes all there is
        assert budget.held == 10
        budget.give_back("a", 1000)
        assert budget.held == 0

    asyncio.run(run())


def test_an_account_that_asks_for_everything_is_passed_over_by_others() -> None:
    """Eight uploads of one account, each with four of the largest batches: whoever came next waited for them all."""

    async def run() -> None:
        budget = Budget(40, 40)
        greedy = [asyncio.ensure_future(budget.take("greedy", 4)) for _ in range(6)]
        await asyncio.sleep(0)
        assert [one.done() for one in greedy] == [True, True, False, False, True, True]
        assert isinstance(greedy[4].exception(), RefusedError)
        for number in range(7):
            await asyncio.wait_for(budget.take(f"other {number}", 4), PATIENCE)
        assert budget.held == 36
        budget.give_back("greedy", 4)
        await asyncio.sleep(0)
        assert greedy[2].done()
        greedy[3].cancel()
        await asyncio.gather(*greedy, return_exceptions=True)

    asyncio.run(run())


class HeldIngest:
    """Takes batches and stores none until it is told to."""

    failing = False

    waiting = 0

    def __init__(self) -> None:
        self.futures: list[Future[list[Outcome]]] = []

    def submit(self, account: str, vouchers: list[bytes]) -> Future[list[Outcome]]:
        self.futures.append(Future())
        return self.futures[-1]

    def close(self) -> None:
        """Nothing is left to do."""


@pytest.fixture
def stalled(runtime: Runtime) -> HeldIngest:
    """A store that has stalled: in place before the server starts."""
    runtime.ingest.close()
    ingest = HeldIngest()
    runtime.ingest = ingest  # type: ignore[assignment]
    return ingest


def test_batches_that_find_no_room_wait_and_beyond_that_are_refused(
    stalled: HeldIngest, server: ServerThread, connect: Connect, issue: Issue, runtime: Runtime
) -> None:
    """A store that has stalled costs so much memory and no more, whoever goes on sending."""
    server.service.vouchers.budget = Budget(10 * MIB, 4 * MIB)
    for number in range(8):
        runtime.accounts.create(f"flood {number}")
    with ThreadPoolExecutor(8) as pool:
        floods = [
            pool.submit(upload, connect(issue(account=f"flood {number}")), *[batch([bytes(2 * MIB)])] * 6)
            for number in range(8)
        ]
        wait_for(lambda: any(flood.done() for flood in floods))
        with refused("OVERLOADED") as told:
            next(flood for flood in floods if flood.done()).result()
        assert (told.code, told.retry_after) == (StatusCode.RESOURCE_EXHAUSTED, 5)
        assert server.service.vouchers.budget.held <= 10 * MIB
        assert len(stalled.futures) <= 5
        while not all(flood.done() for flood in floods):
            for future in stalled.futures:
                if not future.done():
                    future.set_result([Outcome()])
            time.sleep(0.01)
    wait_for(lambda: server.service.vouchers.budget.held == 0)


# ---------------------------------------------------------------- those who are slow


def test_an_upload_that_sends_nothing_is_ended(
    device: Client, epoch: TestEpoch, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, end = batch(epoch.seal(["one"])), threading.Event()

    def batches() -> Iterator[pb.UploadBatch]:
        yield first
        end.wait(PATIENCE)

    monkeypatch.setattr(limits, "STALLED", 1.0)
    acks = device.vouchers.Upload(batches())
    assert next(acks).stored == 1
    with refused("CALL_STALLED") as told:
        next(acks)
    assert told.code is StatusCode.DEADLINE_EXCEEDED
    end.set()


def test_an_upload_that_waits_for_the_store_is_not_ended(
    stalled: HeldIngest, device: Client, epoch: TestEpoch, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, end = batch(epoch.seal(["one"])), threading.Event()

    def batches() -> Iterator[pb.UploadBatch]:
        yield first
        end.wait(PATIENCE)

    monkeypatch.setattr(limits, "STALLED", 1.0)
    acks = device.vouchers.Upload(batches())
    wait_for(lambda: stalled.futures)
    time.sleep(2.5)
    stalled.futures[0].set_result([Outcome()])
    assert next(acks).stored == 1
    end.set()


def test_a_download_that_is_not_read_is_ended(
    device: Client, epoch: TestEpoch, server: ServerThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "STALLED", 1.0)
    sent: list[int] = []

    async def endless(_path: Path, _offset: int, _size: int) -> Any:
        while True:
            sent.append(1)
            yield 0, bytes(65_536)

    monkeypatch.setattr("tpsi_server.service.tables._pieces", endless)
    pieces = device.tables.DownloadTable(pb.DownloadTableRequest(manifest_digest=epoch.manifest.digest))
    next(pieces)
    wait_for(lambda: pieces.code() is not None if pieces.done() else _still(sent))
    assert len(sent) * 65_536 < 64 * MIB, "what is not read is not kept in memory"
    with pytest.raises(grpc.RpcError) as caught:
        for _ in pieces:
            pass
    assert caught.value.code() is StatusCode.DEADLINE_EXCEEDED


def _still(sent: list[int]) -> bool:
    """Whether nothing has been sent for a second."""
    before = len(sent)
    time.sleep(1.0)
    return len(sent) == before


def test_a_batch_of_many_vouchers_is_counted_before_they_are_looked_at(
    device: Client, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at: list[bytes] = []
    monkeypatch.setattr(runtime.ingest, "_judge", looked_at.append)
    with refused("BATCH_TOO_LARGE"):
        upload(device, batch([b"x"] * (MAX_BATCH + 1)))
    assert looked_at == []
