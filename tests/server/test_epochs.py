"""Epochs: built whole or not at all, chained, checked when they are opened."""

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.server.site import SHARING, Site, vouchers
from tests.support.drbg import Drbg
from tests.support.server_data import add_source
from tests.support.world import NO_COVER, md5
from tpsi import (
    BlindedTable,
    ItemHash,
    Pins,
    Seen,
    SignedManifest,
    Source,
    TableSecrets,
    accept,
    group,
)
from tpsi.canary import CANARY_HASHES, CANARY_NAME, canary_picture
from tpsi.errors import CallerError
from tpsi.groups import RISTRETTO255_SHA512
from tpsi.table import blind_items
from tpsi_server import DataError, OperatorError, Reason, RefusedError, TableRepository
from tpsi_server.blinding import ParallelBlinding
from tpsi_server.epochs import Builder, BuildOptions
from tpsi_server.inspection import inspect_epoch, retire_epoch, verify_epoch
from tpsi_server.keys import epoch_key_path
from tpsi_server.lists import Addition, Deletion
from tpsi_server.store import Spool
from tpsi_server.tables import LEAVES_FILE, MANIFEST_FILE, TABLE_FILE, epoch_folder


def quiet(_stage: str, _done: int, _total: int) -> None:
    return


def pins(site: Site) -> Pins:
    identity = site.folder.identity()
    return Pins(identity.list_id, identity.server_key, 1, modes=(NO_COVER.mode,))


def envelope(site: Site, number: int) -> SignedManifest:
    return SignedManifest.decode((epoch_folder(site.folder, number) / MANIFEST_FILE).read_bytes())


def everything(site: Site) -> list[str]:
    """The names of all files and folders of tables and keys, but for the builder's lock."""
    found = [*site.folder.tables.rglob("*"), *site.folder.keys.rglob("*")]
    return sorted(str(path.relative_to(site.folder.path)) for path in found if path.name != ".lock")


def table(site: Site, number: int) -> BlindedTable:
    manifest = envelope(site, number).manifest
    cells = np.fromfile(epoch_folder(site.folder, number) / TABLE_FILE, np.uint8)
    return BlindedTable(
        manifest.group, manifest.geometry, manifest.seed, cells.reshape(-1, manifest.group.element_size)
    )


def holds(site: Site, number: int, item: ItemHash) -> bool:
    manifest = envelope(site, number).manifest
    blinded = blind_items(manifest.group, [item.encode()], site.keys().epoch(manifest))
    return bool((table(site, number).lookup([item.encode()]).elements == blinded).all(axis=2).any())


def test_a_device_accepts_the_chain_of_epochs(site: Site) -> None:
    site.build()
    site.build()
    seen = None
    for number in (1, 2, 3):
        manifest = accept(envelope(site, number), pins(site), seen)
        seen = Seen(number, manifest.digest)


def test_every_epoch_has_fresh_secrets(site: Site) -> None:
    site.build()
    first, second = (envelope(site, number).manifest for number in (1, 2))
    assert first.key != second.key
    assert first.seed != second.seed
    assert site.keys().epoch(first).fill_key != site.keys().epoch(second).fill_key


def test_the_table_holds_every_hash_and_the_canary(site: Site) -> None:
    manifest = envelope(site, 1).manifest
    assert manifest.canary is not None
    assert manifest.canary.name == CANARY_NAME
    assert [str(item) for item in manifest.canary.hashes] == [f"md5:{CANARY_HASHES['md5']}"]
    assert manifest.sources == (Source("canary", 1), Source("names", 50))
    assert manifest.items == 51
    assert all(holds(site, 1, item) for item in [*map(md5, range(50)), *manifest.canary.hashes])
    assert not holds(site, 1, md5("unlisted"))


def test_a_list_without_a_type_of_the_canary_has_none(empty_site: Site) -> None:
    with empty_site.store() as store:
        add_source(store, "hashes", [ItemHash("neuralhash", bytes(12))])
    assert empty_site.build().canary is None
    with empty_site.store() as store, pytest.raises(RefusedError) as error:
        TableRepository(empty_site.folder, store).newest().canary()
    assert error.value.reason is Reason.CANARY_NONE


def test_a_canary_that_a_source_names_too_counts_once(empty_site: Site) -> None:
    with empty_site.store() as store:
        canary = ItemHash("md5", bytes.fromhex(CANARY_HASHES["md5"]))
        add_source(store, "hashes", [md5(1), canary])
    assert empty_site.build().items == 2


def test_the_repository_serves_the_canary_picture(site: Site) -> None:
    with site.store() as store:
        assert TableRepository(site.folder, store).newest().canary() == (CANARY_NAME, canary_picture())


def test_a_hash_is_admitted_when_enough_sources_name_it(empty_site: Site) -> None:
    empty_site.list_names("a", range(10))
    empty_site.list_names("b", range(5, 15))
    empty_site.list_names("c", range(9, 20))
    manifest = empty_site.build(minimum_sources=2)
    assert manifest.minimum_sources == 2
    admitted = {number for number in range(20) if holds(empty_site, 1, md5(number))}
    assert admitted == set(range(5, 15))
    assert manifest.items == 10 + 1  # and the canary, which no number of sources need name
    assert holds(empty_site, 1, ItemHash("md5", bytes.fromhex(CANARY_HASHES["md5"])))


def test_a_hash_named_twice_by_one_source_does_not_count_as_two(empty_site: Site) -> None:
    empty_site.list_names("a", [1, 1, 2])
    empty_site.list_names("b", [2])
    empty_site.build(minimum_sources=2)
    assert not holds(empty_site, 1, md5(1))
    assert holds(empty_site, 1, md5(2))


@pytest.mark.parametrize("minimum", [0, 3])
def test_an_impossible_number_of_sources_is_refused(empty_site: Site, minimum: int) -> None:
    empty_site.list_names("a", [1])
    empty_site.list_names("b", [1])
    with pytest.raises(CallerError, match="sources"):
        empty_site.build(minimum_sources=minimum)
    assert everything(empty_site) == ["keys/data-1.key", "keys/server.key"]


def test_without_a_list_nothing_is_built(empty_site: Site) -> None:
    with pytest.raises(OperatorError, match="list import"):
        empty_site.build()


def test_a_list_that_admits_nothing_is_not_built(empty_site: Site) -> None:
    empty_site.list_names("a", [1])
    empty_site.list_names("b", [2])
    with pytest.raises(OperatorError, match="no hash is named by 2 of the 2 sources"):
        empty_site.build(minimum_sources=2)


# ---------------------------------------------------------------- interruptions


@pytest.mark.parametrize("stage", ["blinding", "filling", "encoding"])
def test_a_build_interrupted_by_the_operator_leaves_nothing_behind(site: Site, stage: str) -> None:
    before = everything(site)

    def interrupt(now: str, _done: int, _total: int) -> None:
        if now == stage:
            raise KeyboardInterrupt

    with site.store() as store, pytest.raises(KeyboardInterrupt):
        Builder(site.folder, store, site.keys(), progress=interrupt, processes=1).build(BuildOptions(SHARING))
    assert everything(site) == before
    assert site.build().epoch == 2


@pytest.mark.parametrize("step", ["save_epoch", "rename", "add"])
def test_a_build_that_fails_while_it_is_put_in_force_leaves_nothing_behind(
    site: Site, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = everything(site)

    def fail(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    keys = site.keys()
    with site.store() as store, monkeypatch.context() as patch:
        target = {"save_epoch": keys, "rename": Path, "add": store.epochs}[step]
        patch.setattr(target, step, fail)
        with pytest.raises(OSError, match="No space left"):
            Builder(site.folder, store, keys, processes=1).build(BuildOptions(SHARING))
    assert everything(site) == before
    with site.store() as store:
        assert [record.number for record in store.epochs.all()] == [1]
    assert site.build().epoch == 2


def test_what_a_killed_build_has_left_is_cleared_away_by_the_next(site: Site) -> None:
    leftover = site.folder.tables / ".unfinished-killed"
    leftover.mkdir()
    (leftover / TABLE_FILE).write_bytes(b"half a table")
    site.build()
    assert not leftover.exists()


def test_a_complete_epoch_that_a_killed_build_could_not_register_is_put_in_force(site: Site) -> None:
    second = site.build()
    with site.store() as store:
        store.epochs.remove(2)
    assert site.build().epoch == 3
    with site.store() as store:
        found = TableRepository(site.folder, store).all()
    assert [epoch.number for epoch in found] == [1, 2, 3]
    assert found[1].manifest.digest == second.digest


def test_a_foreign_folder_in_the_place_of_the_next_epoch_is_not_taken_over(site: Site, tmp_path: Path) -> None:
    other = Site(tmp_path / "other")
    other.list_names("names", range(5))
    other.build()
    shutil.copytree(epoch_folder(other.folder, 1), epoch_folder(site.folder, 2))
    with pytest.raises(DataError, match="damaged"):
        site.build()


def test_two_builds_at_once_are_refused(site: Site) -> None:
    with (site.folder.tables / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(OperatorError, match="another build is running"):
            site.build()
    assert site.build().epoch == 2


def test_a_build_killed_by_the_system_leaves_the_server_as_it_was(site: Site, tmp_path: Path) -> None:
    """In a process of its own, killed while it blinds."""
    script = tmp_path / "build.py"
    script.write_text(
        textwrap.dedent(
            f"""
            import sys, time
            from pathlib import Path
            from tests.server.site import SHARING, Site, vouchers
            from tpsi_server.epochs import Builder, BuildOptions
            site = Site(Path({str(site.folder.path)!r}))
            def progress(stage, done, total):
                if stage == "encoding":
                    print("here", flush=True)
                    time.sleep(60)
            with site.store() as store:
                Builder(site.folder, store, site.keys(), progress=progress, processes=1).build(BuildOptions(SHARING))
            """
        )
    )
    before = everything(site)
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, env=environment, cwd=root) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"here\n"
        process.send_signal(signal.SIGKILL)
    assert everything(site) == before
    assert site.build().epoch == 2


# ---------------------------------------------------------------- what lies on the disk


def damage(path: Path, position: int) -> None:
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("name", [TABLE_FILE, LEAVES_FILE, MANIFEST_FILE])
def test_a_truncated_or_missing_file_is_found_when_the_epoch_is_opened(site: Site, name: str) -> None:
    path = epoch_folder(site.folder, 1) / name
    content = path.read_bytes()
    path.write_bytes(content[:-1])
    with site.store() as store:
        with pytest.raises(DataError, match=f"{name}.*restore it from a backup"):
            TableRepository(site.folder, store)
        path.unlink()
        with pytest.raises(DataError, match=f"{name} is missing"):
            TableRepository(site.folder, store)
        path.write_bytes(content)
        assert TableRepository(site.folder, store).newest().number == 1


def test_a_table_that_is_too_long_is_found_when_the_epoch_is_opened(site: Site) -> None:
    path = epoch_folder(site.folder, 1) / TABLE_FILE
    path.write_bytes(path.read_bytes() + b"\0")
    with site.store() as store, pytest.raises(DataError, match="its manifest says"):
        TableRepository(site.folder, store)


@pytest.mark.parametrize("name", [LEAVES_FILE, MANIFEST_FILE])
def test_an_altered_file_is_found_when_the_epoch_is_opened(site: Site, name: str) -> None:
    damage(epoch_folder(site.folder, 1) / name, 20)
    with site.store() as store, pytest.raises(DataError, match="damaged"):
        TableRepository(site.folder, store)


def test_an_altered_octet_of_the_table_is_found_by_verifying(site: Site) -> None:
    with site.store() as store:
        found = verify_epoch(inspect_epoch(site.folder, store, 1), store, site.keys(), quiet)
        assert len(found) == 4
        damage(epoch_folder(site.folder, 1) / TABLE_FILE, 77)
        with pytest.raises(DataError, match="damaged in the 65536 octets from 0"):
            verify_epoch(inspect_epoch(site.folder, store, 1), store, None, quiet)


def test_a_manifest_of_another_server_is_not_served(site: Site, tmp_path: Path) -> None:
    other = Site(tmp_path / "other")
    other.list_names("names", range(5))
    other.build()
    shutil.rmtree(epoch_folder(site.folder, 1))
    shutil.copytree(epoch_folder(other.folder, 1), epoch_folder(site.folder, 1))
    with site.store() as store, pytest.raises(DataError):
        TableRepository(site.folder, store)


def test_an_older_manifest_in_the_place_of_a_newer_one_is_not_served(site: Site) -> None:
    site.build()
    shutil.rmtree(epoch_folder(site.folder, 2))
    shutil.copytree(epoch_folder(site.folder, 1), epoch_folder(site.folder, 2))
    with site.store() as store, pytest.raises(DataError, match="not the manifest that was built as epoch 2"):
        TableRepository(site.folder, store)


def test_a_damaged_epoch_can_be_retired_and_the_others_served(site: Site) -> None:
    site.build()
    (epoch_folder(site.folder, 1) / TABLE_FILE).unlink()
    with site.store() as store:
        retire_epoch(site.folder, store, 1, time.time())
        repository = TableRepository(site.folder, store)
        assert repository.newest().number == 2
        with pytest.raises(RefusedError) as error:
            repository.by_digest(repository.by_number(1).manifest.digest)
        assert error.value.reason is Reason.EPOCH_RETIRED


def test_the_newest_epoch_is_not_replaced_by_an_older_one(site: Site) -> None:
    """A device that has seen epoch 2 refuses to step back to epoch 1."""
    site.build()
    with site.store() as store:
        retire_epoch(site.folder, store, 2, time.time())
        with pytest.raises(RefusedError) as error:
            TableRepository(site.folder, store).newest()
    assert error.value.reason is Reason.NO_TABLE


def test_what_does_not_exist_is_refused_with_its_reason(empty_site: Site) -> None:
    with empty_site.store() as store:
        repository = TableRepository(empty_site.folder, store)
        calls: tuple[tuple[Callable[[], object], Reason], ...] = (
            (repository.newest, Reason.NO_TABLE),
            (lambda: repository.by_number(1), Reason.MANIFEST_UNKNOWN),
            (lambda: repository.by_digest(bytes(32)), Reason.MANIFEST_UNKNOWN),
        )
        for call, reason in calls:
            with pytest.raises(RefusedError) as error:
                call()
            assert error.value.reason is reason
        assert repository.by_manifest_id(bytes(16)) is None


def test_the_repository_sees_what_another_process_builds_and_retires(site: Site) -> None:
    with site.store() as store:
        repository = TableRepository(site.folder, store)
        site.build()
        repository.refresh()
        assert [epoch.number for epoch in repository.all()] == [1, 2]
        retire_epoch(site.folder, store, 1, time.time())
        repository.refresh()
        assert [epoch.retired for epoch in repository.all()] == [True, False]


def test_an_epoch_that_appears_damaged_does_not_stop_the_others(site: Site) -> None:
    with site.store() as store:
        repository = TableRepository(site.folder, store)
        site.build()
        (epoch_folder(site.folder, 2) / TABLE_FILE).unlink()
        repository.refresh()
        assert [epoch.number for epoch in repository.all()] == [1]
        assert repository.by_number(1).number == 1
        with pytest.raises(RefusedError) as error:  # the one before would be a step back
            repository.newest()
    assert error.value.reason is Reason.TABLE_NOT_HERE


def test_destroying_a_key_waits_for_the_vouchers_of_its_epoch(site: Site) -> None:
    with site.runtime() as runtime:
        runtime.accounts.create("alice")
        runtime.ingest.ingest("alice", vouchers(runtime, range(4)))
        digest = runtime.tables.newest().manifest.digest
        path = epoch_key_path(site.folder.keys, 1, digest)
        with pytest.raises(OperatorError, match="4 of its vouchers are not matched yet"):
            retire_epoch(site.folder, runtime.store, 1, time.time(), destroy_key=True)
        assert runtime.match_all().revealed == 4
        retire_epoch(site.folder, runtime.store, 1, time.time(), destroy_key=True)
        assert not path.exists()


def test_inspection_is_plain_json(site: Site) -> None:
    with site.store() as store:
        facts = inspect_epoch(site.folder, store, 1).to_dict()
    assert json.loads(json.dumps(facts)) == facts
    assert (facts["threshold"], facts["items"], facts["sources"]) == (3, 51, {"canary": 1, "names": 50})


def test_options_of_an_epoch_are_the_defaults_of_the_next(site: Site) -> None:
    assert BuildOptions.like(envelope(site, 1).manifest) == BuildOptions(SHARING, NO_COVER, name="a test list")


# ---------------------------------------------------------------- blinding on several processors


def test_several_processes_blind_as_one_does() -> None:
    chosen = group(RISTRETTO255_SHA512)
    items = [md5(number).encode() for number in range(217)]
    secrets = TableSecrets.draw(chosen, Drbg("secrets"))
    told: list[tuple[str, int, int]] = []
    blind = ParallelBlinding(chosen, 2, lambda *progress: told.append(progress), chunk=50)
    assert (np.concatenate(list(blind(items, secrets))) == blind_items(chosen, items, secrets)).all()
    assert told == [("blinding", min(len(items), 50 * n), len(items)) for n in range(1, 6)]


def test_an_error_in_one_of_the_processes_is_the_builds() -> None:
    chosen = group(RISTRETTO255_SHA512)
    secrets = TableSecrets.draw(chosen, Drbg("secrets"))
    with pytest.raises(TypeError):
        list(ParallelBlinding(chosen, 1, quiet)([None], secrets))  # type: ignore[list-item]


def test_a_spool_gives_back_what_it_was_given() -> None:
    with Spool() as spool:
        spool.add(Addition(md5(1), 1, "entry\nwith a line end"))
        spool.add(Deletion(2, entry="ü"))
        assert list(spool.changes()) == [
            ("+", md5(1).encode().hex(), "entry\nwith a line end"),
            ("-", "", "ü"),
        ]
