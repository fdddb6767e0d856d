"""Vouchers sent where they do not belong, over the network to a server that matches: none opens, refusals are named."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.server.site import SHARING, Site, device, empty_adct, forged, revealed, vouchers, wait_until_idle
from tests.support.drbg import Drbg
from tests.support.server_data import wait_for
from tests.support.serving import Client, serving
from tpsi import Sharing
from tpsi.account import shares
from tpsi_proto import tpsi_pb2 as pb
from tpsi_server import Role, Runtime, TlsOptions
from tpsi_server.store import AccountRecord
from tpsi_server.store.pools import GROWTH
from tpsi_server.tls import server_tls

MATCHING = SHARING.threshold + 1
#: Where a voucher's header has the manifest's id, its own, and the generation.
MANIFEST_ID, VOUCHER_ID, GENERATION = slice(1, 17), slice(17, 33), slice(33, 37)
Connect = Callable[[str], Client]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A server whose list names 0 to 49."""
    made = Site(tmp_path / "data")
    made.list_names("clinic", range(50))
    made.build()
    return made


@pytest.fixture
def runtime(site: Site) -> Iterator[Runtime]:
    with site.runtime() as opened:
        for name in ("alice", "bob", "mallory"):
            opened.accounts.create(name)
        opened.start_matching()
        yield opened


@pytest.fixture
def connect(runtime: Runtime, tmp_path: Path) -> Iterator[Connect]:
    """Connects as a device of an account."""
    tls = server_tls(TlsOptions(), tmp_path / "tls", "127.0.0.1", now=datetime.now(UTC))
    with ExitStack() as stack:
        server = stack.enter_context(serving(runtime, tls))

        def make(account: str) -> Client:
            token = runtime.accounts.issue(Role.DEVICE, account).token.reveal().decode()
            return stack.enter_context(server.served.client(token))

        yield make


def upload(client: Client, data: list[bytes]) -> tuple[int, list[str]]:
    """How many were stored, and the reasons for which others were not."""
    (ack,) = client.vouchers.Upload(iter([pb.UploadBatch(sequence=1, vouchers=data)]))
    return ack.stored, [pb.Reason.Name(one.reason) for one in ack.refused]


def opened_of(runtime: Runtime, account: str) -> int:
    """How many vouchers of an account opened, once all are matched."""
    wait_until_idle(runtime)
    return found(runtime, account).opened


def found(runtime: Runtime, account: str) -> AccountRecord:
    """What the store says of an account."""
    record = runtime.store.accounts.find(account)
    assert record is not None
    return record


def test_vouchers_of_one_account_open_nothing_for_another(runtime: Runtime, connect: Connect) -> None:
    data = vouchers(runtime, range(MATCHING))
    assert upload(connect("bob"), data) == (MATCHING, [])
    assert opened_of(runtime, "bob") == 0
    assert upload(connect("alice"), data) == (MATCHING, [])
    wait_for(lambda: len(revealed(runtime)) == MATCHING)
    assert revealed(runtime, "bob") == set()


def test_a_voucher_relabelled_for_another_epoch_opens_nothing(site: Site, runtime: Runtime, connect: Connect) -> None:
    data = vouchers(runtime, range(MATCHING))
    later = site.build()
    runtime.tables.refresh()
    moved = [one[:1] + later.manifest_id + one[17:] for one in data]
    assert upload(connect("alice"), moved) == (MATCHING, [])
    assert opened_of(runtime, "alice") == 0


@pytest.mark.parametrize(("field", "size"), [(VOUCHER_ID, 16), (GENERATION, 4)])
def test_a_voucher_under_another_id_or_generation_opens_nothing(
    runtime: Runtime, connect: Connect, field: slice, size: int
) -> None:
    """So that one match cannot be made to count for many, or for another memory."""
    data = [bytearray(one) for one in vouchers(runtime, range(MATCHING))]
    for number, one in enumerate(data, 1):
        one[field] = number.to_bytes(size, "big")
    assert upload(connect("alice"), [bytes(one) for one in data]) == (MATCHING, [])
    assert opened_of(runtime, "alice") == 0


def test_vouchers_of_another_list_are_refused(runtime: Runtime, connect: Connect, tmp_path: Path) -> None:
    other = Site(tmp_path / "other")
    other.list_names("clinic", range(50))
    other.build()
    with other.runtime() as theirs:
        data = vouchers(theirs, range(MATCHING))
    assert upload(connect("alice"), data) == (0, ["VOUCHER_WRONG_EPOCH"] * MATCHING)


def test_vouchers_of_an_epoch_under_another_threshold_do_not_count_under_this_one(
    site: Site, runtime: Runtime, connect: Connect
) -> None:
    """And relabelled to it they open nothing: the threshold is bound into every ciphertext."""
    first = vouchers(runtime, range(SHARING.threshold))
    site.build(Sharing(SHARING.threshold - 1, SHARING.rows))
    runtime.tables.refresh()
    lower = vouchers(runtime, [SHARING.threshold + 1], seed="lower")
    moved = [one[:1] + lower[0][MANIFEST_ID] + one[17:] for one in first]
    alice = connect("alice")
    assert upload(alice, [*first, *lower]) == (SHARING.threshold + 1, [])
    assert opened_of(runtime, "alice") == SHARING.threshold + 1
    assert upload(connect("bob"), moved) == (SHARING.threshold, [])
    assert opened_of(runtime, "bob") == 0
    time.sleep(0.5)
    assert revealed(runtime) == set()


def test_vouchers_of_a_retired_epoch_are_refused_by_name(site: Site, runtime: Runtime, connect: Connect) -> None:
    data = vouchers(runtime, range(MATCHING))
    site.build()
    runtime.store.epochs.retire(1, time.time())
    runtime.tables.refresh()
    assert upload(connect("alice"), data) == (0, ["VOUCHER_WRONG_EPOCH"] * MATCHING)


def test_a_flood_of_hostile_shares_costs_bounded_work_is_flagged_and_stops_nobody(
    runtime: Runtime, connect: Connect
) -> None:
    """Random ones, ones outside of the field, two at one place, and ones on a curve whose data does not open."""
    manifest, keys = runtime.tables.newest().manifest, device(runtime, "mallory").keys
    rng = Drbg("mallory")
    hostile = [b"".join(b"\0" + rng(7) for _ in range(5)) for _ in range(500)]
    hostile += [b"\xff" * 40] * 20 + [hostile[0][:8] + hostile[1][8:]]
    hostile += list(shares(keys, [b"subject %d" % n for n in range(20)]))
    sent = [forged(manifest, "mallory", one, bytes(16), n.to_bytes(16, "big")) for n, one in enumerate(hostile)]
    sent.append(forged(manifest, "mallory", hostile[0], empty_adct(keys.ad_key, b"\xee" * 16), b"\xee" * 16))
    mallory, alice = connect("mallory"), connect("alice")
    for start in range(0, len(sent), 100):
        assert upload(mallory, sent[start : start + 100])[1] == []
    assert upload(alice, vouchers(runtime, range(MATCHING))) == (MATCHING, [])
    wait_for(lambda: len(revealed(runtime)) == MATCHING)
    assert opened_of(runtime, "mallory") == len(sent)
    wait_for(lambda: {"malformed", "conflicting"} <= set(found(runtime, "mallory").flags))
    assert found(runtime, "mallory").revealed == 0
    assert runtime.tally.examined < 4 * GROWTH, "a pool is examined when it has grown, not for every voucher"
    assert found(runtime, "alice").flags == ()
