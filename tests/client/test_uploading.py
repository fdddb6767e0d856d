"""Uploading: what is acknowledged is gone, what is not is kept, and the order tells nothing."""

import asyncio
from collections.abc import Callable
from inspect import signature
from pathlib import Path

import pytest

from tests.client.conftest import HASTE
from tests.client.epochs import first_epoch, sha256
from tests.client.fake_server import FakeServer, opened
from tpsi import CallerError, Header, Item, Synthetic, SyntheticMode
from tpsi_client import AsyncDevice, Choices, Device, ServiceError
from tpsi_client.service import Service
from tpsi_client.uploading import MAX_BATCH, MAX_BATCH_OCTETS
from tpsi_proto import tpsi_pb2 as pb

Enrol = Callable[..., Device]
SMALL = Choices(size_class=1)
#: Three batches, the last one a short one.
COUNT = 2 * MAX_BATCH + 20


def items(count: int, size: int = 10) -> list[Item]:
    """Items with as many octets of associated data."""
    return [Item(b"%d" % number, (sha256(b"item %d" % number),), bytes(size)) for number in range(count)]


@pytest.fixture
def loaded(enrol: Enrol) -> Device:
    """A device with small vouchers in its outbox."""
    device = enrol(SMALL)
    assert device.queue(items(COUNT)) == COUNT
    return device


def ids(vouchers: list[bytes]) -> list[bytes]:
    return [Header.decode(data).voucher_id for data in vouchers]


class TestDelivery:
    def test_everything_is_acknowledged_and_its_payload_gone(
        self, loaded: Device, server: FakeServer, home: Path
    ) -> None:
        assert loaded.upload().acknowledged == COUNT
        status = loaded.status()
        assert (status.queued, status.acknowledged, status.queued_octets) == (0, COUNT, 0)
        assert status.last_upload is not None
        loaded.close()
        content = (home / "outbox.sqlite3").read_bytes() + b"".join(p.read_bytes() for p in home.glob("*-wal"))
        assert not any(data[60:100] in content for data in server.behaviour.vouchers)

    def test_nothing_is_sent_twice(self, loaded: Device, server: FakeServer) -> None:
        loaded.upload()
        server.behaviour.batches.clear()
        assert loaded.upload().acknowledged == 0
        assert server.behaviour.batches == []

    def test_a_lost_acknowledgement_costs_a_repetition_and_nothing_else(
        self, loaded: Device, server: FakeServer
    ) -> None:
        server.behaviour.lose_acks = 2
        assert loaded.upload().acknowledged == COUNT
        sent = [voucher for batch in server.behaviour.batches for voucher in batch]
        assert len(sent) > len(set(sent)) == COUNT  # repeated ones are the same octets
        assert len(server.behaviour.stored) == COUNT

    def test_a_store_that_is_away_for_a_moment_is_waited_for(self, loaded: Device, server: FakeServer) -> None:
        server.behaviour.unavailable = 2
        assert loaded.upload().acknowledged == COUNT

    def test_when_patience_is_over_everything_is_still_there(self, loaded: Device, server: FakeServer) -> None:
        """gRPC may lose the server's reason, if it comes while the device is writing; what to do is the same."""
        server.behaviour.unavailable = 99
        with pytest.raises(ServiceError, match=r"can't store anything at the moment|broke off.*; try again later"):
            loaded.upload()
        assert (loaded.status().queued, loaded.status().acknowledged) == (COUNT, 0)
        server.behaviour.unavailable = 0
        assert loaded.upload().acknowledged == COUNT

    def test_progress_is_counted_up_to_the_end(self, loaded: Device, server: FakeServer) -> None:
        server.behaviour.lose_acks = 1
        steps: list[int] = []
        loaded.upload(progress=lambda _stage, done, total: steps.append(done))
        assert steps == sorted(steps)
        assert steps[-1] == COUNT

    def test_a_revoked_token_stops_at_once(self, loaded: Device, server: FakeServer) -> None:
        server.behaviour.token_reason = "TOKEN_REVOKED"
        with pytest.raises(ServiceError, match="revoked") as caught:
            loaded.upload()
        assert not caught.value.passing
        assert loaded.status().queued == COUNT

    def test_batches_stay_within_bounds(self, enrol: Enrol, server: FakeServer) -> None:
        device = enrol(Choices(size_class=21))  # 64 KiB each
        device.queue(items(40, 60_000))
        device.queue(items(2, 60_000))  # null vouchers are of the same size
        device.upload()
        assert len(server.behaviour.batches) > 2
        for batch in server.behaviour.batches:
            assert len(batch) <= MAX_BATCH
            assert sum(map(len, batch)) <= MAX_BATCH_OCTETS


class TestOrder:
    def test_vouchers_are_sent_in_the_order_of_their_random_ids(self, loaded: Device, server: FakeServer) -> None:
        loaded.upload()
        sent = ids([voucher for batch in server.behaviour.batches for voucher in batch])
        assert sent == sorted(sent)

    def test_the_two_vouchers_of_an_item_do_not_stand_together(self, enrol: Enrol, server: FakeServer) -> None:
        """In mode add a real voucher and a synthetic one are made at a time; neighbours would be a pair too often."""
        listed = tuple(sha256(b"item %d" % number) for number in range(400))
        server.behaviour.epochs = [first_epoch(listed, synthetic=Synthetic(SyntheticMode.ADD, 500_000))]
        device = enrol(Choices(modes=(SyntheticMode.ADD,), size_class=0))
        made = [device.queue([item]) for item in [Item(i.identifier, i.probes) for i in items(60)]]
        assert set(made) == {1, 2}
        together = device.seal([Item(b"%d" % n, (sha256(b"item %d" % n),)) for n in range(100, 300)])
        assert len(together) > 250
        device.upload()
        sent = [voucher for batch in server.behaviour.batches for voucher in batch]
        epoch = server.behaviour.epochs[0]
        assert opened(epoch, sent) == len(sent) == sum(made)
        assert ids(sent) == sorted(ids(sent))
        assert ids(together) == sorted(ids(together))


class TestRefused:
    @pytest.mark.parametrize("reason", [pb.VOUCHER_WRONG_EPOCH, pb.EPOCH_RETIRED])
    def test_vouchers_of_a_retired_epoch_are_kept_aside_and_not_sealed_again(
        self, loaded: Device, server: FakeServer, reason: int
    ) -> None:
        first = first_epoch()
        second = first.following()
        server.behaviour.refuse = lambda data: (
            reason if Header.decode(data).manifest_id == first.manifest.manifest_id else None
        )
        report = loaded.upload()
        name = pb.Reason.Name(reason)
        assert (report.acknowledged, report.refused) == (0, {name: COUNT})
        assert (loaded.status().queued, dict(loaded.status().refused)) == (0, {name: COUNT})
        server.behaviour.epochs.append(second)
        loaded.fetch()
        server.behaviour.batches.clear()
        assert loaded.upload().acknowledged == 0
        assert server.behaviour.batches == []
        # What is queued again for the same items is null: the new epoch sees nothing of them.
        loaded.queue(items(COUNT))
        loaded.upload()
        assert opened(second, server.behaviour.vouchers) == 0
        loaded.rescan()
        assert (loaded.status().refused, loaded.status().replaced) == ({}, COUNT)

    def test_refused_vouchers_can_be_sent_again_as_they_are(self, loaded: Device, server: FakeServer) -> None:
        server.behaviour.refuse = lambda _data: pb.EPOCH_RETIRED
        loaded.upload()
        server.behaviour.refuse = lambda _data: None
        sent = {voucher for batch in server.behaviour.batches for voucher in batch}
        assert loaded.upload(again=True).acknowledged == COUNT
        assert set(server.behaviour.vouchers) == sent
        assert loaded.status().refused == {}

    def test_one_refused_voucher_does_not_hold_up_the_others(self, loaded: Device, server: FakeServer) -> None:
        chosen: list[bytes] = []

        def refuse_first(data: bytes) -> int | None:
            if not chosen:
                chosen.append(data)
            return pb.VOUCHER_MALFORMED if data == chosen[0] else None

        server.behaviour.refuse = refuse_first
        report = loaded.upload()
        assert (report.acknowledged, report.refused) == (COUNT - 1, {"VOUCHER_MALFORMED": 1})

    def test_trouble_of_the_store_is_no_refusal(self, loaded: Device, server: FakeServer) -> None:
        refusals = iter([pb.STORE_UNAVAILABLE] * 5)
        server.behaviour.refuse = lambda _data: next(refusals, None)
        report = loaded.upload()
        assert (report.acknowledged, report.refused, loaded.status().queued) == (COUNT, {}, 0)

    def test_a_reason_that_only_newer_servers_know_loses_nothing(self, loaded: Device, server: FakeServer) -> None:
        server.behaviour.refuse = lambda _data: 999
        assert loaded.upload().refused == {"REASON_999": COUNT}
        server.behaviour.refuse = lambda _data: None
        assert loaded.upload(again=True).acknowledged == COUNT


class TestFalseAcknowledgements:
    """A server that acknowledges something else must not make the device forget a voucher."""

    @pytest.mark.parametrize(
        "falsify",
        [
            lambda ack: pb.BatchAck(sequence=ack.sequence + 7, stored=ack.stored),
            lambda ack: pb.BatchAck(sequence=ack.sequence, stored=ack.stored + 1),
            lambda ack: pb.BatchAck(sequence=ack.sequence, stored=0),
            lambda ack: pb.BatchAck(
                sequence=ack.sequence,
                stored=ack.stored - 1,
                refused=[pb.Refusal(index=5000, reason=pb.VOUCHER_MALFORMED)],
            ),
            lambda ack: pb.BatchAck(
                sequence=ack.sequence,
                stored=ack.stored - 2,
                refused=[pb.Refusal(index=0, reason=pb.EPOCH_RETIRED)] * 2,
            ),
        ],
        ids=["another batch", "too many", "too few", "no such voucher", "one voucher twice"],
    )
    def test_it_is_refused_and_nothing_is_forgotten(
        self, loaded: Device, falsify: Callable[[pb.BatchAck], pb.BatchAck], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        honest = Service.upload

        async def upload(self: Service, batches: object) -> object:
            async for ack in honest(self, batches):  # type: ignore[arg-type]
                yield falsify(ack)

        monkeypatch.setattr(Service, "upload", upload)
        with pytest.raises(ServiceError, match="acknowledges something else"):
            loaded.upload()
        assert (loaded.status().queued, loaded.status().acknowledged) == (COUNT, 0)

    def test_a_server_that_ends_the_call_early(self, loaded: Device, monkeypatch: pytest.MonkeyPatch) -> None:
        honest = Service.upload

        async def upload(self: Service, batches: object) -> object:
            async for ack in honest(self, batches):  # type: ignore[arg-type]
                yield ack
                return

        monkeypatch.setattr(Service, "upload", upload)
        assert loaded.upload().acknowledged == COUNT  # each attempt brought one batch forward


class TestAsync:
    async def everything(self, home: Path, folder: Path) -> tuple[int, int]:
        async with await AsyncDevice.open(home, patience=HASTE) as device:
            scanned = await device.scan(folder)
            seen = await device.status()
            sent, fetched = await asyncio.gather(device.upload(), device.fetch())
            assert (seen.queued, fetched.new) == (12, False)
            return scanned.vouchers, sent.acknowledged

    def test_the_same_awaited(self, enrol: Enrol, home: Path, folder: Path) -> None:
        enrol().close()
        assert asyncio.run(self.everything(home, folder)) == (12, 12)

    def test_both_faces_have_the_same_names_and_arguments(self) -> None:
        def names(face: type) -> dict[str, list[str]]:
            public = {name: value for name, value in vars(face).items() if name[0] != "_" and name != "local"}
            return {name: list(signature(value).parameters) for name, value in public.items() if callable(value)}

        assert names(Device) == names(AsyncDevice)
        assert {"open", "enrol"} <= vars(Device).keys() & vars(AsyncDevice).keys()

    def test_the_sync_face_says_what_to_use_inside_of_an_event_loop(self, device: Device) -> None:
        async def wrong() -> None:
            device.upload()

        with pytest.raises(CallerError, match="use AsyncDevice"):
            asyncio.run(wrong())

    def test_a_cancelled_scan_stops_and_keeps_what_it_stored(self, enrol: Enrol, home: Path, folder: Path) -> None:
        enrol().close()
        for number in range(300):
            (folder / f"more{number:03}.jpg").write_bytes((folder / "photo00.jpg").read_bytes())

        async def cancelled() -> int:
            async with await AsyncDevice.open(home) as device:
                seen = asyncio.Event()
                loop = asyncio.get_running_loop()

                def progress(*_: object) -> None:
                    loop.call_soon_threadsafe(seen.set)

                scan = asyncio.create_task(device.scan(folder, progress=progress))
                await seen.wait()
                scan.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await scan
                return (await device.status()).sealed

        stored = asyncio.run(cancelled())
        assert 0 < stored < 312
        with Device.open(home) as device:
            assert device.scan(folder).vouchers == 312 - stored


def test_the_database_is_written_durably(device: Device, home: Path) -> None:
    """WAL and full synchronisation are what 'durable' rests on."""
    from tpsi_client.state.database import Database

    database = Database(home / "outbox.sqlite3", create=False)
    with database.transaction() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA secure_delete").scalar() == 1
    database.close()
