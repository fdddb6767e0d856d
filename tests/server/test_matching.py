"""Matching: from waiting vouchers to reveals, and nothing more than that."""

import os
import signal
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from tests.server.site import (
    LISTED,
    SHARING,
    Site,
    device,
    empty_adct,
    forged,
    revealed,
    vouchers,
    wait_until_idle,
)
from tests.support.drbg import Drbg
from tests.support.server_data import wait_for
from tests.support.world import items_of
from tpsi import Pool, Secret, Sharing, Synthetic, SyntheticMode, seal
from tpsi.account import shares
from tpsi_server import KeyFileError, OperatorError, Runtime, StoreError, matching
from tpsi_server.crew import LOWEST, Crew, Failure, OwnCrew, ProcessCrew
from tpsi_server.jobs import ExamineJob, MatchJob, Result
from tpsi_server.keys import epoch_key_path
from tpsi_server.matching import MATCH_LEASE, Matcher
from tpsi_server.store import Claim, Match, MatchStore, Recorded, Taken, matches
from tpsi_server.store.matches import MAX_ATTEMPTS
from tpsi_server.store.schema import opened

THRESHOLD = SHARING.threshold


def matcher(site: Site, runtime: Runtime, crew: Crew | None = None) -> Matcher:
    """A matcher whose clock is the site's."""
    return Matcher(runtime.store, runtime.tables, site.keys(), crew or OwnCrew(), clock=site.clock)


def flags(runtime: Runtime, account: str = "alice") -> tuple[str, ...]:
    found = runtime.store.accounts.find(account)
    assert found is not None
    return found.flags


def payloads(runtime: Runtime) -> list[bytes | None]:
    with runtime.store._database.read() as connection:
        return list(connection.exec_driver_sql("SELECT payload FROM vouchers").scalars())


# ---------------------------------------------------------------- the threshold


def test_at_the_threshold_nothing_is_revealed_and_one_more_reveals_all(runtime: Runtime) -> None:
    runtime.ingest.ingest("alice", vouchers(runtime, [*range(THRESHOLD), "unlisted", "not this either"]))
    tally = runtime.match_all()
    assert (tally.matched, tally.unmatched, tally.revealed) == (THRESHOLD, 2, 0)
    assert revealed(runtime) == set()
    assert runtime.status().accounts_revealed == 0
    runtime.ingest.ingest("alice", vouchers(runtime, [THRESHOLD], seed="one more"))
    assert runtime.match_all().revealed == THRESHOLD + 1
    assert revealed(runtime) == {str(number).encode() for number in range(THRESHOLD + 1)}
    assert runtime.status().accounts_revealed == 1


def test_accounts_are_not_added_up(runtime: Runtime) -> None:
    for account, names in (("alice", range(THRESHOLD)), ("bob", range(10, 10 + THRESHOLD))):
        runtime.ingest.ingest(account, vouchers(runtime, names, account))
    assert runtime.match_all().matched == 2 * THRESHOLD
    assert revealed(runtime) | revealed(runtime, "bob") == set()


def test_generations_are_not_added_up(runtime: Runtime) -> None:
    for generation in range(2):
        names = range(10 * generation, 10 * generation + THRESHOLD)
        runtime.ingest.ingest("alice", vouchers(runtime, names, seed=f"{generation}", generation=generation))
    assert runtime.match_all().matched == 2 * THRESHOLD
    assert revealed(runtime) == set()


def test_copies_of_one_listed_picture_reveal_nothing(runtime: Runtime) -> None:
    for copy in range(10):
        runtime.ingest.ingest("alice", vouchers(runtime, [1], seed=f"copy {copy}"))
    assert runtime.match_all().matched == 10
    assert revealed(runtime) == set()


def test_a_match_after_the_reveal_is_revealed_at_once_without_another_examination(runtime: Runtime) -> None:
    runtime.ingest.ingest("alice", vouchers(runtime, range(5)))
    runtime.match_all()
    runtime.ingest.ingest("alice", vouchers(runtime, [7, "unlisted"], seed="later"))
    tally = runtime.match_all()
    assert (tally.matched, tally.revealed, tally.examined) == (1, 1, 0)
    assert b"7" in revealed(runtime)


def test_vouchers_of_two_epochs_count_together(site: Site, runtime: Runtime) -> None:
    first = vouchers(runtime, range(2))
    site.build()
    runtime.tables.refresh()
    second = vouchers(runtime, range(2, 4), seed="second epoch")
    runtime.ingest.ingest("alice", first + second)
    assert runtime.match_all().revealed == 4


def test_another_threshold_starts_the_counting_anew(site: Site, runtime: Runtime) -> None:
    first = vouchers(runtime, range(3))
    site.build(Sharing(4, 4))
    runtime.tables.refresh()
    runtime.ingest.ingest("alice", first + vouchers(runtime, range(3, 6), seed="second epoch"))
    assert runtime.match_all().matched == 6
    assert revealed(runtime) == set()


def test_synthetic_vouchers_open_and_are_never_revealed(empty_site: Site) -> None:
    empty_site.list_names("names", LISTED)
    empty_site.build(Sharing(3, 16), Synthetic(SyntheticMode.ADD, 300_000))
    with empty_site.runtime() as runtime:
        runtime.accounts.create("alice")
        runtime.accounts.create("bob")
        runtime.ingest.ingest("bob", vouchers(runtime, [f"unlisted {n}" for n in range(60)], "bob"))
        assert runtime.match_all().matched > THRESHOLD
        assert revealed(runtime, "bob") == set()
        runtime.ingest.ingest("alice", vouchers(runtime, [*range(8), *(f"unlisted {n}" for n in range(60))]))
        assert runtime.match_all().revealed == 8
        assert revealed(runtime) == {str(number).encode() for number in range(8)}
        assert flags(runtime) == flags(runtime, "bob") == ()


def test_null_vouchers_do_not_match(runtime: Runtime) -> None:
    batch = seal(device(runtime), items_of(range(10)), known=lambda _tag: True, rng=Drbg("null"))
    runtime.ingest.ingest("alice", [voucher.data for voucher in batch.vouchers])
    assert runtime.match_all().unmatched == 10


def test_the_cuckoo_encoding_reveals_too(empty_site: Site) -> None:
    empty_site.list_names("names", LISTED)
    empty_site.build(encoding="cuckoo")
    with empty_site.runtime() as runtime:
        runtime.accounts.create("alice")
        runtime.ingest.ingest("alice", vouchers(runtime, [*range(4), "unlisted"]))
        assert runtime.match_all().revealed == 4


# ---------------------------------------------------------------- what is kept


def test_payloads_are_gone_after_matching_whether_or_not_they_matched(runtime: Runtime) -> None:
    runtime.ingest.ingest("alice", vouchers(runtime, [1, 2, "unlisted"]))
    assert None not in payloads(runtime)
    runtime.match_all()
    assert payloads(runtime) == [None] * 3


def test_the_octets_of_unmatched_payloads_are_not_in_the_database_file_any_more(site: Site) -> None:
    with site.runtime() as runtime:
        runtime.accounts.create("alice")
        data = vouchers(runtime, [f"unlisted {n}" for n in range(20)])
        runtime.ingest.ingest("alice", data)
        runtime.match_all()
    content = site.folder.database.read_bytes()
    assert all(voucher[-32:] not in content for voucher in data)


# ---------------------------------------------------------------- hostile devices


def test_a_voucher_delivered_for_another_account_opens_nothing(runtime: Runtime) -> None:
    runtime.ingest.ingest("bob", vouchers(runtime, range(10), "alice"))
    assert runtime.match_all().matched == 0


def test_a_malformed_share_flags_its_account_and_harms_no_match(runtime: Runtime) -> None:
    manifest = runtime.tables.newest().manifest
    hostile = [
        forged(manifest, "alice", share, bytes(16), bytes([n]) * 16)
        for n, share in enumerate((bytes(40), b"\xff" * 40), 1)  # coordinate 0; values outside of the field
    ]
    runtime.ingest.ingest("alice", [*hostile, *vouchers(runtime, range(4))])
    assert runtime.match_all().revealed == 4
    assert flags(runtime) == ("malformed",)


def test_conflicting_shares_flag_their_account(runtime: Runtime) -> None:
    manifest, keys = runtime.tables.newest().manifest, device(runtime).keys
    (share,) = shares(keys, [b"a subject"])
    other = share[:-1] + bytes([share[-1] ^ 1])
    hostile = [forged(manifest, "alice", one, bytes(16), bytes([n]) * 16) for n, one in enumerate((share, other))]
    runtime.ingest.ingest("alice", hostile + vouchers(runtime, range(4)))
    runtime.match_all()
    assert revealed(runtime) == {b"0", b"1", b"2", b"3"}
    assert flags(runtime) == ("conflicting",)


def test_a_real_share_whose_data_does_not_open_flags_its_account(runtime: Runtime) -> None:
    manifest, keys = runtime.tables.newest().manifest, device(runtime).keys
    (share,) = shares(keys, [b"a subject"])
    hostile = forged(manifest, "alice", share, bytes(16), bytes(16))
    runtime.ingest.ingest("alice", [hostile, *vouchers(runtime, range(4))])
    assert runtime.match_all().revealed == 4
    assert flags(runtime) == ("unopened",)


def test_random_shares_hide_only_their_own_account(runtime: Runtime) -> None:
    manifest, rng = runtime.tables.newest().manifest, Drbg("random shares")
    hostile = [
        forged(manifest, "alice", b"".join(b"\0" + rng(7) for _ in range(5)), bytes(16), bytes([n]) * 16)
        for n in range(40)
    ]
    runtime.ingest.ingest("alice", hostile + vouchers(runtime, range(4)))
    runtime.ingest.ingest("bob", vouchers(runtime, range(4), "bob"))
    runtime.match_all()
    assert revealed(runtime) == set()
    assert len(revealed(runtime, "bob")) == 4


def test_empty_associated_data_is_revealed_as_such(runtime: Runtime) -> None:
    manifest, keys = runtime.tables.newest().manifest, device(runtime).keys
    made = shares(keys, [bytes([n]) for n in range(4)])
    data = [
        forged(manifest, "alice", share, empty_adct(keys.ad_key, bytes([n]) * 16), bytes([n]) * 16)
        for n, share in enumerate(made)
    ]
    runtime.ingest.ingest("alice", data)
    assert runtime.match_all().revealed == 4
    assert revealed(runtime) == {b""}


# ---------------------------------------------------------------- interrupted work


def test_work_of_a_matcher_that_was_killed_is_taken_again_when_its_lease_is_over(site: Site, runtime: Runtime) -> None:
    runtime.ingest.ingest("alice", vouchers(runtime, range(4)))
    lost = runtime.store.matches.claim(1, 100, MATCH_LEASE, site.clock())
    assert lost is not None
    second = matcher(site, runtime)
    assert not second.step(0)  # it is the other one's still
    site.now += MATCH_LEASE + 1
    assert second.drain().revealed == 4
    assert runtime.store.matches.record(lost, [], site.clock()).matched == 0


def test_results_that_come_after_the_lease_are_not_counted_twice(site: Site, runtime: Runtime) -> None:
    runtime.ingest.ingest("alice", vouchers(runtime, range(4)))
    late = runtime.store.matches.claim(1, 100, MATCH_LEASE, site.clock())
    assert late is not None
    epoch = runtime.tables.newest()
    results = MatchJob.of(late, epoch.manifest, site.keys().epoch(epoch.manifest)).run()
    site.now += MATCH_LEASE + 1
    matcher(site, runtime).drain()
    done = runtime.store.matches.record(late, results, site.clock())
    assert (done.matched, done.revealed) == (0, 0)
    found = runtime.store.accounts.find("alice")
    assert found is not None
    assert (found.opened, found.revealed) == (4, 4)


def test_a_drain_does_what_waits_at_its_beginning_and_examines_each_pool_once(
    site: Site, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A device that goes on sending has no end of it, and does not have its pool examined again and again."""
    monkeypatch.setattr(matching, "BATCH", 2)
    runtime.ingest.ingest("alice", vouchers(runtime, range(6)))

    class Busy(OwnCrew):
        """Whatever is worked off, more comes in."""

        def start(self, ticket: object, job: object) -> None:
            super().start(ticket, job)  # type: ignore[arg-type]
            runtime.ingest.ingest("alice", vouchers(runtime, ["more"], seed=f"{ticket}"))

    tally = matcher(site, runtime, Busy()).drain()
    assert (tally.matched, tally.unmatched, tally.examined, tally.revealed) == (6, 0, 1, 6)
    assert runtime.status().vouchers_waiting == 4  # after three claims and an examination
    assert matcher(site, runtime).drain().unmatched == 4


def test_a_drain_forgets_what_is_past_its_period(site: Site, runtime: Runtime) -> None:
    runtime.ingest.ingest("alice", vouchers(runtime, ["unlisted"]))
    assert matcher(site, runtime).drain().unmatched == 1
    site.now += 91 * 86_400.0
    matcher(site, runtime).drain()
    assert payloads(runtime) == []


def test_stopping_gives_claimed_work_back(site: Site, runtime: Runtime) -> None:
    runtime.ingest.ingest("alice", vouchers(runtime, range(4)))

    class Slow(OwnCrew):
        def finished(self, timeout: float) -> list[tuple[Any, Result | Failure]]:
            return []

    slow = matcher(site, runtime, Slow())
    slow.step(0)
    slow.close()
    assert matcher(site, runtime).drain().matched == 4  # at once, no lease has run out


def test_a_voucher_whose_matching_kills_processes_is_set_aside_alone(site: Site, runtime: Runtime) -> None:
    data = vouchers(runtime, range(6))
    poison = data[3]

    class Fragile(OwnCrew):
        """Dies over one voucher."""

        def start(self, ticket: object, job: object) -> None:
            if isinstance(job, MatchJob) and any(payload == poison for _, _, payload in job.vouchers):
                self._finished.append((ticket, Failure("its process died")))
            else:
                super().start(ticket, job)  # type: ignore[arg-type]

    runtime.ingest.ingest("alice", data)
    tally = matcher(site, runtime, Fragile()).drain()
    site.now += 1
    matcher(site, runtime, Fragile()).drain()
    assert tally.matched == 5
    assert (runtime.status().vouchers_waiting, runtime.status().vouchers_failed) == (0, 1)
    assert "failed" in flags(runtime)
    assert len(revealed(runtime)) == 5
    assert runtime.store.matches.retry_failed() == 1
    assert runtime.match_all().matched == 1


def test_processes_that_never_start_are_nobodys_fault(site: Site, runtime: Runtime) -> None:
    class Dead(OwnCrew):
        def start(self, ticket: object, job: object) -> None:
            self._finished.append((ticket, Failure("its process died", begun=False)))

    runtime.ingest.ingest("alice", vouchers(runtime, range(4)))
    dead = matcher(site, runtime, Dead())
    for _ in range(3 * MAX_ATTEMPTS):
        dead.step(0)
    dead.close()
    assert matcher(site, runtime).drain().matched == 4
    assert flags(runtime) == ()


def test_a_voucher_that_raises_fails_alone(runtime: Runtime) -> None:
    epoch = runtime.tables.newest()
    good = vouchers(runtime, range(3))
    batch = tuple((number, "alice", data) for number, data in enumerate([good[0], b"rotten", good[1], good[2]]))
    with_secrets = MatchJob(epoch.manifest.encoded, bytes([1]) + bytes(31), bytes(32), batch)
    assert [result.failed for result in with_secrets.run()] == [True] * 4  # the wrong secrets fail all


def test_one_rotten_payload_fails_alone(site: Site, runtime: Runtime) -> None:
    epoch = runtime.tables.newest()
    secrets = site.keys().epoch(epoch.manifest)
    good = vouchers(runtime, range(3))
    batch = tuple((number, "alice", data) for number, data in enumerate([good[0], b"rotten", good[1], good[2]]))
    job = MatchJob(epoch.manifest.encoded, secrets.alpha.reveal(), secrets.fill_key.reveal(), batch)
    results = job.run()
    assert [result.failed for result in results] == [False, True, False, False]
    assert [result.opened is not None for result in results] == [True, False, True, True]


def test_an_examination_that_comes_to_nothing_rests_until_the_pool_has_grown(site: Site, runtime: Runtime) -> None:
    class Weak(OwnCrew):
        def start(self, ticket: object, job: object) -> None:
            if isinstance(job, ExamineJob):
                self._finished.append((ticket, Failure("out of memory")))
            else:
                super().start(ticket, job)  # type: ignore[arg-type]

    runtime.ingest.ingest("alice", vouchers(runtime, range(5)))
    assert matcher(site, runtime, Weak()).drain().examined == 0
    assert matcher(site, runtime).drain().examined == 0
    runtime.ingest.ingest("alice", vouchers(runtime, [6], seed="one more"))
    assert matcher(site, runtime).drain().revealed == 6


def test_the_matcher_itself_opens_no_pool_that_is_examined(
    site: Site, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may run in the process that answers devices, whose times would tell how much there is to open."""

    def refuse(*_arguments: object) -> bytes:
        raise AssertionError("a cell was opened")

    monkeypatch.setattr(runtime.store.pools._cells, "open", refuse)
    runtime.ingest.ingest("alice", vouchers(runtime, range(5)))
    assert matcher(site, runtime).drain().revealed == 5


def test_a_pool_with_a_damaged_cell_rests_and_nobody_is_blamed(site: Site, runtime: Runtime) -> None:
    runtime.ingest.ingest("alice", vouchers(runtime, range(5)))
    loop = matcher(site, runtime)
    loop.step(0)
    with runtime.store._database.write() as connection:
        connection.execute(update(opened).where(opened.c.voucher == 1).values(share=b"\0\0\0\1" + bytes(60)))
    assert loop.drain().examined == 0
    assert flags(runtime) == ()


def test_a_pool_that_cannot_be_read_just_now_is_given_back(site: Site, runtime: Runtime) -> None:
    """Its data key was made after it was taken, or the database is away."""

    class Early(OwnCrew):
        def start(self, ticket: object, job: object) -> None:
            super().start(ticket, replace(job, data_keys={}) if isinstance(job, ExamineJob) else job)  # type: ignore[arg-type]

    runtime.ingest.ingest("alice", vouchers(runtime, range(5)))
    with pytest.raises(StoreError, match="data key 1"):
        matcher(site, runtime, Early()).drain()
    assert matcher(site, runtime).drain().revealed == 5
    assert flags(runtime) == ()


def test_results_are_written_down_in_short_transactions(
    site: Site, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is written when the database fails stays, and the rest is matched again."""
    monkeypatch.setattr(matches, "AT_ONCE", 2)
    record, parts = MatchStore._record, []

    def fail(store: MatchStore, claim: Claim, results: list[Match], stamp: int) -> Recorded:
        parts.append(len(results))
        if len(parts) == 2:
            raise StoreError("the disk is full")
        return record(store, claim, results, stamp)

    monkeypatch.setattr(MatchStore, "_record", fail)
    runtime.ingest.ingest("alice", vouchers(runtime, range(5)))
    with pytest.raises(StoreError, match="full"):
        matcher(site, runtime).step(0)
    assert runtime.status().vouchers_waiting == 3
    site.now += MATCH_LEASE + 1
    assert matcher(site, runtime).drain().revealed == 5
    assert parts == [2, 2, 2, 1]


def test_vouchers_wait_while_the_key_of_their_epoch_is_missing(site: Site, runtime: Runtime) -> None:
    manifest = runtime.tables.newest().manifest
    path = epoch_key_path(site.folder.keys, 1, manifest.digest)
    hidden = path.rename(path.with_suffix(".hidden"))
    runtime.ingest.ingest("alice", vouchers(runtime, range(4)))
    with pytest.raises(KeyFileError, match="is missing"):
        runtime.match_all()
    without_key = matcher(site, runtime)
    assert without_key.drain().matched == 0
    hidden.rename(path)
    site.now += 60
    assert without_key.drain().revealed == 4


def test_without_a_passphrase_nothing_is_matched_here(site: Site) -> None:
    with Runtime(site.folder) as runtime, pytest.raises(OperatorError, match="passphrase"):
        runtime.match_all()


def test_with_the_wrong_passphrase_nothing_is_started(site: Site) -> None:
    with Runtime(site.folder, Secret(b"wrong"), workers=1) as runtime, pytest.raises(KeyFileError, match="passphrase"):
        runtime.start_matching()


# ---------------------------------------------------------------- in the background


def test_matching_in_the_background_needs_no_call(runtime: Runtime) -> None:
    runtime.start_matching()
    runtime.start_matching()
    with pytest.raises(OperatorError):
        runtime.match_all()
    runtime.ingest.ingest("alice", vouchers(runtime, range(4)))
    wait_until_idle(runtime)
    wait_for(lambda: revealed(runtime))
    runtime.stop_matching()
    runtime.stop_matching()
    assert len(revealed(runtime)) == 4


def test_the_loop_goes_on_after_an_error_and_stops_when_told(
    site: Site, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = threading.Event()
    stop = threading.Event()
    loop = matcher(site, runtime)

    def fail(_timeout: float) -> bool:
        failed.set()
        raise ZeroDivisionError

    monkeypatch.setattr(loop, "step", fail)
    thread = threading.Thread(target=loop.run, args=(stop,))
    thread.start()
    assert failed.wait(10)
    assert thread.is_alive()
    stop.set()
    thread.join(10)
    assert not thread.is_alive()


def test_a_killed_process_is_replaced_and_its_work_done_again(site: Site, runtime: Runtime) -> None:
    crew = ProcessCrew(1)
    loop = matcher(site, runtime, crew)
    try:
        runtime.ingest.ingest("alice", vouchers(runtime, range(2)))
        assert loop.drain().matched == 2
        victim = crew._workers[0]._process.pid
        assert victim is not None
        os.kill(victim, signal.SIGKILL)
        runtime.ingest.ingest("alice", vouchers(runtime, range(2, 4), seed="second"))
        assert loop.drain().revealed == 4
        assert crew._workers[0]._process.pid != victim
    finally:
        loop.close()
    assert flags(runtime) == ()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no SCHED_BATCH")
def test_a_process_that_matches_leaves_the_processor_to_whoever_answers() -> None:
    crew, mine = ProcessCrew(1), os.getpriority(os.PRIO_PROCESS, 0)
    try:
        victim = crew._workers[0]._process.pid
        assert victim is not None
        wait_for(lambda: os.sched_getscheduler(victim) == os.SCHED_BATCH)
        assert os.getpriority(os.PRIO_PROCESS, victim) == LOWEST
    finally:
        crew.close()
    assert os.getpriority(os.PRIO_PROCESS, 0) == mine


def test_nothing_secret_stands_in_the_words_for_work(site: Site, runtime: Runtime, tmp_path: Path) -> None:
    runtime.ingest.ingest("alice", vouchers(runtime, range(4)))
    manifest = runtime.tables.newest().manifest
    secrets = site.keys().epoch(manifest)
    claim = runtime.store.matches.claim(1, 10, 1.0, site.clock())
    assert claim is not None
    job = MatchJob.of(claim, manifest, secrets)
    data_key = site.keys().data_key(1)
    examining = ExamineJob(
        Taken(claim.token, 1, 1, Pool(bytes(16), 0, SHARING), 4), site.folder.location, {1: data_key.reveal()}
    )
    words = f"{claim!r} {job!r} {job.run()!r} {secrets!r} {examining!r}"
    for secret in (secrets.alpha, secrets.fill_key, data_key):
        assert secret.reveal().hex() not in words
        assert repr(secret.reveal()) not in words
