"""Accounts and tokens: who gets in, who does not, and what the server keeps of a token."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.server.site import Site
from tpsi import Secret
from tpsi.errors import CallerError
from tpsi_client.enrolment import Enrolment as DeviceEnrolment
from tpsi_server import Accounts, OperatorError, Reason, RefusedError, Role, Store
from tpsi_server.accounts import TOKEN_LENGTH
from tpsi_server.enrolment import Enrolment


@pytest.fixture
def store(empty_site: Site) -> Iterator[Store]:
    """The store of a server that was just set up."""
    with empty_site.store() as opened:
        yield opened


@pytest.fixture
def accounts(empty_site: Site, store: Store) -> Accounts:
    """Accounts whose time is the site's."""
    return Accounts(store, clock=empty_site.clock)


def issue(accounts: Accounts, role: Role = Role.DEVICE, account: str | None = "alice", **options: float) -> str:
    return accounts.issue(role, account, **options).token.reveal().decode()


def refusal(accounts: Accounts, token: str | None) -> Reason:
    with pytest.raises(RefusedError) as error:
        accounts.authenticate(token)
    assert token is None or len(token) < 5 or token not in str(error.value)
    return error.value.reason


def test_a_token_stands_for_its_account_and_role(accounts: Accounts) -> None:
    accounts.create("alice")
    device = accounts.authenticate(issue(accounts))
    assert (device.role, device.account) == (Role.DEVICE, "alice")
    for role in (Role.OPERATOR, Role.REVIEWER, Role.AUDITOR):
        found = accounts.authenticate(issue(accounts, role, None))
        assert (found.role, found.account) == (role, None)


def test_a_token_has_256_random_bits_and_a_prefix(accounts: Accounts) -> None:
    accounts.create("alice")
    tokens = {issue(accounts) for _ in range(50)}
    assert len(tokens) == 50
    assert all(token.startswith("tpsi_") and len(token) == TOKEN_LENGTH == 48 for token in tokens)


def test_the_token_is_not_in_the_store_nor_in_words(empty_site: Site, accounts: Accounts, store: Store) -> None:
    accounts.create("alice")
    issued = accounts.issue(Role.DEVICE, "alice")
    token = issued.token.reveal().decode()
    assert token not in repr(issued)
    store.close()
    files = [path for path in empty_site.folder.path.rglob("*") if path.is_file()]
    assert all(token.encode() not in path.read_bytes() for path in files)


@pytest.mark.parametrize(
    "token", ["x", "tpsi_", "tpsi_" + "A" * 43, "tpsi_" + "A" * 44, "tpsi_" + "ü" * 43, "A" * 100_000, "\0" * 48]
)
def test_a_foreign_token_is_unknown(accounts: Accounts, token: str) -> None:
    assert refusal(accounts, token) is Reason.TOKEN_UNKNOWN


def test_an_almost_right_token_is_unknown(accounts: Accounts) -> None:
    accounts.create("alice")
    token = issue(accounts)
    for wrong in (token[:-1] + ("A" if token[-1] != "A" else "B"), token.lower(), token[:-1], f" {token[1:]}"):
        assert refusal(accounts, wrong) is Reason.TOKEN_UNKNOWN


@pytest.mark.parametrize("token", [None, ""])
def test_no_token_is_missing(accounts: Accounts, token: str | None) -> None:
    assert refusal(accounts, token) is Reason.TOKEN_MISSING


def test_a_token_expires(empty_site: Site, accounts: Accounts) -> None:
    accounts.create("alice")
    token = issue(accounts, lifetime=60.0)
    empty_site.now += 59
    accounts.authenticate(token)
    empty_site.now += 1
    assert refusal(accounts, token) is Reason.TOKEN_EXPIRED


def test_a_revoked_token_is_refused_and_the_others_are_not(accounts: Accounts) -> None:
    accounts.create("alice")
    first, second = accounts.issue(Role.DEVICE, "alice"), issue(accounts)
    accounts.revoke_token(first.token_id)
    assert refusal(accounts, first.token.reveal().decode()) is Reason.TOKEN_REVOKED
    accounts.authenticate(second)


def test_a_revoked_account_takes_its_tokens_with_it(accounts: Accounts) -> None:
    accounts.create("alice")
    accounts.create("bob")
    alice, bob = issue(accounts), issue(accounts, account="bob")
    accounts.revoke_account("alice")
    assert refusal(accounts, alice) is Reason.TOKEN_REVOKED
    accounts.authenticate(bob)
    with pytest.raises(OperatorError):
        issue(accounts)


@pytest.mark.parametrize(("role", "account"), [(Role.DEVICE, None), (Role.OPERATOR, "alice"), (Role.REVIEWER, "alice")])
def test_role_and_account_must_fit(accounts: Accounts, role: Role, account: str | None) -> None:
    accounts.create("alice")
    with pytest.raises(CallerError):
        accounts.issue(role, account)


@pytest.mark.parametrize("lifetime", [0.0, -1.0, 1e30, float("nan"), float("inf")])
def test_impossible_lifetimes_are_refused(accounts: Accounts, lifetime: float) -> None:
    accounts.create("alice")
    with pytest.raises(CallerError):
        accounts.issue(Role.DEVICE, "alice", lifetime=lifetime)


@pytest.mark.parametrize("name", ["", "a" * 65, "ä", "a\n", "\x7f"])
def test_names_that_no_voucher_can_carry_are_refused(accounts: Accounts, name: str) -> None:
    with pytest.raises(CallerError):
        accounts.create(name)


def test_an_account_is_added_once(accounts: Accounts) -> None:
    accounts.create("alice")
    with pytest.raises(OperatorError, match="already"):
        accounts.create("alice")


def test_what_is_not_there_cannot_be_revoked(accounts: Accounts) -> None:
    with pytest.raises(OperatorError):
        accounts.revoke_account("nobody")
    with pytest.raises(OperatorError):
        accounts.revoke_token(7)


def test_accounts_come_in_pages_by_name(accounts: Accounts, store: Store) -> None:
    names = sorted(f"account {number}" for number in range(25))
    for name in reversed(names):
        accounts.create(name)
    first = store.accounts.page(limit=10)
    second = store.accounts.page(first[-1].name, 100)
    assert [record.name for record in [*first, *second]] == names


# ---------------------------------------------------------------- enrolment


def enrolment(site: Site, server: str = "tpsi.example:50051") -> Enrolment:
    return Enrolment(server, None, site.folder.identity(), "alice", Secret(b"tpsi_" + b"A" * 43), 5)


def test_a_device_reads_the_enrolment_file(empty_site: Site, tmp_path: Path) -> None:
    path = tmp_path / "alice.json"
    enrolment(empty_site, "[::1]:443").write(path)
    found = DeviceEnrolment.decode(path.read_bytes())
    identity = empty_site.folder.identity()
    assert (found.list_id, found.list_name, found.server_key) == (
        identity.list_id,
        identity.name,
        identity.server_key,
    )
    assert (found.account, found.lowest_threshold) == ("alice", 5)


def test_the_enrolment_file_has_the_documented_members(empty_site: Site) -> None:
    value = json.loads(enrolment(empty_site).encode())
    documented = {"tpsi_enrolment", "server", "ca", "list", "list_name", "server_key", "account", "token"}
    assert set(value) == documented | {"lowest_threshold", "auditor_keys", "auditors_needed"}
    assert value["server"] == "tpsi.example:50051"


def test_the_enrolment_file_suggests_auditors(empty_site: Site) -> None:
    keys = b"\x01" * 32, b"\x02" * 32
    some = replace(enrolment(empty_site), auditor_keys=keys, auditors_needed=1)
    found = DeviceEnrolment.decode(some.encode())
    assert (found.auditor_keys, found.auditors_needed) == (keys, 1)
    with pytest.raises(CallerError, match="of 2 auditors"):
        replace(some, auditors_needed=3)


def test_the_enrolment_file_is_private_and_overwrites_nothing(empty_site: Site, tmp_path: Path) -> None:
    path = tmp_path / "alice.json"
    enrolment(empty_site).write(path)
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(OperatorError, match="already"):
        enrolment(empty_site).write(path)
    assert "AAAA" not in repr(enrolment(empty_site))


@pytest.mark.parametrize("server", ["", "host", "host:", ":1", "host:0", "host:65536", "host:1x", "::1:443", "h:٣"])
def test_an_address_that_is_none_is_refused(empty_site: Site, server: str) -> None:
    with pytest.raises(CallerError, match="host:port"):
        enrolment(empty_site, server)


def test_the_host_of_an_address_is_without_brackets(empty_site: Site) -> None:
    assert enrolment(empty_site, "[::1]:443").host == "::1"
    assert enrolment(empty_site).host == "tpsi.example"
