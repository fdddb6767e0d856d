"""The server's log as a device follows it: each way of showing another history is refused, and evidence is kept."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.client.epochs import LIST_ID, SERVER_KEY, Epoch
from tests.client.fake_server import FakeServer
from tests.support.drbg import Drbg
from tpsi import VerificationError
from tpsi.log import Fork, Notice, OpeningEntry, PolicyEntry, RevealEntry, Tree, draw_opening
from tpsi.log.notice import batch_root, voucher_digest
from tpsi_client import Device, ForkError, ServiceError
from tpsi_client.cli import words
from tpsi_proto import tpsi_pb2 as pb

Enrol = Callable[..., Device]


def rewrite(server: FakeServer) -> None:
    """Another history: the policy that the device has seen in the log is another one now."""
    server.behaviour.entries[1] = PolicyEntry(7, 7).encoded


@pytest.fixture
def grown(device: Device, server: FakeServer) -> Device:
    """A device that has seen a log of three entries."""
    server.behaviour.entries += [PolicyEntry(5, None).encoded, PolicyEntry(6, 60).encoded]
    device.fetch()
    assert device.status().log_entries == 3
    return device


def test_a_log_that_grows_is_followed(grown: Device, server: FakeServer, epoch: Epoch) -> None:
    server.behaviour.epochs.append(epoch.following())
    assert grown.fetch().epoch == 2
    assert grown.status().log_entries == 4
    assert grown.checkpoint().verify(SERVER_KEY, LIST_ID).size == 4


@pytest.mark.parametrize("longer", [False, True])
def test_a_server_that_shows_another_history_is_refused_with_evidence(
    grown: Device, server: FakeServer, epoch: Epoch, longer: bool
) -> None:
    rewrite(server)
    if longer:
        server.behaviour.epochs.append(epoch.following())
    with pytest.raises(ForkError, match="another history than before") as caught:
        grown.fetch()
    assert caught.value.path is not None
    assert str(caught.value.path) in str(caught.value)
    fork = Fork.decode(caught.value.path.read_bytes())
    assert fork == caught.value.fork
    assert [checkpoint.size for checkpoint in fork.verify()] == [3, 4 if longer else 3]
    assert grown.status().epoch == 1
    assert grown.status().log_entries == 3
    assert grown.status().evidence == (str(caught.value.path),)
    with pytest.raises(ForkError):
        grown.fetch()
    assert len(grown.status().evidence) == 1


def test_a_server_that_hides_the_entries_of_a_rewritten_log_leaves_a_suspicion(
    grown: Device, server: FakeServer, epoch: Epoch
) -> None:
    rewrite(server)
    server.behaviour.epochs.append(epoch.following())
    server.behaviour.hides_entries = True
    with pytest.raises(ForkError) as caught:
        grown.fetch()
    with pytest.raises(VerificationError, match="owes the proof"):
        caught.value.fork.verify()


def test_an_older_state_is_not_a_fork_and_not_accepted(grown: Device, server: FakeServer) -> None:
    del server.behaviour.entries[2]
    with pytest.raises(VerificationError, match="2 entries, this device has seen one with 3") as caught:
        grown.fetch()
    assert not isinstance(caught.value, ForkError)
    assert grown.status().evidence == ()


def test_a_manifest_that_is_not_in_the_log_is_refused(
    device: Device, server: FakeServer, epoch: Epoch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table for one device alone: signed, chained, but not published."""
    before = server.behaviour.log()
    server.behaviour.epochs.append(epoch.following())
    monkeypatch.setattr(server.behaviour, "log", lambda: before)
    with pytest.raises(ServiceError, match="lacks what it has to hold"):
        device.fetch()
    assert device.status().epoch == 1


@pytest.mark.parametrize("path", [[], [bytes(32)], [bytes(31)], [bytes(32)] * 65])
def test_a_proof_that_proves_nothing_is_refused(
    device: Device, server: FakeServer, epoch: Epoch, path: list[bytes]
) -> None:
    server.behaviour.epochs.append(epoch.following())
    server.behaviour.inclusion = path
    with pytest.raises(VerificationError, match="does not hold the manifest"):
        device.fetch()


def test_a_checkpoint_by_another_key_is_refused_at_enrolment(enrol: Enrol, server: FakeServer, home: Path) -> None:
    server.behaviour.log_key = Ed25519PrivateKey.from_private_bytes(b"\x66" * 32)
    with pytest.raises(VerificationError, match="another key"):
        enrol()
    assert not (home / "device.json").exists()


# ------------------------------------------------------------------ notices

NOTICE = Notice("alice", LIST_ID, 9, 6, 2, voucher_digest([bytes(16), b"\x01" * 16]))
OPENING = draw_opening(Drbg("opening"))


def tell(server: FakeServer, notice: Notice = NOTICE, committed: Notice = NOTICE) -> None:
    """Commit to a notice, and tell the device another one."""
    index = commit(server, committed.commitment(OPENING))
    server.behaviour.told = [
        pb.RevealNotice(index=index, opening=OPENING.reveal(), notice=notice.encoded, batch_size=1)
    ]


def commit(server: FakeServer, root: bytes) -> int:
    """Append a batch of reveals to the log, and its opening; the place of the batch."""
    server.behaviour.log()
    entries = server.behaviour.entries
    entries += [PolicyEntry(5, 60).encoded, RevealEntry(6, root).encoded]
    entries.append(OpeningEntry(66, len(entries) - 1).encoded)
    return len(entries) - 2


def tell_batch(server: FakeServer, notices: Sequence[Notice], others: int = 3) -> list[pb.RevealNotice]:
    """Commit to notices in one batch with those of others, and tell the device of them; what it is told."""
    rng = Drbg("batch")
    mine = [(notice, draw_opening(rng)) for notice in notices]
    commitments = sorted([notice.commitment(opening) for notice, opening in mine] + [rng(32) for _ in range(others)])
    index, tree = commit(server, batch_root(commitments)), Tree(commitments)
    told = []
    for notice, opening in sorted(mine, key=lambda one: one[0].commitment(one[1])):
        position = commitments.index(notice.commitment(opening))
        one = pb.RevealNotice(index=index, opening=opening.reveal(), notice=notice.encoded)
        one.position, one.batch_size = position, len(tree)
        one.path[:] = tree.inclusion(position, len(tree))
        told.append(one)
    server.behaviour.told = told
    return told


def test_a_device_is_told_once_of_a_reveal_and_keeps_it(device: Device, server: FakeServer) -> None:
    assert device.fetch().notices == ()
    tell(server)
    assert device.fetch().notices == (NOTICE,)
    assert device.fetch().notices == ()
    assert device.status().notices == ((6, 2),)
    assert device.status().notify_after == 60


def test_the_policy_on_notices_is_the_newest_in_the_log(device: Device, server: FakeServer) -> None:
    assert device.status().notify_after is None
    server.behaviour.entries += [PolicyEntry(5, 60).encoded, PolicyEntry(6, 3600).encoded]
    device.fetch()
    assert device.status().notify_after == 3600
    assert any("tells its accounts 1 hour after one" in line for line in words.status(device.status()))
    server.behaviour.entries.append(PolicyEntry(7, None).encoded)
    device.fetch()
    assert device.status().notify_after is None
    assert any("does not tell its accounts" in line for line in words.status(device.status()))


def test_a_policy_that_the_server_leaves_out_is_missed(device: Device, server: FakeServer) -> None:
    """A log that promises nothing any more, shown without the entry that says so."""
    entries = server.behaviour.entries
    entries += [PolicyEntry(5, 60).encoded]
    device.fetch()
    entries += [PolicyEntry(6, None).encoded, PolicyEntry(6, 60).encoded, PolicyEntry(7, None).encoded]
    server.behaviour.shown = [*entries[:-1], OpeningEntry(7, 0).encoded]
    with pytest.raises(VerificationError, match="not those under its signed checkpoint"):
        device.fetch()
    server.behaviour.shown = entries[:-1]
    with pytest.raises(VerificationError, match="signed a log of 5 entries, and gives this device 4"):
        device.fetch()
    server.behaviour.shown = None
    device.fetch()
    assert device.status().notify_after is None


@pytest.mark.parametrize(
    ("told", "committed", "reason"),
    [
        (replace(NOTICE, vouchers=1), NOTICE, "not what it committed to"),
        (replace(NOTICE, account="bob"), replace(NOTICE, account="bob"), "not of its account"),
        (replace(NOTICE, list_id=bytes(16)), replace(NOTICE, list_id=bytes(16)), "not of its account"),
        (replace(NOTICE, time=5), replace(NOTICE, time=5), "dates a reveal"),
    ],
)
def test_a_notice_that_was_not_committed_to_is_refused(
    device: Device, server: FakeServer, told: Notice, committed: Notice, reason: str
) -> None:
    tell(server, told, committed)
    with pytest.raises(VerificationError, match=reason):
        device.fetch()
    assert device.status().notices == ()


def test_a_notice_about_what_is_no_reveal_is_refused(device: Device, server: FakeServer) -> None:
    tell(server)
    server.behaviour.told[0].index = 0
    with pytest.raises(VerificationError, match="entry 0 of its log is none"):
        device.fetch()


TWO = [NOTICE, replace(NOTICE, generation=10, vouchers=1)]


def test_a_device_is_told_of_all_its_notices_in_a_batch_with_those_of_others(
    device: Device, server: FakeServer
) -> None:
    tell_batch(server, TWO)
    assert set(device.fetch().notices) == set(TWO)
    assert device.fetch().notices == ()
    assert sorted(device.status().notices) == [(6, 1), (6, 2)]


@pytest.mark.parametrize("what", ["position", "batch_size", "path"])
def test_a_notice_that_is_not_proved_to_be_in_its_batch_is_refused(
    device: Device, server: FakeServer, what: str
) -> None:
    first, _ = tell_batch(server, TWO)
    if what == "path":
        del first.path[-1]
    else:
        setattr(first, what, (first.position + 1) % 5 if what == "position" else 1)
    with pytest.raises(VerificationError, match="not what it committed to"):
        device.fetch()
    assert device.status().notices == ()


def test_a_notice_that_is_told_twice_is_refused(device: Device, server: FakeServer) -> None:
    first, second = tell_batch(server, TWO)
    server.behaviour.told = [first, second, second]
    with pytest.raises(VerificationError, match="not of its account"):
        device.fetch()
