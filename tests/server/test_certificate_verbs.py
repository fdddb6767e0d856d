"""The verbs for client certificates."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.server.command import Run, is_one_line, parsed
from tests.server.site import Site
from tests.support.client_certificates import Shown, of_authority, self_signed
from tpsi_server.certificates import fingerprint_of
from tpsi_server.tls import development_authority


@pytest.fixture(autouse=True)
def alice(run: Run) -> None:
    assert run("account", "add", "alice")[0] == 0


def test_a_certificate_and_its_key_go_into_one_private_file(run: Run, site: Site, tmp_path: Path) -> None:
    file = tmp_path / "operator.pem"
    shown = parsed(run("certificate", "add", "--role", "operator", "--to", file, "--json"))
    assert (shown["role"], shown["account"], shown["file"]) == ("operator", None, str(file))
    assert file.stat().st_mode & 0o077 == 0
    content = file.read_bytes()
    authority = development_authority(site.folder.tls, datetime.now(UTC))
    assert authority.issued(Shown(content, content).x509)
    assert b"PRIVATE KEY" in content
    (listed,) = parsed(run("certificate", "list", "--json"))
    assert (listed["id"], listed["revoked"]) == (shown["certificate_id"], None)
    assert run("certificate", "list")[1].count("\n") == 2


def test_a_certificate_that_is_there_is_registered_by_its_fingerprint(run: Run, tmp_path: Path) -> None:
    shown, file = self_signed(), tmp_path / "mine.pem"
    file.write_bytes(shown.certificate)
    record = parsed(run("certificate", "add", "alice", "--certificate", file, "--json"))
    assert record["fingerprint"] == fingerprint_of(shown.x509).hex()
    status, _, errors = run("certificate", "add", "alice", "--certificate", file)
    assert (status, is_one_line(errors)) == (1, True)
    assert "registered already" in errors


def test_a_revoked_certificate_is_listed_as_such(run: Run, tmp_path: Path) -> None:
    number = parsed(run("certificate", "add", "alice", "--to", tmp_path / "a.pem", "--json"))["certificate_id"]
    assert run("certificate", "revoke", number, "--yes") == (0, "revoked\n", "")
    (listed,) = parsed(run("certificate", "list", "--json"))
    assert listed["revoked"] is not None
    status, _, errors = run("certificate", "revoke", 99, "--yes")
    assert (status, is_one_line(errors)) == (1, True)


def test_what_does_not_fit_together_is_refused_in_one_line(run: Run, site: Site, tmp_path: Path) -> None:
    expired = tmp_path / "expired.pem"
    authority = development_authority(site.folder.tls, datetime.now(UTC))
    expired.write_bytes(of_authority(authority, issued=datetime(2020, 1, 1, tzinfo=UTC)).certificate)
    for arguments, says in (
        (("alice",), "where the private key goes"),
        (("alice", "--to", tmp_path / "a", "--enrolment", tmp_path / "b"), "where the private key goes"),
        (("--to", tmp_path / "a"), "is for an account"),
        (("alice", "--role", "auditor", "--to", tmp_path / "a"), "is for none"),
        (("nobody", "--to", tmp_path / "a"), "no account 'nobody'"),
        (("alice", "--certificate", expired), "has expired"),
        (("alice", "--certificate", tmp_path / "none"), "cannot be read"),
        (("alice", "--certificate", expired, "--to", tmp_path / "a"), "needs no other option"),
        (("alice", "--to", expired), "there is a file"),
    ):
        status, output, errors = run("certificate", "add", *arguments)
        assert (status, output, is_one_line(errors)) == (1, "", True), arguments
        assert says in errors
    assert not (tmp_path / "a").exists()
    assert parsed(run("certificate", "list", "--json")) == []
