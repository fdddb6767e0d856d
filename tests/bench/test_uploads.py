"""End to end: a real server acknowledges every voucher, and what it does not acknowledge is noticed."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench import uploads
from bench.errors import BenchError
from bench.serving import prepare, serving
from bench.settings import QUICK, SUITES
from bench.uploads import Upload, measure_uploads
from tpsi_proto import tpsi_pb2 as pb

RISTRETTO = SUITES["ristretto255"]


def test_all_vouchers_are_acknowledged_stored_and_matched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(uploads, "FOLDER", tmp_path / "out")
    setting = replace(QUICK, repeats=1, upload=10, upload_batch=4, associated=(100,))
    (found,) = measure_uploads([RISTRETTO], ["fuse"], setting, lambda *_told: None)
    assert (found.suite, found.table, found.vouchers, found.batch) == (RISTRETTO, "fuse", 10, 4)
    assert 0 < found.seconds[0] <= found.matched_seconds[0]
    assert found.store_seconds[0] > 0
    assert list((tmp_path / "out").iterdir()) == []


def test_rates_are_the_vouchers_over_the_seconds_of_each_round() -> None:
    upload = Upload(RISTRETTO, "fuse", 0, 288, 100, 10, (1.0, 2.0, 4.0), (0.5, 1.0, 1.0), (2.0, 4.0, 8.0))
    assert upload.rate.median == 50
    assert upload.store_rate.median == 100
    assert upload.matched_rate.median == 25
    assert upload.ratio.median == 0.5


def test_every_round_sends_other_voucher_ids() -> None:
    sealed = [bytes([1]) + bytes(16) + bytes(range(16)) + bytes(4) + b"\0\1" + b"\0" + bytes(200)]
    setting = replace(QUICK, upload=7, upload_batch=3)
    sent = [list(uploads._batches(sealed, setting)) for _ in range(2)]
    assert [len(batch) for batch in sent[0]] == [3, 3, 1]
    vouchers = [voucher for batches in sent for batch in batches for voucher in batch]
    assert len(set(vouchers)) == 14
    assert {len(voucher) for voucher in vouchers} == {len(sealed[0])}


def test_a_voucher_that_is_not_acknowledged_is_an_error() -> None:
    class Lossy:
        async def upload(self, batches: AsyncIterator[pb.UploadBatch]) -> AsyncIterator[pb.BatchAck]:
            async for batch in batches:
                yield pb.BatchAck(sequence=batch.sequence, stored=len(batch.vouchers) - 1)

    service: Any = Lossy()
    with pytest.raises(BenchError, match="acknowledged 8 vouchers of 10"):
        asyncio.run(uploads._upload(service, [[b"v"] * 5, [b"v"] * 5]))


def test_a_server_that_does_not_start_gives_its_last_words(tmp_path: Path) -> None:
    prepared = prepare(tmp_path / "server", [(RISTRETTO, "fuse")], 5)
    prepared.folder.server_file.write_text("damaged")
    with pytest.raises(BenchError, match=r"did not start: .*damaged"), serving(prepared.folder):
        pass
