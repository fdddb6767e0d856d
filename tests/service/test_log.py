"""The log service: proofs that verify, bounds, and notices that come to their account alone and in time."""

import time
from collections.abc import Callable

import pytest

from tests.service.conftest import Connect, Issue
from tests.support.refusals import refused
from tests.support.server_data import NEWEST, THRESHOLD, TestEpoch
from tests.support.serving import Client
from tpsi import Secret
from tpsi.log import (
    Disclosure,
    History,
    ManifestEntry,
    Notice,
    OpeningEntry,
    PolicyEntry,
    RevealEntry,
    SignedCheckpoint,
    Tree,
    decode_entry,
    verify_consistency,
    verify_inclusion,
)
from tpsi.log.notice import voucher_digest
from tpsi.merkle import leaf_digest
from tpsi_proto import tpsi_pb2 as pb
from tpsi_server import Reason, RefusedError, Runtime
from tpsi_server.store import LogStore
from tpsi_server.transparency import GATHER


def checkpoint(client: Client, runtime: Runtime) -> SignedCheckpoint:
    signed = SignedCheckpoint.decode(client.log.GetCheckpoint(pb.GetCheckpointRequest()).checkpoint)
    signed.verify(runtime.identity.server_key, runtime.identity.list_id)
    return signed


def entries(client: Client) -> list[bytes]:
    return list(client.log.GetEntries(pb.GetEntriesRequest(start=0, count=1000)).entries)


def test_every_epoch_is_in_the_log_and_the_checkpoint_covers_it(
    device: Client, runtime: Runtime, epoch: TestEpoch
) -> None:
    found = checkpoint(device, runtime).checkpoint
    data = entries(device)
    assert (found.size, found.root) == (NEWEST, Tree(map(leaf_digest, data)).root())
    history = History()
    for one in data:
        history.add(decode_entry(one))
    assert history.epochs == [one.manifest.digest for one in runtime.tables.all()]
    entry = ManifestEntry(NEWEST, epoch.manifest.digest)
    answer = device.log.GetInclusionProof(pb.GetInclusionProofRequest(leaf_digest=entry.leaf, tree_size=found.size))
    verify_inclusion(entry.leaf, answer.index, found.size, found.root, list(answer.path))


def test_later_checkpoints_continue_earlier_ones(device: Client, runtime: Runtime) -> None:
    first = checkpoint(device, runtime).checkpoint
    runtime.store.log.set_notify_after(10, time.time())
    second = checkpoint(device, runtime).checkpoint
    assert second.size == first.size + 1
    request = pb.GetConsistencyProofRequest(first_size=first.size, second_size=second.size)
    path = list(device.log.GetConsistencyProof(request).path)
    verify_consistency(first.size, first.root, second.size, second.root, path)


def test_what_is_not_in_the_log_is_refused(device: Client) -> None:
    log = device.log
    unknown, beyond, senseless = "LOG_ENTRY_UNKNOWN", "LOG_OUT_OF_RANGE", "INVALID_REQUEST"
    last = leaf_digest(entries(device)[-1])
    cases: list[tuple[str, Callable[[], object]]] = [
        (unknown, lambda: log.GetInclusionProof(pb.GetInclusionProofRequest(leaf_digest=bytes(32), tree_size=3))),
        (unknown, lambda: log.GetInclusionProof(pb.GetInclusionProofRequest(leaf_digest=last, tree_size=2))),
        (beyond, lambda: log.GetInclusionProof(pb.GetInclusionProofRequest(leaf_digest=last, tree_size=4))),
        (senseless, lambda: log.GetInclusionProof(pb.GetInclusionProofRequest(leaf_digest=b"short", tree_size=3))),
        (beyond, lambda: log.GetConsistencyProof(pb.GetConsistencyProofRequest(first_size=1, second_size=2**64 - 1))),
        (senseless, lambda: log.GetConsistencyProof(pb.GetConsistencyProofRequest(first_size=3, second_size=2))),
        (beyond, lambda: log.GetEntries(pb.GetEntriesRequest(start=2**64 - 1, count=1))),
        (senseless, lambda: log.GetEntries(pb.GetEntriesRequest(start=0, count=1001))),
        (senseless, lambda: log.GetEntries(pb.GetEntriesRequest(start=0, count=0))),
    ]
    for reason, call in cases:
        with refused(reason):
            call()
    assert list(log.GetEntries(pb.GetEntriesRequest(start=3, count=1)).entries) == []


def reveal(runtime: Runtime, epoch: TestEpoch, account: str = "alice", seed: str = "device", extra: int = 1) -> None:
    """Bring an account over its threshold."""
    runtime.ingest.ingest(account, epoch.seal(range(THRESHOLD + extra), account, seed))
    runtime.match_all()
    assert list(runtime.store.reveals.of_account(account))


def test_without_the_setting_a_reveal_leaves_no_trace_in_the_log(
    device: Client, runtime: Runtime, epoch: TestEpoch
) -> None:
    reveal(runtime, epoch)
    assert len(entries(device)) == NEWEST
    assert list(device.log.GetNotices(pb.GetNoticesRequest()).notices) == []


def test_a_reveal_is_committed_to_at_once_and_opened_to_its_account_when_it_is_due(
    connect: Connect, issue: Issue, runtime: Runtime, epoch: TestEpoch
) -> None:
    alice, bob = connect(issue()), connect(issue(account="bob"))
    runtime.store.log.set_notify_after(3600, time.time())
    reveal(runtime, epoch)
    kinds = [type(decode_entry(one)) for one in entries(alice)]
    assert kinds[NEWEST:] == [PolicyEntry, RevealEntry]
    checkpoint(alice, runtime)
    assert list(alice.log.GetNotices(pb.GetNoticesRequest()).notices) == []
    runtime.store.log.open_due(time.time() + 3601)
    (told,) = alice.log.GetNotices(pb.GetNoticesRequest()).notices
    assert list(bob.log.GetNotices(pb.GetNoticesRequest()).notices) == []
    assert list(alice.log.GetNotices(pb.GetNoticesRequest(after=told.index + 1)).notices) == []
    entry = decode_entry(entries(alice)[told.index])
    assert isinstance(entry, RevealEntry)
    notice = Disclosure(told.index, Secret(told.opening), Notice.decode(told.notice)).verify(entry)
    ids = [one.voucher_id for one in runtime.store.reveals.of_account("alice")]
    assert (notice.account, notice.vouchers, notice.digest) == ("alice", len(ids), voucher_digest(ids))
    last = decode_entry(entries(alice)[-1])
    assert isinstance(last, OpeningEntry)
    assert last.index == told.index


def test_vouchers_that_are_revealed_later_have_a_commitment_of_their_own(
    device: Client, runtime: Runtime, epoch: TestEpoch
) -> None:
    runtime.store.log.set_notify_after(0, time.time())
    reveal(runtime, epoch)
    runtime.ingest.ingest("alice", epoch.seal(range(100, 102), seed="later"))
    runtime.match_all()
    records = list(runtime.store.log.notices())
    assert [record.disclosure.notice.vouchers for record in records] == [THRESHOLD + 1, 2]
    revealed = {one.voucher_id for one in runtime.store.reveals.of_account("alice")}
    assert sorted(revealed) == sorted(one for record in records for one in record.voucher_ids)
    checkpoint(device, runtime)
    assert len(device.log.GetNotices(pb.GetNoticesRequest()).notices) == 2
    history = History()
    for one in entries(device):
        history.add(decode_entry(one))
    assert history.waiting == {}


def test_a_reveal_whose_commitment_fails_is_given_to_nobody(
    runtime: Runtime, epoch: TestEpoch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is no moment at which somebody is shown a reveal and its commitment is not in the log."""
    runtime.store.log.set_notify_after(3600, time.time())

    def fail() -> Secret:
        raise OSError("no more randomness")

    with monkeypatch.context() as broken:
        broken.setattr("tpsi_server.store.log_batches.draw_opening", fail)
        runtime.ingest.ingest("alice", epoch.seal(range(THRESHOLD + 1)))
        with pytest.raises(OSError, match="no more randomness"):
            runtime.match_all()
        with pytest.raises(OSError, match="no more randomness"):
            next(runtime.store.reveals.of_account("alice"))
    assert list(runtime.store.log.notices()) == []
    size = runtime.store.log.size()
    assert next(runtime.store.reveals.of_account("alice"))
    assert runtime.store.log.size() == size + 1
    (record,) = runtime.store.log.notices()
    assert record.disclosure.notice.vouchers == THRESHOLD + 1


def test_the_log_grows_with_time_and_not_with_vouchers(
    connect: Connect, issue: Issue, runtime: Runtime, epoch: TestEpoch, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = connect(issue())
    runtime.store.log.set_notify_after(0, time.time() - 10)
    size = runtime.store.log.size()
    with monkeypatch.context() as patch:
        patch.setattr(LogStore, "commit", lambda _self, _before=None: None)  # as a server does within a minute
        for number in range(THRESHOLD + 20):
            runtime.ingest.ingest("alice", epoch.seal(range(number, number + 1), seed=f"one {number}"))
            runtime.match_all()
    runtime.store.log.commit(time.time() - GATHER)
    assert runtime.store.log.size() == size
    runtime.store.log.commit(time.time() + 1)
    checkpoint(alice, runtime)
    kinds = [type(decode_entry(one)) for one in entries(alice)]
    assert kinds[size:] == [RevealEntry, OpeningEntry]
    (told,) = alice.log.GetNotices(pb.GetNoticesRequest()).notices
    assert Notice.decode(told.notice).vouchers == THRESHOLD + 20


def test_a_policy_comes_after_the_commitments_that_the_one_before_asks_for(
    device: Client, runtime: Runtime, epoch: TestEpoch, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime.store.log.set_notify_after(3600, time.time() - 10)
    with monkeypatch.context() as patch:
        patch.setattr(LogStore, "commit", lambda _self, _before=None: None)
        runtime.ingest.ingest("alice", epoch.seal(range(THRESHOLD + 1)))
        runtime.match_all()
    runtime.store.log.set_notify_after(None, time.time())
    history = History()
    for one in entries(device):
        history.add(decode_entry(one))
    assert (history.reveals, history.notify_after) == (1, None)


def test_a_server_without_its_key_signs_nothing_and_says_so(runtime: Runtime) -> None:
    with Runtime(runtime.folder) as locked, pytest.raises(RefusedError, match="passphrase") as caught:
        locked.log.checkpoint()
    assert caught.value.reason is Reason.LOG_UNSIGNED
