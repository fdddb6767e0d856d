"""Clients that show certificates: every fault of one, every role with every call, and their end by revocation."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import grpc
import pytest
from grpc import StatusCode

from tests.service.conftest import Issue
from tests.service.test_auth import EXPECTED, bearer, methods, outcome, path_of
from tests.support.client_certificates import DAY, Shown, for_a_server, of_authority, self_signed
from tests.support.refusals import refused
from tests.support.server_data import TestEpoch
from tests.support.serving import PATIENCE, Client, Served, ServerThread, raw_call, serving
from tpsi_proto import tpsi_pb2 as pb
from tpsi_server import OperatorError, Role, Runtime
from tpsi_server.certificates import Certificates, fingerprint_of
from tpsi_server.tls import ServerTls, development_authority
from tpsi_server.tls_authority import Authority

WHO_AM_I = "/tpsi.v1.VoucherService/WhoAmI"
NOW = datetime.now(UTC)


@pytest.fixture
def authority(tls: ServerTls) -> Authority:
    """The development CA of the server."""
    assert tls.authority is not None
    return development_authority(tls.authority.parent, NOW)


@pytest.fixture
def server(runtime: Runtime, tls: ServerTls) -> Iterator[ServerThread]:
    """The runtime on the network, with a port for certificates."""
    with serving(runtime, tls, certificate_port=0) as running:
        yield running


Enter = Callable[..., Served]


@pytest.fixture
def enter(server: ServerThread, runtime: Runtime, authority: Authority) -> Enter:
    """`enter(role, account)`: where to connect with a new, registered certificate."""

    def make(role: Role = Role.DEVICE, account: str | None = "alice") -> Served:
        own = account if role is Role.DEVICE else None
        issued = runtime.certificates.issue(authority, role, own)
        return replace(server.for_certificates, shown=(issued.key.reveal(), issued.certificate.encode()))

    return make


def who_am_i(served: Served, *metadata: tuple[str, str]) -> str:
    """The account that a caller is taken for."""
    with served.channel() as channel:
        (answer,) = raw_call(channel, WHO_AM_I, metadata=metadata)
        return pb.WhoAmIResponse.FromString(answer).account


def shut_out(served: Served, shown: Shown | None) -> None:
    """There is no connection: the handshake fails."""
    with pytest.raises(grpc.RpcError) as caught:
        who_am_i(replace(served, shown=None if shown is None else shown.pair))
    assert caught.value.code() is StatusCode.UNAVAILABLE


def test_a_certificate_stands_for_its_account(enter: Enter) -> None:
    assert who_am_i(enter()) == "alice"
    assert who_am_i(enter(account="bob")) == "bob"


def test_a_certificate_of_any_origin_stands_for_its_account_once_it_is_registered(
    server: ServerThread, runtime: Runtime, authority: Authority
) -> None:
    foreign = of_authority(Authority.create(NOW))
    for shown in (foreign, self_signed()):
        shut_out(server.for_certificates, shown)
        runtime.certificates.register(shown.x509, Role.DEVICE, "alice", authority)
        assert who_am_i(replace(server.for_certificates, shown=shown.pair)) == "alice"


@pytest.mark.parametrize("role", Role)
def test_every_call_is_answered_for_its_roles_and_refused_to_others(enter: Enter, role: Role) -> None:
    with enter(role).channel() as channel:
        for method in methods():
            if role in EXPECTED[method.name]:
                assert outcome(channel, path_of(method)) in (StatusCode.OK, StatusCode.INVALID_ARGUMENT)
            else:
                with refused("ROLE_FORBIDDEN") as told:
                    raw_call(channel, path_of(method))
                assert told.code is StatusCode.PERMISSION_DENIED


def test_no_certificate_does_not_connect(server: ServerThread) -> None:
    shut_out(server.for_certificates, None)


def test_no_certificate_does_not_connect_even_with_a_token(server: ServerThread, issue: Issue) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        who_am_i(server.for_certificates, *bearer(issue()))
    assert caught.value.code() is StatusCode.UNAVAILABLE


def test_plaintext_does_not_connect(server: ServerThread) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        who_am_i(Served(server.for_certificates.port, None))
    assert caught.value.code() is StatusCode.UNAVAILABLE


def test_a_certificate_of_another_ca_does_not_connect(server: ServerThread) -> None:
    shut_out(server.for_certificates, of_authority(Authority.create(NOW)))


def test_a_self_signed_certificate_does_not_connect(server: ServerThread) -> None:
    shut_out(server.for_certificates, self_signed())


def test_a_certificate_for_servers_does_not_connect(server: ServerThread, authority: Authority) -> None:
    shut_out(server.for_certificates, for_a_server(authority))


def test_the_servers_own_certificate_does_not_connect(server: ServerThread, tls: ServerTls) -> None:
    shut_out(server.for_certificates, Shown(tls.key.reveal(), tls.chain))


def test_an_expired_certificate_does_not_connect(server: ServerThread, authority: Authority) -> None:
    shut_out(server.for_certificates, of_authority(authority, issued=NOW - 10 * DAY))


def test_a_certificate_that_is_not_yet_valid_does_not_connect(server: ServerThread, authority: Authority) -> None:
    shut_out(server.for_certificates, of_authority(authority, issued=NOW + 10 * DAY))


def test_a_registered_foreign_certificate_does_not_connect_when_it_has_expired(
    server: ServerThread, runtime: Runtime, authority: Authority
) -> None:
    """A trusted certificate is still checked for its time."""
    shown = self_signed(end=NOW + timedelta(days=2))
    runtime.certificates.register(shown.x509, Role.DEVICE, "alice", authority)
    late = self_signed(start=NOW - 3 * DAY, end=NOW - DAY)
    past = Certificates(runtime.store, clock=(NOW - 2 * DAY).timestamp)
    past.register(late.x509, Role.DEVICE, "alice", authority)
    assert who_am_i(replace(server.for_certificates, shown=shown.pair)) == "alice"
    shut_out(server.for_certificates, late)


def test_a_certificate_of_the_ca_that_nobody_registered_is_refused(server: ServerThread, authority: Authority) -> None:
    unregistered = replace(server.for_certificates, shown=of_authority(authority).pair)
    with refused("CERTIFICATE_UNKNOWN") as told:
        who_am_i(unregistered)
    assert told.code is StatusCode.UNAUTHENTICATED


def test_a_certificate_with_the_key_of_another_does_not_connect(server: ServerThread, authority: Authority) -> None:
    first, second = of_authority(authority), of_authority(authority)
    shut_out(server.for_certificates, Shown(second.key, first.certificate))


def test_a_certificate_whose_registration_has_run_out_is_refused(
    enter: Enter, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a connection that was made while it was good."""
    with enter().channel() as channel:
        raw_call(channel, WHO_AM_I)
        monkeypatch.setattr(runtime.certificates, "_clock", lambda: time.time() + 3 * 365 * 86_400)
        with refused("CERTIFICATE_EXPIRED") as told:
            raw_call(channel, WHO_AM_I)
    assert told.code is StatusCode.UNAUTHENTICATED


def test_a_revoked_certificate_is_refused_on_old_and_new_connections(enter: Enter, runtime: Runtime) -> None:
    served = enter()
    with served.channel() as channel:
        raw_call(channel, WHO_AM_I)
        runtime.certificates.revoke(runtime.store.certificates.all()[-1].id)
        with refused("CERTIFICATE_REVOKED") as told:
            raw_call(channel, WHO_AM_I)
    assert told.code is StatusCode.UNAUTHENTICATED
    with refused("CERTIFICATE_REVOKED"):
        who_am_i(served)


def test_a_revoked_foreign_certificate_does_not_connect_any_more(
    server: ServerThread, runtime: Runtime, authority: Authority
) -> None:
    shown = self_signed()
    number = runtime.certificates.register(shown.x509, Role.DEVICE, "alice", authority)
    served = replace(server.for_certificates, shown=shown.pair)
    with served.channel() as channel:
        raw_call(channel, WHO_AM_I)
        runtime.certificates.revoke(number)
        with refused("CERTIFICATE_REVOKED"):
            raw_call(channel, WHO_AM_I)
    shut_out(server.for_certificates, shown)


def test_a_certificate_of_a_revoked_account_is_refused_and_those_of_others_are_not(
    enter: Enter, runtime: Runtime
) -> None:
    alice, bob = enter(), enter(account="bob")
    runtime.accounts.revoke_account("alice")
    with refused("CERTIFICATE_REVOKED"):
        who_am_i(alice)
    assert who_am_i(bob) == "bob"


def test_a_token_beside_a_certificate_has_to_stand_for_the_same_caller(enter: Enter, issue: Issue) -> None:
    served = enter()
    assert who_am_i(served, *bearer(issue())) == "alice"
    for token in (issue(account="bob"), issue(Role.OPERATOR)):
        with refused("CREDENTIALS_CONFLICT") as told:
            who_am_i(served, *bearer(token))
        assert told.code is StatusCode.UNAUTHENTICATED
    with refused("TOKEN_UNKNOWN"):
        who_am_i(served, *bearer("tpsi_" + "x" * 43))


def test_a_certificate_does_not_speak_on_the_port_for_tokens(server: ServerThread, enter: Enter) -> None:
    with refused("TOKEN_MISSING"):
        who_am_i(replace(server.served, shown=enter().shown))


@pytest.mark.parametrize(("role", "account"), [(Role.DEVICE, None), (Role.OPERATOR, "alice"), (Role.REVIEWER, "alice")])
def test_role_and_account_have_to_fit(runtime: Runtime, authority: Authority, role: Role, account: str | None) -> None:
    with pytest.raises(ValueError, match="belongs to an account"):
        runtime.certificates.issue(authority, role, account)


def test_a_certificate_is_registered_once_and_for_an_account_that_is_there(
    runtime: Runtime, authority: Authority
) -> None:
    shown = self_signed()
    runtime.certificates.register(shown.x509, Role.DEVICE, "alice", authority)
    with pytest.raises(OperatorError, match="registered already"):
        runtime.certificates.register(shown.x509, Role.DEVICE, "bob", authority)
    with pytest.raises(OperatorError, match="no account"):
        runtime.certificates.issue(authority, Role.DEVICE, "nobody")
    (record,) = runtime.store.certificates.all()
    assert record.fingerprint == fingerprint_of(shown.x509)


# ---------------------------------------------------------------- revocation in the middle of a call


def held_upload(client: Client, epoch: TestEpoch) -> tuple[Iterator[pb.BatchAck], threading.Event]:
    """An upload that has been acknowledged once and then says nothing, until it is told to end."""
    end = threading.Event()

    def batches() -> Iterator[pb.UploadBatch]:
        yield pb.UploadBatch(sequence=1, vouchers=epoch.seal(["one"]))
        end.wait(PATIENCE)

    acks = client.vouchers.Upload(batches())
    assert next(acks).stored == 1
    return acks, end


def test_revoking_a_certificate_cuts_an_upload_that_stands_still(
    enter: Enter, runtime: Runtime, epoch: TestEpoch
) -> None:
    with enter().channel() as channel:
        acks, end = held_upload(Client(channel, None), epoch)
        runtime.certificates.revoke(runtime.store.certificates.all()[-1].id)
        with refused("CERTIFICATE_REVOKED"):
            next(acks)
        end.set()


@pytest.mark.parametrize("how", ["token", "account"])
def test_revoking_a_token_or_account_cuts_its_uploads_and_no_others(
    server: ServerThread, runtime: Runtime, epoch: TestEpoch, issue: Issue, how: str
) -> None:
    issued = runtime.accounts.issue(Role.DEVICE, "alice")
    with (
        server.served.client(issued.token.reveal().decode()) as client,
        server.served.client(issue(account="bob")) as bob,
    ):
        acks, end = held_upload(client, epoch)
        theirs, their_end = held_upload(bob, epoch)
        if how == "token":
            runtime.accounts.revoke_token(issued.token_id)
        else:
            runtime.accounts.revoke_account("alice")
        with refused("TOKEN_REVOKED"):
            next(acks)
        their_end.set()
        assert list(theirs) == []
        end.set()


def test_a_token_that_expires_cuts_its_upload(server: ServerThread, issue: Issue, epoch: TestEpoch) -> None:
    with server.served.client(issue(lifetime=2.0)) as client:
        acks, end = held_upload(client, epoch)
        with refused("TOKEN_EXPIRED"):
            next(acks)
        end.set()
