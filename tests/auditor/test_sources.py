"""Lists that their sources have signed: from the source over the operator and the manifest to the auditor."""

from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.auditor.conftest import CLINIC, OPTIONS, POLICE, Run, builder, packed, write_list
from tests.support.world import md5
from tpsi import DecodeError, Manifest, VerificationError
from tpsi.audit import ListSignature, blinded_digest, list_digest, sign_list
from tpsi.audit import package as names
from tpsi.signing import public_key
from tpsi.table import canonical_items
from tpsi_audit import Package, RefusedError, verify
from tpsi_server import DataFolder, Store
from tpsi_server.cli import main
from tpsi_server.importing import ImportOptions, import_list

SOURCE = Ed25519PrivateKey.from_private_bytes(b"\x05" * 32)
KEY = public_key(SOURCE)


def import_clinic(
    data: DataFolder, path: Path, signature: ListSignature | None, *, replace: bool = True
) -> dict[str, tuple[ListSignature, bytes]]:
    """Import a list of the clinic's; the signatures that the store has afterwards."""
    with Store.open(data.database) as store:
        import_list(store, path, "clinic", ImportOptions(form="auto", replace=replace, signature=signature))
        return store.lists.signatures()


@pytest.fixture
def clinic(tmp_path: Path) -> Path:
    """The clinic's list, in a file that the server reads."""
    path = tmp_path / "clinic.txt"
    path.write_text("".join(f"{item.digest.hex()}\n" for item in CLINIC))
    return path


@pytest.fixture
def signed(data: DataFolder, clinic: Path, tmp_path: Path) -> Path:
    """The package of an epoch for which the clinic has signed its list."""
    import_clinic(data, clinic, sign_list(canonical_items(CLINIC), SOURCE))
    with Store.open(data.database) as store:
        builder(data, store).build(OPTIONS)
    return packed(data, tmp_path / "package", 2).path


def test_the_source_s_command_makes_a_signature_that_the_server_takes(
    data: DataFolder, clinic: Path, key: Path, audit: Run, tmp_path: Path
) -> None:
    ours, signature = write_list(tmp_path / "ours.txt", [*CLINIC[50:], *CLINIC]), tmp_path / "signature"
    assert audit("sign-list", ours, "--sign-with", key, "--to", signature).status == 0
    options = ["--signature", str(signature), "--source-key", f"{key}.pub", "--replace", "--data", str(data.path)]
    with pytest.raises(SystemExit) as end:
        main(["list", "import", str(clinic), "--source", "clinic", "--type", "md5", *options])
    assert end.value.code == 0
    with Store.open(data.database) as store:
        found, digest = store.lists.signatures()["clinic"]
    assert found == ListSignature.decode(signature.read_bytes())
    assert digest == list_digest(canonical_items(CLINIC))


def test_the_manifest_names_the_key_and_shows_nothing_of_the_digest(signed: Path) -> None:
    package = Package.open(signed)
    by_name = {source.name: source.signed for source in package.manifest.sources}
    assert by_name["police"] is None
    assert by_name["clinic"] is not None
    digest = list_digest(canonical_items(CLINIC))
    assert by_name["clinic"].key == KEY
    assert by_name["clinic"].digest == blinded_digest(package.proof.fill_key, "clinic", digest)
    assert digest not in package.manifest.encoded
    assert Manifest.decode(package.manifest.encoded) == package.manifest


def test_an_auditor_is_told_which_sources_signed(signed: Path, tmp_path: Path) -> None:
    sources = {"clinic": write_list(tmp_path / "c", CLINIC), "police": write_list(tmp_path / "p", POLICE)}
    report = verify(Package.open(signed), sources=sources, source_keys={"clinic": KEY})
    assert f"clinic has signed its list, under the key {KEY.hex()}" in report.established
    with pytest.raises(RefusedError, match="does not say that police"):
        verify(Package.open(signed), sources=sources, source_keys={"police": KEY})
    with pytest.raises(RefusedError, match="does not say that clinic"):
        verify(Package.open(signed), sources=sources, source_keys={"clinic": bytes(32)})


def test_one_key_does_not_count_for_two_sources(data: DataFolder, clinic: Path, tmp_path: Path) -> None:
    import_clinic(data, clinic, sign_list(canonical_items(CLINIC), SOURCE))
    police = tmp_path / "police.txt"
    police.write_text("".join(f"{item.digest.hex()}\n" for item in POLICE))
    with Store.open(data.database) as store:
        signature = sign_list(canonical_items(POLICE), SOURCE)
        import_list(store, police, "police", ImportOptions(form="auto", replace=True, signature=signature))
        builder(data, store).build(OPTIONS)
    with pytest.raises(RefusedError, match="clinic and police have signed under one key"):
        verify(Package.open(packed(data, tmp_path / "package", 2).path))


def _without(package: Path) -> None:
    (package / names.source_signature(2)).unlink()


def _by_another(package: Path) -> None:
    other = Ed25519PrivateKey.from_private_bytes(b"\x06" * 32)
    (package / names.source_signature(2)).write_bytes(sign_list(canonical_items(CLINIC), other).encode())


def _under_another_list(package: Path) -> None:
    other = canonical_items([*CLINIC[1:], md5("another")])
    (package / names.source_signature(2)).write_bytes(sign_list(other, SOURCE).encode())


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_without, "its signature is not in the package"),
        (_by_another, "its signature is not in the package"),
        (_under_another_list, "is not what it has signed"),
    ],
)
def test_a_signature_that_does_not_belong_is_refused(signed: Path, spoil: Callable[[Path], None], said: str) -> None:
    numbers = [number for number, source in enumerate(Package.open(signed).manifest.sources, 1) if source.signed]
    assert numbers == [2]  # after the canary
    spoil(signed)
    with pytest.raises(RefusedError, match=said):
        verify(Package.open(signed))


def test_a_list_that_the_source_did_not_sign_is_not_imported(data: DataFolder, clinic: Path) -> None:
    with pytest.raises(VerificationError, match="a list of 99 hashes"):
        import_clinic(data, clinic, sign_list(canonical_items(CLINIC[1:]), SOURCE))
    other = canonical_items([*CLINIC[1:], md5("another")])
    with pytest.raises(VerificationError, match="not one under this list"):
        import_clinic(data, clinic, sign_list(other, SOURCE))
    with Store.open(data.database) as store:
        assert store.lists.signatures() == {}
        assert len(store.lists.imports("clinic")) == 1  # nothing of it was taken


def test_an_import_without_a_signature_ends_the_one_before(data: DataFolder, clinic: Path, tmp_path: Path) -> None:
    assert import_clinic(data, clinic, sign_list(canonical_items(CLINIC), SOURCE)).keys() == {"clinic"}
    more = tmp_path / "more.txt"
    more.write_text(f"{md5('slipped in').digest.hex()}\n")
    assert import_clinic(data, more, None, replace=False) == {}


ONE_ITEM = sign_list(canonical_items([md5(1)]), SOURCE).encode()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[]",
        b'{"items":-1,"key":"","signature":"","tpsi_list_signature":1}',
        ONE_ITEM.replace(b'"items":1', b'"items":true'),
    ],
)
def test_a_malformed_signature_file_is_refused(data: bytes) -> None:
    with pytest.raises(DecodeError):
        ListSignature.decode(data)


def test_one_list_in_two_epochs_has_two_digests(signed: Path) -> None:
    """The digest is blinded under the fill key, which no two tables share."""
    fill_key = Package.open(signed).proof.fill_key
    other = type(fill_key)(bytes(32))
    digest = list_digest(canonical_items(CLINIC))
    assert blinded_digest(fill_key, "clinic", digest) != blinded_digest(other, "clinic", digest)
    assert blinded_digest(fill_key, "clinic", digest) != blinded_digest(fill_key, "police", digest)
