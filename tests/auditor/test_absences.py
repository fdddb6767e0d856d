"""Published negatives: made in bulk by the operator, checked by an auditor with a package and by a device."""

from pathlib import Path

import pytest

from tests.auditor.conftest import BOTH, OPTIONS, Run, builder, packed, ring, write_list
from tests.support.server_data import PASSPHRASE
from tests.support.world import md5
from tpsi import DecodeError
from tpsi.audit import AuditError, Reason
from tpsi.table import canonical_items
from tpsi_audit.absences import verify_published
from tpsi_server import DataFolder, Store
from tpsi_server.auditing import absences
from tpsi_server.cli import main

UNLISTED = [md5(f"innocent {n}") for n in range(50)]


@pytest.fixture
def published(data: DataFolder, tmp_path: Path) -> Path:
    """A file about fifty names."""
    path = tmp_path / "absent.txt"
    with Store.open(data.database) as store:
        path.write_bytes(absences(data, store, ring(data), 1, canonical_items(UNLISTED)))
    return path


def test_an_auditor_checks_all_names_at_once(published: Path, package: Path, data: DataFolder, audit: Run) -> None:
    ran = audit("absent", published, "--table", package, "--server-key", data.identity().server_key.hex())
    assert (ran.status, ran.err) == (0, "")
    assert "None of the 50 named hashes is in the table of epoch 1" in ran.out
    assert sum(str(name) in published.read_text() for name in UNLISTED) == 50


def test_a_listed_name_is_not_proved_absent(data: DataFolder) -> None:
    with Store.open(data.database) as store, pytest.raises(AuditError, match=str(BOTH[7])) as caught:
        absences(data, store, ring(data), 1, canonical_items([*UNLISTED, BOTH[7]]))
    assert caught.value.reason is Reason.LISTED


def test_a_name_that_was_exchanged_is_refused(published: Path, package: Path) -> None:
    """The proof is about other names than the file shows: a listed one among them."""
    lines = published.read_text().splitlines(keepends=True)
    names = sorted([f"{BOTH[7]}\n", *lines[4:]])
    published.write_text("".join([*lines[:3], *names]))
    with pytest.raises(AuditError) as caught:
        verify_published(published, package)
    assert caught.value.reason is Reason.WRONG_PROOF


@pytest.mark.parametrize(
    "spoil",
    [
        lambda lines: lines[:-1],
        lambda lines: [*lines, lines[-1]],
        lambda lines: [*lines[:3], lines[4], lines[3], *lines[5:]],
        lambda lines: ["tpsi-absences 2\n", *lines[1:]],
        lambda lines: [lines[0], "manifest " + "0" * 64 + "\n", *lines[2:]],
        lambda lines: [*lines[:2], "proof !\n", *lines[3:]],
        lambda lines: lines[:2],
        lambda lines: [*lines, "\n" * 2**20],
        lambda _lines: [],
    ],
)
def test_a_file_in_another_form_is_refused(published: Path, package: Path, spoil: object) -> None:
    lines = published.read_text().splitlines(keepends=True)
    published.write_text("".join(spoil(lines)))  # type: ignore[operator]
    with pytest.raises((DecodeError, AuditError)):
        verify_published(published, package)


def test_the_proof_of_another_epoch_is_refused(data: DataFolder, published: Path, tmp_path: Path) -> None:
    with Store.open(data.database) as store:
        builder(data, store).build(OPTIONS)
    with pytest.raises(AuditError) as caught:
        verify_published(published, packed(data, tmp_path / "second", 2).path)
    assert caught.value.reason is Reason.OTHER_MANIFEST


def test_a_table_of_another_server_does_not_stand_in(published: Path, package: Path) -> None:
    table = package / "table.bin"
    content = bytearray(table.read_bytes())
    content[5] ^= 1
    table.write_bytes(content)
    with pytest.raises(AuditError) as caught:
        verify_published(published, package)
    assert caught.value.reason is Reason.TABLE_DIGEST


def test_the_operator_s_command_and_a_device_agree(
    data: DataFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names, to = write_list(tmp_path / "names.txt", UNLISTED), tmp_path / "absent.txt"
    monkeypatch.setenv("TPSI_PASSPHRASE", PASSPHRASE.reveal().decode())
    with pytest.raises(SystemExit) as end:
        main(["audit", "absent", str(names), "--to", str(to), "--data", str(data.path)])
    assert end.value.code == 0
    assert len(to.read_text().splitlines()) == 3 + 50
