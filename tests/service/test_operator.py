"""The operator service: counts, accounts page by page, and reveals over the threshold alone."""

import time

import grpc
import pytest

from tests.service.conftest import Connect, Issue
from tests.support.refusals import refused
from tests.support.server_data import LIST_NAME, NEWEST, RETIRED, THRESHOLD, TestEpoch, wait_for
from tests.support.serving import Client
from tpsi_proto import tpsi_pb2 as pb
from tpsi_server import Role, Runtime


def reveal(client: Client, account: str) -> list[pb.RevealedItem]:
    """What was revealed of an account."""
    return list(client.operator.GetReveal(pb.GetRevealRequest(account=account)))


def accounts(client: Client, page_size: int = 0) -> list[pb.Account]:
    """All accounts, page by page."""
    found: list[pb.Account] = []
    token = ""
    while True:
        page = client.operator.ListAccounts(pb.ListAccountsRequest(page_size=page_size, page_token=token))
        assert len(page.accounts) <= (page_size or 100)
        found.extend(page.accounts)
        token = page.next_page_token
        if not token:
            return found


def test_the_status_shows_epochs_and_counts(
    operator: Client, device: Client, epoch: TestEpoch, runtime: Runtime
) -> None:
    list(device.vouchers.Upload(iter([pb.UploadBatch(vouchers=epoch.seal(range(3)))])))
    status = operator.operator.GetStatus(pb.GetStatusRequest())
    assert status.list_name == LIST_NAME
    assert [(one.number, one.retired) for one in status.epochs] == [(RETIRED, True), (2, False), (NEWEST, False)]
    newest, manifest = status.epochs[-1], epoch.manifest
    assert newest.manifest_digest == manifest.digest
    assert (newest.items, newest.suite, newest.encoding) == (manifest.items, manifest.suite, manifest.encoding)
    assert newest.created.ToSeconds() == manifest.created
    assert (status.accounts, status.vouchers_received, status.vouchers_waiting) == (2, 3, 3)
    assert status.accounts_revealed == 0


def test_an_account_shows_what_was_received_of_it(
    operator: Client, device: Client, epoch: TestEpoch, runtime: Runtime
) -> None:
    before = time.time()
    list(device.vouchers.Upload(iter([pb.UploadBatch(vouchers=epoch.seal(range(3)))])))
    runtime.accounts.revoke_account("bob")
    alice, bob = accounts(operator)
    assert (alice.name, alice.vouchers, alice.opened, alice.revealed, alice.flagged) == ("alice", 3, 0, 0, False)
    assert before - 1 <= alice.last_upload.ToMilliseconds() / 1000 <= time.time() + 1
    assert (alice.revoked, bob.revoked) == (False, True)
    assert not bob.HasField("last_upload")


@pytest.mark.parametrize("page_size", [0, 1, 5, 7, 12, 13, 1000])
def test_pages_hold_every_account_once_in_the_order_of_names(
    operator: Client, runtime: Runtime, page_size: int
) -> None:
    names = [*(f"device {i:02}" for i in range(10)), "alice", "bob"]
    for name in names[:10]:
        runtime.accounts.create(name)
    assert [account.name for account in accounts(operator, page_size)] == sorted(names)


@pytest.mark.parametrize(
    "request_", [pb.ListAccountsRequest(page_size=1001), pb.ListAccountsRequest(page_token="é" * 65)]
)
def test_a_page_that_is_too_long_or_a_foreign_page_token_is_refused(
    operator: Client, request_: pb.ListAccountsRequest
) -> None:
    with refused("INVALID_REQUEST") as told:
        operator.operator.ListAccounts(request_)
    assert told.code is grpc.StatusCode.INVALID_ARGUMENT


def test_an_account_over_the_threshold_is_revealed_and_no_other(
    operator: Client, connect: Connect, issue: Issue, epoch: TestEpoch, runtime: Runtime
) -> None:
    over, at = range(THRESHOLD + 1), range(THRESHOLD)
    for account, names in (("alice", over), ("bob", at)):
        vouchers = epoch.seal([*names, *(f"other {i}" for i in range(5))], account)
        client = connect(issue(account=account))
        list(client.vouchers.Upload(iter([pb.UploadBatch(vouchers=vouchers)])))
    assert reveal(operator, "alice") == []
    runtime.start_matching()
    wait_for(lambda: len(reveal(operator, "alice")) == THRESHOLD + 1)
    items = reveal(operator, "alice")
    assert {item.associated_data for item in items} == {str(name).encode() for name in over}
    assert {item.epoch for item in items} == {NEWEST}
    assert all(len(item.voucher_id) == 16 for item in items)
    assert all(abs(item.received.ToMilliseconds() / 1000 - time.time()) < 60 for item in items)
    wait_for(lambda: operator.operator.GetStatus(pb.GetStatusRequest()).vouchers_waiting == 0)
    assert reveal(operator, "bob") == []
    alice, bob = accounts(operator)
    assert (alice.opened, alice.revealed) == (THRESHOLD + 1, THRESHOLD + 1)
    assert (bob.opened, bob.revealed) == (THRESHOLD, 0)
    assert operator.operator.GetStatus(pb.GetStatusRequest()).accounts_revealed == 1


def test_a_reviewer_sees_reveals(connect: Connect, issue: Issue) -> None:
    assert reveal(connect(issue(Role.REVIEWER)), "alice") == []


def test_what_is_held_back_is_shown_to_operators_alone(operator: Client, connect: Connect, issue: Issue) -> None:
    wanted = pb.GetRevealRequest(account="alice", held_back=True)
    with refused("ROLE_FORBIDDEN"):
        list(connect(issue(Role.REVIEWER)).operator.GetReveal(wanted))
    assert list(operator.operator.GetReveal(wanted)) == []


def test_the_reveal_of_an_unknown_account_is_refused(operator: Client) -> None:
    with refused("ACCOUNT_UNKNOWN") as told:
        reveal(operator, "carol")
    assert told.code is grpc.StatusCode.NOT_FOUND


@pytest.mark.parametrize("name", ["", "x" * 65, "tab\there", "é"])
def test_a_name_that_no_account_can_have_is_refused(operator: Client, name: str) -> None:
    with refused("INVALID_REQUEST"):
        reveal(operator, name)
