"""Who may call what: every token fault, and every call of the contract with every role."""

import itertools
import time

import grpc
import pytest
from google.protobuf.descriptor import MethodDescriptor
from grpc import StatusCode

from tests.service.conftest import Connect, Issue
from tests.support.refusals import refused
from tests.support.serving import ServerThread, raw_call
from tpsi_proto import tpsi_pb2 as pb
from tpsi_server import Role, Runtime
from tpsi_server.service.auth import ROLES

WHO_AM_I = "/tpsi.v1.VoucherService/WhoAmI"
DEVICE, OPERATOR, REVIEWER, AUDITOR = Role.DEVICE, Role.OPERATOR, Role.REVIEWER, Role.AUDITOR
#: Written down a second time, so that a change in the service's table is a decision.
EXPECTED = {
    "GetManifest": {DEVICE, OPERATOR, AUDITOR},
    "GetTableDigests": {DEVICE, OPERATOR, AUDITOR},
    "DownloadTable": {DEVICE, OPERATOR, AUDITOR},
    "GetCanary": {DEVICE, OPERATOR, AUDITOR},
    "WhoAmI": {DEVICE},
    "Upload": {DEVICE},
    "GetCheckpoint": {DEVICE, OPERATOR, AUDITOR},
    "GetInclusionProof": {DEVICE, OPERATOR, AUDITOR},
    "GetConsistencyProof": {DEVICE, OPERATOR, AUDITOR},
    "GetEntries": {DEVICE, OPERATOR, AUDITOR},
    "GetNotices": {DEVICE},
    "GetStatus": {OPERATOR, REVIEWER},
    "ListAccounts": {OPERATOR, REVIEWER},
    "GetReveal": {OPERATOR, REVIEWER},
}


def methods() -> list[MethodDescriptor]:
    """Every call of the contract."""
    return [method for service in pb.DESCRIPTOR.services_by_name.values() for method in service.methods]


def path_of(method: MethodDescriptor) -> str:
    """The name of a call on the wire."""
    return f"/{method.containing_service.full_name}/{method.name}"


def bearer(token: str) -> list[tuple[str, str]]:
    """The metadata of a call."""
    return [("authorization", f"Bearer {token}")]


def outcome(channel: grpc.Channel, path: str, token: str | None = None) -> StatusCode:
    """The status of a call with an empty message, which every call of the contract can read."""
    try:
        raw_call(channel, path, b"", [] if token is None else bearer(token))
    except grpc.RpcError as error:
        return error.code()
    return StatusCode.OK


def test_every_call_of_the_contract_has_its_roles() -> None:
    assert {path_of(method) for method in methods()} == set(ROLES)
    assert {method.name for method in methods()} == set(EXPECTED)
    assert {path.rpartition("/")[2]: set(roles) for path, roles in ROLES.items()} == EXPECTED


@pytest.mark.parametrize("role", Role)
def test_every_call_is_answered_for_its_roles_and_refused_to_others(
    server: ServerThread, issue: Issue, role: Role
) -> None:
    """An empty message gets as far as the servicer, which finds it wrong, or answers."""
    token = issue(role)
    with server.served.channel() as channel:
        for method in methods():
            if role in EXPECTED[method.name]:
                assert outcome(channel, path_of(method), token) in (StatusCode.OK, StatusCode.INVALID_ARGUMENT)
            else:
                with refused("ROLE_FORBIDDEN") as told:
                    raw_call(channel, path_of(method), b"", bearer(token))
                assert told.code is StatusCode.PERMISSION_DENIED


@pytest.mark.parametrize("method", methods(), ids=lambda method: method.name)
def test_no_call_is_answered_without_a_token(server: ServerThread, method: MethodDescriptor) -> None:
    with server.served.channel() as channel, refused("TOKEN_MISSING") as told:
        raw_call(channel, path_of(method))
    assert told.code is StatusCode.UNAUTHENTICATED


@pytest.mark.parametrize("path", ["/tpsi.v1.TableService/Nothing", "/tpsi.v2.TableService/GetManifest", "/x/y", "/"])
def test_a_call_that_does_not_exist_is_refused_to_everybody(server: ServerThread, issue: Issue, path: str) -> None:
    for metadata in ([], *(bearer(issue(role)) for role in Role)):
        with server.served.channel() as channel, refused("INVALID_REQUEST") as told:
            raw_call(channel, path, b"", metadata)
        assert told.code is StatusCode.UNIMPLEMENTED


def test_a_call_that_is_in_no_table_is_refused_to_everybody(
    server: ServerThread, issue: Issue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(ROLES, WHO_AM_I)
    for role in Role:
        with server.served.channel() as channel, refused("INVALID_REQUEST") as told:
            raw_call(channel, WHO_AM_I, b"", bearer(issue(role)))
        assert told.code is StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize("value", ["", "Bearer", "Bearer ", "Basic YTpi", "token"])
def test_a_header_without_a_bearer_token_is_a_missing_token(server: ServerThread, value: str) -> None:
    with server.served.channel() as channel, refused("TOKEN_MISSING"):
        raw_call(channel, WHO_AM_I, b"", [("authorization", value)])


def test_the_scheme_is_read_whatever_its_case(server: ServerThread, issue: Issue) -> None:
    with server.served.channel() as channel:
        raw_call(channel, WHO_AM_I, b"", [("authorization", f"bEARER  {issue()}")])


def test_two_tokens_or_an_endless_one_are_refused(server: ServerThread, issue: Issue) -> None:
    token = issue()
    for metadata in (bearer(token) + bearer(token), bearer("x" * 2000)):
        with server.served.channel() as channel, refused("INVALID_REQUEST"):
            raw_call(channel, WHO_AM_I, b"", metadata)


def test_a_foreign_token_is_unknown(connect: Connect, issue: Issue) -> None:
    token = issue()
    changed = token[:-1] + ("a" if token[-1] != "a" else "b")
    for foreign in (changed, token[:-1], token + "a", "x", "y" * 500):
        with refused("TOKEN_UNKNOWN") as told:
            connect(foreign).vouchers.WhoAmI(pb.WhoAmIRequest())
        assert told.code is StatusCode.UNAUTHENTICATED
        assert token not in told.text


def test_an_expired_token_is_refused(connect: Connect, issue: Issue) -> None:
    client = connect(issue(lifetime=0.001))
    time.sleep(0.01)
    with refused("TOKEN_EXPIRED") as told:
        client.vouchers.WhoAmI(pb.WhoAmIRequest())
    assert told.code is StatusCode.UNAUTHENTICATED


def test_a_revoked_token_is_refused_and_others_of_the_account_are_not(connect: Connect, runtime: Runtime) -> None:
    issued = [runtime.accounts.issue(Role.DEVICE, "alice") for _ in range(2)]
    runtime.accounts.revoke_token(issued[0].token_id)
    with refused("TOKEN_REVOKED") as told:
        connect(issued[0].token.reveal().decode()).vouchers.WhoAmI(pb.WhoAmIRequest())
    assert told.code is StatusCode.UNAUTHENTICATED
    connect(issued[1].token.reveal().decode()).vouchers.WhoAmI(pb.WhoAmIRequest())


def test_every_token_of_a_revoked_account_is_refused(connect: Connect, issue: Issue, runtime: Runtime) -> None:
    tokens = [issue(), issue(), issue(account="bob")]
    runtime.accounts.revoke_account("alice")
    for token in tokens[:2]:
        with refused("TOKEN_REVOKED"):
            connect(token).vouchers.WhoAmI(pb.WhoAmIRequest())
    assert connect(tokens[2]).vouchers.WhoAmI(pb.WhoAmIRequest()).account == "bob"


def test_calls_at_the_same_time_are_each_their_own_caller(connect: Connect, issue: Issue) -> None:
    clients = [connect(issue(account=name)) for name in ("alice", "bob")]
    calls = [(client, name) for client, name in zip(itertools.cycle(clients), ["alice", "bob"] * 20, strict=False)]
    futures = [(client.vouchers.start("WhoAmI", pb.WhoAmIRequest()), name) for client, name in calls]
    for future, name in futures:
        assert future.result(20).account == name
