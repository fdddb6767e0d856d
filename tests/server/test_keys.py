"""Key files and passphrases: what opens, and what is said of the ones that do not."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.server.site import Site
from tests.support.server_data import COST, PASSPHRASE
from tpsi import Secret
from tpsi.errors import CallerError
from tpsi_server import KeyFileError, PassphraseError
from tpsi_server.keyfile import MAX_MEMORY, Cost, _checksum, read_key_file, write_key_file
from tpsi_server.keys import KeyRing, epoch_key_path
from tpsi_server.passphrase import passphrase

ABOUT = {"epoch": 1}
SECRET = Secret(b"what is kept in it")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A key file."""
    file = tmp_path / "some.key"
    write_key_file(file, "test", ABOUT, SECRET, PASSPHRASE, cost=COST)
    return file


def change(path: Path, alter: Callable[[dict[str, Any]], object]) -> None:
    """Change a key file and make its checksum right again: what somebody with a purpose can do."""
    content = json.loads(path.read_bytes())
    alter(content)
    del content["sha256"]
    path.write_text(json.dumps({**content, "sha256": _checksum(content)}))


def test_a_key_file_opens_with_its_passphrase(path: Path) -> None:
    assert read_key_file(path, "test", PASSPHRASE) == (ABOUT, SECRET)


def test_a_key_file_is_for_its_owner_only_and_shows_no_secret(path: Path) -> None:
    assert path.stat().st_mode & 0o777 == 0o600
    content = path.read_bytes()
    for secret in (SECRET, PASSPHRASE):
        assert secret.reveal() not in content
        assert secret.reveal().hex().encode() not in content


def test_two_files_of_one_secret_have_nothing_secret_in_common(path: Path, tmp_path: Path) -> None:
    write_key_file(tmp_path / "other.key", "test", ABOUT, SECRET, PASSPHRASE, cost=COST)
    first, second = (json.loads(file.read_bytes()) for file in (path, tmp_path / "other.key"))
    assert first["kdf"]["salt"] != second["kdf"]["salt"]
    assert first["sealed"] != second["sealed"]


def test_a_wrong_passphrase_is_told_from_a_damaged_file(path: Path) -> None:
    with pytest.raises(KeyFileError, match="passphrase is not the one"):
        read_key_file(path, "test", Secret(b"wrong"))
    path.write_bytes(path.read_bytes().replace(b'"epoch": 1', b'"epoch": 2'))
    with pytest.raises(KeyFileError, match="damaged"):
        read_key_file(path, "test", PASSPHRASE)


def test_a_key_file_cut_off_anywhere_is_an_error(path: Path) -> None:
    whole = path.read_bytes().rstrip()
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        with pytest.raises(KeyFileError, match=r"cut off|not a key file"):
            read_key_file(path, "test", PASSPHRASE)


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b"\0" * 100, b'{"tpsi_key_file": 1}', b"x" * (1 << 17)])
def test_other_files_are_not_taken_for_key_files(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(Exception, match=r"key file|damaged|octets") as error:
        read_key_file(path, "test", PASSPHRASE)
    assert "\n" not in str(error.value)


def test_a_missing_key_file_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match=r"missing.*--keys"):
        read_key_file(tmp_path / "none.key", "test", PASSPHRASE)


def test_a_key_file_of_another_kind_is_refused(path: Path) -> None:
    with pytest.raises(KeyFileError, match="of the kind 'test'"):
        read_key_file(path, "epoch", PASSPHRASE)


def test_the_readable_part_is_authenticated_with_the_secret(path: Path) -> None:
    change(path, lambda content: content["about"].update(epoch=2))
    with pytest.raises(KeyFileError, match="passphrase"):
        read_key_file(path, "test", PASSPHRASE)


@pytest.mark.parametrize(
    "alter",
    [
        lambda content: content["kdf"].update(n=1 << 40),
        lambda content: content["kdf"].update(n=3),
        lambda content: content["kdf"].update(p=1000),
        lambda content: content["kdf"].update(n="2"),
        lambda content: content["kdf"].update(n=1 << 16, r=1),
        lambda content: content["kdf"].update(r=1.5),
        lambda content: content["kdf"].update(salt=""),
        lambda content: content["kdf"].update(name="pbkdf2"),
        lambda content: content.update(cipher="none"),
        lambda content: content.update(sealed="zz"),
        lambda content: content.pop("kdf"),
    ],
)
def test_a_foreign_file_cannot_make_this_program_work_for_long(
    path: Path, alter: Callable[[dict[str, Any]], object]
) -> None:
    change(path, alter)
    with pytest.raises(KeyFileError, match="does not know"):
        read_key_file(path, "test", PASSPHRASE)


def test_a_key_file_of_another_version_is_refused(path: Path) -> None:
    change(path, lambda content: content.update(tpsi_key_file=2))
    with pytest.raises(KeyFileError, match="version"):
        read_key_file(path, "test", PASSPHRASE)


def test_a_key_file_is_never_overwritten(path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(KeyFileError, match="never overwritten"):
        write_key_file(path, "test", ABOUT, SECRET, PASSPHRASE, cost=COST)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_the_cost_of_scrypt_is_bounded_and_by_default_not_low() -> None:
    with pytest.raises(CallerError):
        Cost(2 * MAX_MEMORY // (128 * 8), 8, 1)
    assert 128 * Cost().n * Cost().r >= 64 << 20


def test_a_server_has_one_signing_key(site: Site) -> None:
    with pytest.raises(KeyFileError, match="already"):
        site.keys().create_signing_key(bytes(16))


def test_the_secrets_of_another_table_are_refused(site: Site) -> None:
    first = site.build()
    second = site.build()
    paths = [epoch_key_path(site.folder.keys, manifest.epoch, manifest.digest) for manifest in (first, second)]
    paths[0].replace(paths[1])
    with pytest.raises(KeyFileError, match=f"another table than that of epoch {second.epoch}"):
        site.keys().epoch(second)


def test_a_ring_opens_each_file_once(site: Site) -> None:
    manifest = site.build()
    ring = KeyRing(site.folder.keys, PASSPHRASE)
    found = ring.epoch(manifest)
    epoch_key_path(site.folder.keys, manifest.epoch, manifest.digest).unlink()
    assert ring.epoch(manifest) is found


# ---------------------------------------------------------------- passphrases


def test_a_passphrase_comes_from_the_file_before_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "passphrase"
    file.write_bytes("grüße\nnot this line\n".encode())
    assert passphrase(file, environment={"TPSI_PASSPHRASE": "x"}) == Secret("grüße".encode())
    assert passphrase(None, environment={"TPSI_PASSPHRASE": "x"}) == Secret(b"x")


def test_the_same_characters_are_the_same_passphrase_however_they_are_composed() -> None:
    composed = passphrase(environment={"TPSI_PASSPHRASE": "\u00fc"})
    assert composed == passphrase(environment={"TPSI_PASSPHRASE": "u\u0308"})


def test_a_new_passphrase_is_asked_for_twice() -> None:
    answers = iter(["one", "another"])
    with pytest.raises(PassphraseError, match="not the same"):
        passphrase(confirm=True, environment={}, ask=lambda _prompt: next(answers))
    answers = iter(["one", "one"])
    assert passphrase(confirm=True, environment={}, ask=lambda _prompt: next(answers)) == Secret(b"one")


def test_without_a_terminal_nobody_is_asked() -> None:
    with pytest.raises(PassphraseError, match="--passphrase-file"):
        passphrase(environment={})


@pytest.mark.parametrize(("content", "problem"), [(b"", "empty"), (b"\n", "empty"), (b"\xff\xfe", "UTF-8")])
def test_unusable_passphrase_files(tmp_path: Path, content: bytes, problem: str) -> None:
    file = tmp_path / "passphrase"
    file.write_bytes(content)
    with pytest.raises(PassphraseError, match=problem):
        passphrase(file)


def test_an_empty_or_endless_passphrase_is_refused() -> None:
    for text in ("", "x" * 1025):
        with pytest.raises(PassphraseError):
            passphrase(environment={"TPSI_PASSPHRASE": text})
