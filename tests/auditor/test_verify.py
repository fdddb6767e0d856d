"""`tpsi-audit verify`: what it establishes, and every way in which an operator cheats and is refused."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.auditor.conftest import BOTH, CLINIC, OPTIONS, POLICE, PUBLISHED, Run, builder, packed, ring, write_list
from tests.support.server_data import add_source
from tests.support.world import md5
from tpsi import DecodeError, Pins, SignedManifest, SyntheticMode, VerificationError, accept
from tpsi.audit import AuditError, Reason
from tpsi.audit import package as names
from tpsi.detached import DetachedSignature
from tpsi_audit import Package, RefusedError, verify
from tpsi_server import DataFolder, OperatorError, Store
from tpsi_server.auditing import accept as accept_signature
from tpsi_server.auditing import prepare
from tpsi_server.tables import MANIFEST_FILE, epoch_folder


def test_the_whole_way_from_package_to_device(
    data: DataFolder, package: Path, key: Path, audit: Run, tmp_path: Path
) -> None:
    ours = write_list(tmp_path / "ours.txt", BOTH)
    signature = tmp_path / "signature"
    server_key = data.identity().server_key
    ran = audit(
        "verify", package, "--list", ours, "--server-key", server_key.hex(), "--sign-with", key, "--to", signature
    )
    assert (ran.status, ran.err) == (0, "")
    assert f"exactly the {len(BOTH)} hashes of your list" in ran.out
    assert "there is room for no other hash" in ran.out
    with Store.open(data.database) as store:
        manifest, count = accept_signature(data, store, signature.read_bytes())
    assert (manifest.epoch, count) == (1, 1)
    envelope = SignedManifest.decode((epoch_folder(data, 1) / MANIFEST_FILE).read_bytes())
    auditor = bytes.fromhex((tmp_path / "auditor.key.pub").read_text().strip())
    pins = Pins(manifest.list_id, server_key, 1, modes=tuple(SyntheticMode), auditor_keys=(auditor,))
    assert accept(envelope, pins, None) == manifest


def test_the_rule_of_admission_is_checked_with_the_sources_own_lists(package: Path, audit: Run, tmp_path: Path) -> None:
    clinic, police = write_list(tmp_path / "c", CLINIC), write_list(tmp_path / "p", POLICE)
    ran = audit("verify", package, "--source", f"clinic={clinic}", "--source", f"police={police}", "--json")
    assert ran.status == 0
    report = json.loads(ran.out)
    assert any("your copies of the lists of 2 sources" in line for line in report["established"])
    assert any("(80 are kept out by it)" in line for line in report["established"])
    assert report["signature"] is None


def test_without_lists_of_its_own_an_auditor_is_told_that_it_trusts_the_server(package: Path, audit: Run) -> None:
    ran = audit("verify", package)
    assert ran.status == 0
    assert "exported" in ran.out
    assert "nobody but the server says so" in ran.out
    assert "whether this is the key that devices pin" in ran.out
    assert "Nothing was signed." in ran.out


# ------------------------------------------------------------------ an operator who cheats


def slipped(data: DataFolder, tmp_path: Path) -> Path:
    """The package of an epoch into which one hash was slipped, under the names of both sources."""
    with Store.open(data.database) as store:
        add_source(store, "clinic", [*CLINIC, md5("slipped in")])
        add_source(store, "police", [*POLICE, md5("slipped in")])
        builder(data, store).build(OPTIONS)
    return packed(data, tmp_path / "second", 2).path


def test_a_hash_that_was_slipped_in_is_refused_and_named(
    data: DataFolder, audit: Run, key: Path, tmp_path: Path
) -> None:
    package, ours = slipped(data, tmp_path), write_list(tmp_path / "ours.txt", BOTH)
    ran = audit("verify", package, "--list", ours, "--sign-with", key, "--to", tmp_path / "signature")
    assert ran.status == 1
    assert str(md5("slipped in")) in ran.err
    assert not (tmp_path / "signature").exists()


def test_a_hash_that_was_slipped_in_behind_an_honest_looking_list_is_refused(data: DataFolder, tmp_path: Path) -> None:
    """The exported list is doctored to match the auditor's: the number of hashes in the table gives it away."""
    package = slipped(data, tmp_path)
    write_list(package / names.LIST, PUBLISHED)
    with pytest.raises(AuditError) as caught:
        verify(Package.open(package), [write_list(tmp_path / "ours.txt", BOTH)])
    assert caught.value.reason is Reason.ITEM_COUNT


def test_a_hash_that_was_exchanged_is_refused(data: DataFolder, tmp_path: Path) -> None:
    """As many hashes as there should be, one of them another one."""
    with Store.open(data.database) as store:
        add_source(store, "clinic", [md5("slipped in"), *CLINIC[:40], *CLINIC[41:]])
        add_source(store, "police", [md5("slipped in"), *POLICE[1:]])
        builder(data, store).build(OPTIONS)
    package = packed(data, tmp_path / "second", 2).path
    write_list(package / names.LIST, PUBLISHED)
    with pytest.raises(AuditError) as caught:
        verify(Package.open(package), [write_list(tmp_path / "ours.txt", BOTH)])
    assert caught.value.reason in (Reason.WRONG_PROOF, Reason.SEED, Reason.FILL_CELL)


def test_sources_that_name_something_else_are_refused(package: Path, tmp_path: Path) -> None:
    clinic, police = write_list(tmp_path / "c", CLINIC), write_list(tmp_path / "p", POLICE)
    shorter = write_list(tmp_path / "s", POLICE[1:])
    other = write_list(tmp_path / "o", [*POLICE[:-1], md5("another")])
    with pytest.raises(RefusedError, match="police names 100 hashes; its list has 99"):
        verify(Package.open(package), sources={"clinic": clinic, "police": shorter})
    with pytest.raises(RefusedError, match="lists you did not give: police"):
        verify(Package.open(package), sources={"clinic": clinic})
    with pytest.raises(RefusedError, match="does not name these sources: navy"):
        verify(Package.open(package), sources={"clinic": clinic, "police": police, "navy": police})
    assert verify(Package.open(package), sources={"clinic": clinic, "police": other}).table.items == len(PUBLISHED)
    changed = write_list(tmp_path / "x", [md5("another"), *POLICE[1:]])
    with pytest.raises(RefusedError, match="may not hold"):
        verify(Package.open(package), sources={"clinic": clinic, "police": changed})


def test_the_package_of_another_epoch_or_server_is_refused(data: DataFolder, package: Path, tmp_path: Path) -> None:
    second = slipped(data, tmp_path)
    (package / names.PROOF).write_bytes((second / names.PROOF).read_bytes())
    with pytest.raises(AuditError) as caught:
        Package.open(package)
    assert caught.value.reason is Reason.OTHER_MANIFEST
    with pytest.raises(VerificationError, match="no signature by the server"):
        verify(Package.open(second), server_key=bytes(32))


def test_a_damaged_table_is_refused(package: Path) -> None:
    table = package / names.TABLE
    content = bytearray(table.read_bytes())
    content[100] ^= 1
    table.write_bytes(content)
    with pytest.raises(AuditError) as caught:
        verify(Package.open(package))
    assert caught.value.reason is Reason.TABLE_DIGEST
    table.write_bytes(content[:-1])
    with pytest.raises(RefusedError, match="octets, the manifest says"):
        Package.open(package)


@pytest.mark.parametrize("line", ["md5:00", "MD5:" + "0" * 32, "sha", "md5:" + "0" * 32 + "\xff", "x" * 10_000])
def test_a_list_with_a_faulty_line_is_refused_with_its_number(package: Path, tmp_path: Path, line: str) -> None:
    path = tmp_path / "ours.txt"
    path.write_text(f"# mine\n\n{BOTH[0]}\n{line}\n", encoding="latin-1")
    with pytest.raises(DecodeError, match=r"line 4 of ours.txt"):
        verify(Package.open(package), [path])


def test_lists_that_have_changed_since_the_build_are_not_packed(data: DataFolder, tmp_path: Path) -> None:
    with Store.open(data.database) as store:
        add_source(store, "police", POLICE[:50])
        with pytest.raises(OperatorError, match="no longer those that epoch 1 was built from"):
            prepare(data, store, ring(data), 1, tmp_path / "package")
    assert not (tmp_path / "package").exists()


# ------------------------------------------------------------------ signatures on their way


def test_a_signature_that_is_not_one_is_not_accepted(
    data: DataFolder, package: Path, key: Path, audit: Run, tmp_path: Path
) -> None:
    signature = tmp_path / "signature"
    assert audit("verify", package, "--sign-with", key, "--to", signature).status == 0
    honest = DetachedSignature.decode(signature.read_bytes())
    elsewhere = DetachedSignature(bytes(32), honest.signature)
    forged = replace(honest, signature=replace(honest.signature, value=bytes(64)))
    with Store.open(data.database) as store:
        with pytest.raises(OperatorError, match="does not have"):
            accept_signature(data, store, elsewhere.encode())
        with pytest.raises(VerificationError, match="does not verify"):
            accept_signature(data, store, forged.encode())
        with pytest.raises(DecodeError):
            accept_signature(data, store, signature.read_bytes() + b"\n")
        assert accept_signature(data, store, honest.encode())[1] == 1
        assert accept_signature(data, store, honest.encode())[1] == 1


def test_a_key_file_does_not_open_with_another_passphrase(
    package: Path, key: Path, audit: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TPSI_AUDIT_PASSPHRASE", "another passphrase")
    ran = audit("verify", package, "--sign-with", key, "--to", tmp_path / "signature")
    assert (ran.status, ran.err.count("\n")) == (1, 1)
    assert "does not open" in ran.err


def test_where_nobody_can_type_a_passphrase_it_says_how_to_give_one(
    audit: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TPSI_AUDIT_PASSPHRASE", raising=False)
    ran = audit("keygen", tmp_path / "new.key")
    assert (ran.status, ran.out, ran.err.count("\n")) == (1, "", 1)
    assert "set TPSI_AUDIT_PASSPHRASE, or give --passphrase-file" in ran.err


def test_keygen_makes_a_private_file_once(audit: Run, tmp_path: Path) -> None:
    path = tmp_path / "new.key"
    ran = audit("keygen", path)
    assert ran.status == 0
    assert (tmp_path / "new.key.pub").read_text().strip() in ran.out
    assert path.stat().st_mode & 0o777 == 0o600
    assert b"ENCRYPTED" in path.read_bytes()
    assert audit("keygen", path).status == 1
