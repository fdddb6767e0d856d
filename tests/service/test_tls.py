"""The server's certificates: made, renewed, kept apart from other users, and refused when they cannot serve."""

import ipaddress
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from tpsi.errors import CallerError
from tpsi_server.config import TlsOptions
from tpsi_server.tls import CIPHERS_VARIABLE, ServerTls, TlsError, server_tls
from tpsi_server.tls_authority import CA_LIFETIME, Authority, general_names

NOW = datetime(2030, 1, 1, tzinfo=UTC)
NAMES = ("localhost", "127.0.0.1", "::1")


def present(folder: Path, *names: str, now: datetime = NOW, host: str = "127.0.0.1") -> ServerTls:
    """What a server with a development CA presents."""
    tls = server_tls(TlsOptions(names=names), folder, host, now=now)
    assert tls is not None
    return tls


def verify(tls: ServerTls, folder: Path, name: str, now: datetime = NOW) -> None:
    """Verify a chain as a client does: path, time, key usages, name."""
    chain = x509.load_pem_x509_certificates(tls.chain)
    store = Store([x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes())])
    subject: x509.DNSName | x509.IPAddress
    try:
        subject = x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        subject = x509.DNSName(name)
    PolicyBuilder().store(store).time(now).build_server_verifier(subject).verify(chain[0], chain[1:])


def operator_files(
    folder: Path, *, names: tuple[str, ...] = NAMES, issued: datetime = NOW
) -> tuple[Path, Path, TlsOptions]:
    """A certificate and key as an operator would bring them."""
    pair = Authority.create(issued).issue(general_names(names), issued)
    certificate, key = folder / "mine.pem", folder / "mine.key"
    certificate.write_bytes(pair.certificate_pem)
    key.touch(mode=0o600)
    key.write_bytes(pair.key_pem)
    return certificate, key, TlsOptions(certificate, key)


def refused(options: TlsOptions, folder: Path, now: datetime = NOW) -> str:
    """The one line with which files are refused."""
    with pytest.raises(TlsError) as caught:
        server_tls(options, folder, "127.0.0.1", now=now)
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize("name", [*NAMES, "server.example", "192.0.2.7"])
def test_a_development_certificate_verifies_under_its_ca_for_every_name(tmp_path: Path, name: str) -> None:
    verify(present(tmp_path, "server.example", "192.0.2.7"), tmp_path, name)


def test_a_development_certificate_does_not_verify_for_another_name(tmp_path: Path) -> None:
    tls = present(tmp_path)
    with pytest.raises(VerificationError):
        verify(tls, tmp_path, "server.example")


def test_the_host_is_among_the_names_unless_it_means_all_addresses(tmp_path: Path) -> None:
    verify(present(tmp_path / "one", host="192.0.2.1"), tmp_path / "one", "192.0.2.1")
    tls = present(tmp_path / "all", host="0.0.0.0")  # noqa: S104
    with pytest.raises(VerificationError):
        verify(tls, tmp_path / "all", "0.0.0.0")  # noqa: S104


def test_the_certificate_of_another_ca_does_not_verify(tmp_path: Path) -> None:
    present(tmp_path / "ours")
    theirs = present(tmp_path / "theirs")
    with pytest.raises(VerificationError):
        verify(theirs, tmp_path / "ours", "localhost")


def test_private_keys_are_for_their_owner_alone(tmp_path: Path) -> None:
    present(tmp_path)
    keys, certificates = {"ca.key.pem", "server.key.pem"}, {"ca.pem", "server.pem"}
    assert {path.name for path in tmp_path.iterdir()} == {".lock"} | keys | certificates
    for path in tmp_path.iterdir():
        assert path.stat().st_mode & 0o077 == 0


def test_a_second_start_presents_the_same_certificate(tmp_path: Path) -> None:
    assert present(tmp_path).chain == present(tmp_path, now=NOW + timedelta(days=100)).chain


def test_a_certificate_about_to_expire_is_renewed_by_the_same_ca(tmp_path: Path) -> None:
    first = present(tmp_path)
    authority = (tmp_path / "ca.pem").read_bytes()
    later = first.not_after - timedelta(days=10)
    renewed = present(tmp_path, now=later)
    assert renewed.not_after > first.not_after + timedelta(days=100)
    assert (tmp_path / "ca.pem").read_bytes() == authority
    verify(renewed, tmp_path, "localhost", later)


def test_a_new_name_gets_a_new_certificate_of_the_same_ca_for_all_names(tmp_path: Path) -> None:
    present(tmp_path)
    authority = (tmp_path / "ca.pem").read_bytes()
    verify(present(tmp_path, "server.example"), tmp_path, "server.example")
    both = present(tmp_path, "192.0.2.7")
    for name in (*NAMES, "server.example", "192.0.2.7"):
        verify(both, tmp_path, name)
    assert both.chain == present(tmp_path).chain
    assert (tmp_path / "ca.pem").read_bytes() == authority


def test_a_ca_near_its_end_still_serves_and_an_ended_one_says_so(tmp_path: Path) -> None:
    present(tmp_path)
    near = NOW + CA_LIFETIME - timedelta(days=3)
    verify(present(tmp_path, now=near), tmp_path, "localhost", near)
    assert present(tmp_path, now=near).chain == present(tmp_path, now=near).chain
    assert "expired" in refused(TlsOptions(), tmp_path, NOW + CA_LIFETIME + timedelta(days=1))


@pytest.mark.parametrize("damaged", ["server.pem", "server.key.pem"])
def test_a_damaged_development_certificate_is_made_again(tmp_path: Path, damaged: str) -> None:
    present(tmp_path)
    (tmp_path / damaged).write_bytes(b"-----BEGIN NONSENSE-----\n")
    verify(present(tmp_path), tmp_path, "localhost")


def test_a_server_key_that_others_could_read_is_replaced(tmp_path: Path) -> None:
    present(tmp_path)
    key = tmp_path / "server.key.pem"
    old = key.read_bytes()
    key.chmod(0o644)
    present(tmp_path)
    assert key.read_bytes() != old
    assert key.stat().st_mode & 0o077 == 0


def test_an_interrupted_creation_is_begun_again(tmp_path: Path) -> None:
    """The key is written before the certificate, so a crash between them leaves a key alone."""
    present(tmp_path)
    (tmp_path / "ca.pem").unlink()
    verify(present(tmp_path), tmp_path, "localhost")


def test_a_missing_ca_key_is_refused(tmp_path: Path) -> None:
    present(tmp_path)
    (tmp_path / "ca.key.pem").unlink()
    assert "ca.key.pem cannot be read" in refused(TlsOptions(), tmp_path)


def test_a_ca_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    present(tmp_path)
    (tmp_path / "ca.key.pem").chmod(0o640)
    assert "chmod 600" in refused(TlsOptions(), tmp_path)


def test_a_ca_key_of_another_ca_is_refused(tmp_path: Path) -> None:
    present(tmp_path)
    (tmp_path / "ca.key.pem").write_bytes(Authority.create(NOW).key_pem)
    assert "is not the key of" in refused(TlsOptions(), tmp_path)


def test_an_impossible_host_name_is_refused(tmp_path: Path) -> None:
    for name in ("", "two words", "-dash.example", "a" * 64 + ".example", "*.example"):
        with pytest.raises(CallerError, match="neither a host name nor an address"):
            present(tmp_path, name)


def test_an_operators_certificate_is_presented_as_it_is(tmp_path: Path) -> None:
    certificate, key, options = operator_files(tmp_path)
    tls = server_tls(options, tmp_path, "127.0.0.1", now=NOW)
    assert tls is not None
    assert tls.chain == certificate.read_bytes()
    private = load_pem_private_key(tls.key.reveal(), None)
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    assert tls.authority is None
    assert not (tmp_path / "ca.pem").exists()
    assert key.read_bytes().hex() not in repr(tls)
    assert "PRIVATE" not in repr(tls)


def test_disabled_tls_presents_nothing(tmp_path: Path) -> None:
    assert server_tls(TlsOptions(disabled=True), tmp_path, "127.0.0.1") is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_an_operators_key_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    _, key, options = operator_files(tmp_path)
    key.chmod(mode)
    assert f"chmod 600 {key}" in refused(options, tmp_path)


def test_an_expired_certificate_is_refused(tmp_path: Path) -> None:
    _, _, options = operator_files(tmp_path)
    assert "expired on 2031-02-02" in refused(options, tmp_path, NOW + timedelta(days=398))


def test_a_certificate_that_is_not_yet_valid_is_refused(tmp_path: Path) -> None:
    _, _, options = operator_files(tmp_path)
    assert "not valid before" in refused(options, tmp_path, NOW - timedelta(days=1))


def test_the_key_of_another_certificate_is_refused(tmp_path: Path) -> None:
    _, key, options = operator_files(tmp_path)
    key.write_bytes(Authority.create(NOW).key_pem)
    assert "is not the key of the certificate" in refused(options, tmp_path)


def test_a_certificate_without_host_names_is_refused(tmp_path: Path) -> None:
    _, key, options = operator_files(tmp_path)
    authority = Authority.create(NOW)
    options.certificate.write_bytes(authority.certificate_pem)  # type: ignore[union-attr]
    key.write_bytes(authority.key_pem)
    assert "names no host" in refused(options, tmp_path)


def test_an_encrypted_key_is_refused(tmp_path: Path) -> None:
    _, key, options = operator_files(tmp_path)
    private = load_pem_private_key(key.read_bytes(), None)
    key.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"pass")))
    assert "is encrypted" in refused(options, tmp_path)


def test_a_kind_of_key_that_grpc_does_not_take_is_refused(tmp_path: Path) -> None:
    _, key, options = operator_files(tmp_path)
    private = ed25519.Ed25519PrivateKey.generate()
    key.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    assert "use EC P-256" in refused(options, tmp_path)


@pytest.mark.parametrize("content", [b"", b"hello", b"\xff" * 100])
def test_files_that_are_no_pem_are_refused(tmp_path: Path, content: bytes) -> None:
    certificate, key, options = operator_files(tmp_path)
    key.write_bytes(content)
    assert "is not a private key in PEM form" in refused(options, tmp_path)
    certificate.write_bytes(content)
    assert "is not a certificate in PEM form" in refused(options, tmp_path)


def test_missing_endless_and_unreadable_files_are_refused(tmp_path: Path) -> None:
    certificate, key, _ = operator_files(tmp_path)
    assert "cannot be read" in refused(TlsOptions(tmp_path / "none", key), tmp_path)
    assert "cannot be read" in refused(TlsOptions(tmp_path, key), tmp_path)
    assert "more than" in refused(TlsOptions(Path("/dev/zero"), key), tmp_path)
    assert "cannot be read" in refused(TlsOptions(certificate, tmp_path / "none"), tmp_path)


DEMAND = """
import os, sys
from tpsi_server import tls
{before}
print(tls.demand_tls_1_3(), os.environ.get(tls.CIPHERS_VARIABLE))
"""


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("", "True ECDHE-PSK-CHACHA20-POLY1305"),
        ("import grpc", "False None"),
        ("os.environ[tls.CIPHERS_VARIABLE] = 'ECDHE+AESGCM'", "False ECDHE+AESGCM"),
    ],
)
def test_tls_1_3_is_demanded_before_grpc_is_imported_and_unless_the_operator_chose(before: str, expected: str) -> None:
    program = DEMAND.format(before=before)
    environment = {name: value for name, value in os.environ.items() if name != CIPHERS_VARIABLE}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.strip() == expected
