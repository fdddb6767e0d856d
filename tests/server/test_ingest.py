"""Ingest: what is stored, what is refused, and that neither is done twice or halfway."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from tests.server.site import Site, vouchers
from tpsi.voucher import HEADER_SIZE, Header
from tpsi_server import MAX_BATCH, Ingest, Outcome, Reason, RefusedError, Runtime, StoreError
from tpsi_server.ingest import GROUP_VOUCHERS
from tpsi_server.store import Answer, Delivery, Exceeded, Incoming

NEW, ALREADY = Outcome(), Outcome(already=True)


def refused(reason: Reason) -> Outcome:
    return Outcome(reason)


def other_bytes(voucher: bytes) -> bytes:
    """The same header, another payload."""
    return voucher[:-1] + bytes([voucher[-1] ^ 1])


def other_manifest(voucher: bytes) -> bytes:
    return replace(Header.decode(voucher), manifest_id=bytes(16)).encode() + voucher[HEADER_SIZE:]


def test_a_voucher_sent_again_counts_as_stored_and_is_stored_once(runtime: Runtime) -> None:
    data = vouchers(runtime, range(5))
    assert runtime.ingest.ingest("alice", data) == [NEW] * 5
    assert runtime.ingest.ingest("alice", data) == [ALREADY] * 5
    assert runtime.status().vouchers_received == 5


def test_a_voucher_sent_again_after_matching_gets_the_same_answer(runtime: Runtime) -> None:
    data = vouchers(runtime, [1, 2, "unlisted"])
    runtime.ingest.ingest("alice", data)
    runtime.match_all()
    assert runtime.ingest.ingest("alice", data) == [ALREADY] * 3
    assert runtime.status().vouchers_waiting == 0
    assert runtime.ingest.ingest("alice", [other_bytes(one) for one in data]) == [refused(Reason.VOUCHER_ID_REUSED)] * 3


def test_other_octets_under_a_known_voucher_id_are_refused(runtime: Runtime) -> None:
    (voucher,) = vouchers(runtime, [1])
    runtime.ingest.ingest("alice", [voucher])
    assert runtime.ingest.ingest("alice", [other_bytes(voucher)]) == [refused(Reason.VOUCHER_ID_REUSED)]
    assert runtime.ingest.ingest("alice", [voucher]) == [ALREADY]


def test_two_vouchers_with_one_id_in_a_batch_are_told_apart(runtime: Runtime) -> None:
    (voucher,) = vouchers(runtime, [1])
    outcomes = runtime.ingest.ingest("alice", [voucher, other_bytes(voucher), voucher])
    assert outcomes == [NEW, refused(Reason.VOUCHER_ID_REUSED), ALREADY]


def test_accounts_do_not_share_voucher_ids(runtime: Runtime) -> None:
    (voucher,) = vouchers(runtime, [1])
    runtime.ingest.ingest("alice", [voucher])
    assert runtime.ingest.ingest("bob", [other_bytes(voucher)]) == [NEW]


def test_bad_vouchers_stop_no_others(runtime: Runtime) -> None:
    good = vouchers(runtime, range(3))
    bad = [b"", b"\x02" + good[0][1:], good[0][:-1], good[0] + b"\0", other_manifest(good[0])]
    outcomes = runtime.ingest.ingest("alice", [good[0], *bad, good[1], good[2]])
    malformed = refused(Reason.VOUCHER_MALFORMED)
    assert outcomes == [NEW, *[malformed] * 4, refused(Reason.VOUCHER_WRONG_EPOCH), NEW, NEW]


def test_a_batch_of_nothing_but_bad_vouchers_is_answered(runtime: Runtime) -> None:
    assert runtime.ingest.ingest("alice", [b"", b""]) == [refused(Reason.VOUCHER_MALFORMED)] * 2


def test_vouchers_of_a_retired_epoch_are_refused_unless_they_are_here_already(site: Site, runtime: Runtime) -> None:
    old, new = vouchers(runtime, range(2))
    runtime.ingest.ingest("alice", [old])
    runtime.store.epochs.retire(1, 2.0)
    assert runtime.ingest.ingest("alice", [old, new]) == [ALREADY, refused(Reason.VOUCHER_WRONG_EPOCH)]
    assert runtime.ingest.ingest("alice", [other_bytes(old)]) == [refused(Reason.VOUCHER_ID_REUSED)]


def test_vouchers_of_an_older_epoch_in_force_are_taken(site: Site, runtime: Runtime) -> None:
    old = vouchers(runtime, range(2))
    site.build()
    runtime.tables.refresh()
    assert runtime.ingest.ingest("alice", old + vouchers(runtime, range(2), seed="new")) == [NEW] * 4


def test_vouchers_of_an_epoch_that_another_replica_has_just_built_are_taken(site: Site, runtime: Runtime) -> None:
    """A device may have its table from a replica that saw the new epoch a moment before this one."""
    runtime.tables.refresh()
    site.build()
    with site.runtime() as other:
        sealed = vouchers(other, range(2))
    assert runtime.ingest.ingest("alice", sealed) == [Outcome(), Outcome()]


def test_epochs_are_looked_for_once_a_call_however_many_vouchers_name_unknown_ones(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[None] = []
    monkeypatch.setattr(runtime.tables, "catch_up", lambda: looks.append(None))
    sealed = [one[:1] + bytes(16) + one[17:] for one in vouchers(runtime, range(5))]
    assert [one.reason for one in runtime.ingest.ingest("alice", sealed)] == [Reason.VOUCHER_WRONG_EPOCH] * 5
    assert len(looks) == 1


@pytest.mark.parametrize("account", ["nobody", "mallory", ""])
def test_an_unknown_or_revoked_account_is_refused(runtime: Runtime, account: str) -> None:
    runtime.accounts.create("mallory")
    runtime.accounts.revoke_account("mallory")
    with pytest.raises(RefusedError) as error:
        runtime.ingest.ingest(account, vouchers(runtime, [1]))
    assert error.value.reason is Reason.ACCOUNT_UNKNOWN


def test_batches_have_bounds(runtime: Runtime) -> None:
    for batch, reason in (([], Reason.BATCH_EMPTY), ([b""] * (MAX_BATCH + 1), Reason.BATCH_TOO_LARGE)):
        with pytest.raises(RefusedError) as error:
            runtime.ingest.ingest("alice", batch)
        assert error.value.reason is reason


def test_what_is_acknowledged_is_there_for_another_process_at_once(site: Site, runtime: Runtime) -> None:
    runtime.ingest.ingest("alice", vouchers(runtime, range(4)))
    with site.store() as store:
        assert store.vouchers.count_waiting() == 4


def test_many_callers_at_once_each_get_their_own_answers(runtime: Runtime) -> None:
    batches = [vouchers(runtime, range(8), seed=f"caller {number}") for number in range(24)]
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda batch: runtime.ingest.ingest("alice", [*batch, b"bad"]), batches * 2))
    flat = [outcome for answer in answers for outcome in answer]
    assert flat.count(NEW) == flat.count(ALREADY) == 24 * 8
    assert all(answer[-1].reason is Reason.VOUCHER_MALFORMED for answer in answers)
    assert runtime.status().vouchers_received == 24 * 8


def test_callers_that_wait_share_a_transaction(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    first_is_in, go_on = threading.Event(), threading.Event()
    sizes: list[int] = []
    store = runtime.store.vouchers.store

    def slow(deliveries: list[Delivery], now: float) -> list[list[Answer] | Exceeded | None]:
        sizes.append(len(deliveries))
        first_is_in.set()
        assert go_on.wait(10)
        return store(deliveries, now)

    monkeypatch.setattr(runtime.store.vouchers, "store", slow)
    batches = [vouchers(runtime, [number], seed=f"{number}") for number in range(20)]
    futures = [runtime.ingest.submit("alice", batches[0])]
    assert first_is_in.wait(10)
    futures += [runtime.ingest.submit("alice", batch) for batch in batches[1:]]
    go_on.set()
    assert [future.result(10) for future in futures] == [[NEW]] * 20
    assert sizes == [1, 19]


def test_a_call_that_was_cancelled_before_its_turn_stores_nothing(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()
    store = runtime.store.vouchers.store

    def slow(deliveries: list[Delivery], now: float) -> list[list[Answer] | Exceeded | None]:
        assert go_on.wait(10)
        return store(deliveries, now)

    monkeypatch.setattr(runtime.store.vouchers, "store", slow)
    first = runtime.ingest.submit("alice", vouchers(runtime, [1]))
    while not first.running():
        pass
    second = runtime.ingest.submit("alice", vouchers(runtime, [2], seed="second"))
    assert second.cancel()
    go_on.set()
    first.result(10)
    runtime.ingest.close()
    assert runtime.status().vouchers_received == 1


def test_a_failing_store_is_an_error_and_stores_nothing(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object) -> None:
        raise StoreError("the database failed: disk full")

    data = vouchers(runtime, range(3))
    with monkeypatch.context() as patch:
        patch.setattr(runtime.store.vouchers, "store", fail)
        with pytest.raises(StoreError):
            runtime.ingest.ingest("alice", data)
    assert runtime.ingest.ingest("alice", data) == [NEW] * 3


def test_closing_stores_what_was_submitted_and_refuses_the_rest(runtime: Runtime) -> None:
    futures = [runtime.ingest.submit("alice", vouchers(runtime, [n], seed=f"{n}")) for n in range(10)]
    runtime.ingest.close()
    assert [future.result(0) for future in futures] == [[NEW]] * 10
    with pytest.raises(RefusedError) as error:
        runtime.ingest.submit("alice", vouchers(runtime, [1]))
    assert error.value.reason is Reason.SHUTTING_DOWN


def test_counts_of_an_account_follow_what_was_stored(site: Site, runtime: Runtime) -> None:
    ingest = Ingest(runtime.store, runtime.tables, clock=site.clock)
    data = vouchers(runtime, range(7))
    ingest.ingest("alice", data[:5])
    site.now += 60
    ingest.ingest("alice", data)
    ingest.close()
    found = runtime.store.accounts.find("alice")
    assert found is not None
    assert (found.vouchers, found.last_upload) == (7, site.now)


def test_a_delivery_larger_than_one_lookup_is_answered_in_order(site: Site) -> None:
    with site.store() as store:
        store.accounts.add("alice", 1.0)
        incoming = [Incoming(n.to_bytes(16, "big"), n.to_bytes(32, "big"), 0, 1, b"payload") for n in range(1100)]
        store.vouchers.store([Delivery("alice", incoming[::2])], 1.0)
        (answers,) = store.vouchers.store([Delivery("alice", incoming)], 2.0)
    assert answers == [Answer.ALREADY, Answer.NEW] * 550
    assert len(incoming) < GROUP_VOUCHERS
