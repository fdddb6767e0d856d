"""Commands that are run at the same time: none undoes what another one did."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from threading import Barrier
from typing import TypeVar

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.server.site import Site
from tests.support.server_data import COST, PASSPHRASE
from tpsi import Role, Secret, SignedManifest, sign_manifest
from tpsi.detached import DetachedSignature
from tpsi_server import OperatorError, auditing, tls
from tpsi_server.errors import KeyFileError
from tpsi_server.files import locked, write_atomically
from tpsi_server.keys import KeyRing, data_key_path
from tpsi_server.rotation import change_all_passphrases, prepare_rotation, rotate
from tpsi_server.tables import load_manifest
from tpsi_server.tls_authority import Authority

T = TypeVar("T")
NEW = Secret(b"another passphrase")


def at_once(count: int, work: Callable[[int], T]) -> list[T]:
    """Do something several times at the same time."""
    barrier = Barrier(count)

    def one(number: int) -> T:
        barrier.wait()
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def slowly(call: Callable[..., T]) -> Callable[..., T]:
    """The call, a moment later: whoever does not wait for it is there first."""

    def later(*arguments: object, **options: object) -> T:
        time.sleep(0.05)
        return call(*arguments, **options)

    return later


def test_signatures_of_several_auditors_that_come_at_once_are_all_kept(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.build()
    manifest = load_manifest(site.folder, 1)
    keys = [Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in range(1, 5)]
    files = [DetachedSignature(manifest.digest, sign_manifest(manifest, Role.AUDITOR, key)).encode() for key in keys]
    monkeypatch.setattr(auditing, "write_atomically", slowly(write_atomically))
    with site.store() as store:
        counts = at_once(len(files), lambda number: auditing.accept(site.folder, store, files[number])[1])
        envelope = auditing.require_epoch(site.folder, store, 1).signed_manifest
    assert sorted(counts) == [1, 2, 3, 4]
    assert len(auditing.signers(SignedManifest.decode(envelope))) == 4


def test_servers_that_start_at_once_present_one_authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Authority, "create", slowly(Authority.create))
    now = datetime.now(UTC)
    made = at_once(4, lambda _: tls.development_tls(tmp_path / "tls", ("localhost",), now))
    kept = tls.development_authority(tmp_path / "tls", now)
    assert {one.client_authority for one in made} == {kept.certificate_pem}
    assert len({one.chain for one in made}) == 1


def test_a_second_rotation_is_told_of_the_first(site: Site) -> None:
    with site.store() as store, locked(site.folder.keys / ".rotation.lock"):
        keys = KeyRing(site.folder.keys, PASSPHRASE, cost=COST)
        list_id = site.folder.identity().list_id
        for call in (rotate, prepare_rotation):
            with pytest.raises(OperatorError, match="another rotation is running here"):
                call(store, keys, site.folder.keys, list_id)
    assert not data_key_path(site.folder.keys, 2).exists()


def test_no_key_is_written_under_a_passphrase_that_was_changed_meanwhile(site: Site) -> None:
    keys = KeyRing(site.folder.keys, PASSPHRASE, cost=COST)
    change_all_passphrases(site.folder.keys, PASSPHRASE, NEW, cost=COST)
    with pytest.raises(KeyFileError, match="passphrase"):
        keys.create_data_key(site.folder.identity().list_id, 2)
    assert not data_key_path(site.folder.keys, 2).exists()
