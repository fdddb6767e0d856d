"""Importing lists: additions, deletions, sources, and files that break off."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.site import Site
from tests.support.world import md5
from tpsi import ItemHash
from tpsi.errors import CallerError
from tpsi_server import OperatorError, Store
from tpsi_server.importing import ImportOptions, import_list
from tpsi_server.lists import Addition, Deletion, ListFileError
from tpsi_server.store import Imported, Spool

NCMEC = """<?xml version="1.0" encoding="UTF-8"?>
<queryResult xmlns="https://hashsharing.ncmec.org/hashsharing/v2"
    xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <images count="1" maxTimestamp="2026-01-01T00:00:00Z">{images}</images>
</queryResult>
"""


@pytest.fixture
def store(empty_site: Site) -> Iterator[Store]:
    """The store of a server that was just set up."""
    with empty_site.store() as opened:
        yield opened


def write(tmp_path: Path, names: object, name: str = "list.txt") -> Path:
    path = tmp_path / name
    path.write_text("".join(f"{md5(n).digest.hex()}\n" for n in names))  # type: ignore[attr-defined]
    return path


def apply(store: Store, changes: list[Addition | Deletion], source: str = "a", *, replace: bool = False) -> Imported:
    with Spool() as spool:
        for change in changes:
            spool.add(change)
        return store.lists.apply(source, spool, replace=replace, file="f", form="hex", report={}, now=1.0)


def items(store: Store, source: str = "a") -> set[ItemHash]:
    return set(store.lists.items(source))


def test_files_of_one_source_add_up(store: Store, tmp_path: Path) -> None:
    import_list(store, write(tmp_path, range(5)), "a", ImportOptions())
    result = import_list(store, write(tmp_path, range(3, 8)), "a", ImportOptions())
    assert result.imported == Imported(5, 8)
    assert items(store) == {md5(number) for number in range(8)}


def test_a_replacing_file_is_all_that_the_source_names(store: Store, tmp_path: Path) -> None:
    import_list(store, write(tmp_path, range(5)), "a", ImportOptions())
    import_list(store, write(tmp_path, range(5)), "b", ImportOptions())
    result = import_list(store, write(tmp_path, range(3, 8)), "a", ImportOptions(replace=True))
    assert result.imported == Imported(5, 5)
    assert items(store) == {md5(number) for number in range(3, 8)}
    assert items(store, "b") == {md5(number) for number in range(5)}


def test_a_deletion_by_entry_takes_all_that_was_named_under_it(store: Store) -> None:
    apply(store, [Addition(md5(1), 1, "x"), Addition(md5(2), 2, "x"), Addition(md5(3), 3, "y")])
    apply(store, [Deletion(1, entry="x")])
    assert items(store) == {md5(3)}


def test_a_deletion_by_hash_takes_it_whatever_it_was_named_under(store: Store) -> None:
    apply(store, [Addition(md5(1), 1, "x"), Addition(md5(1), 2, "y"), Addition(md5(1), 3), Addition(md5(2), 4, "x")])
    apply(store, [Deletion(1, item=md5(1))])
    assert items(store) == {md5(2)}


def test_a_deletion_of_a_hash_under_an_entry_leaves_it_under_others(store: Store) -> None:
    apply(store, [Addition(md5(1), 1, "x"), Addition(md5(1), 2, "y"), Addition(md5(2), 3), Addition(md5(2), 4, "x")])
    apply(store, [Deletion(1, item=md5(1), entry="x"), Deletion(2, item=md5(2), entry="x")])
    assert items(store) == {md5(1)}  # still named under y; the other was named under x and under nothing


def test_a_deletion_touches_no_other_source(store: Store) -> None:
    for source in ("a", "b"):
        apply(store, [Addition(md5(1), 1, "x")], source)
    apply(store, [Deletion(1, entry="x"), Deletion(2, item=md5(1))], "a")
    assert items(store, "a") == set()
    assert items(store, "b") == {md5(1)}


def test_changes_are_applied_in_the_order_of_the_file(store: Store) -> None:
    apply(store, [Addition(md5(1), 1, "x"), Deletion(2, entry="x"), Addition(md5(2), 3, "x")])
    assert items(store) == {md5(2)}
    apply(store, [Deletion(1, entry="x"), Addition(md5(1), 2, "x"), Deletion(3, entry="x")])
    assert items(store) == set()


def test_a_source_that_was_removed_is_gone(store: Store) -> None:
    apply(store, [Addition(md5(1), 1)])
    assert store.lists.remove("a")
    assert store.lists.sources() == []
    assert not store.lists.remove("a")
    assert items(store) == set()


def test_a_file_that_breaks_off_changes_nothing(store: Store, tmp_path: Path) -> None:
    import_list(store, write(tmp_path, range(5)), "a", ImportOptions())
    path = tmp_path / "list.xml"
    whole = NCMEC.format(
        images="".join(
            f'<image id="{n}"><member id="1">m</member><timestamp>2026-01-01T00:00:00Z</timestamp>'
            f"<classification>A1</classification><fingerprints><md5>{md5(n).digest.hex()}</md5></fingerprints></image>"
            for n in range(100, 200)
        )
    )
    path.write_text(whole[: len(whole) // 2])
    with pytest.raises(ListFileError):
        import_list(store, path, "a", ImportOptions())
    assert items(store) == {md5(number) for number in range(5)}
    assert len(store.lists.imports()) == 1
    path.write_text(whole)
    assert import_list(store, path, "a", ImportOptions()).imported == Imported(5, 105)


def test_faulty_lines_are_reported_and_the_others_taken(store: Store, tmp_path: Path) -> None:
    path = write(tmp_path, range(5))
    path.write_text(path.read_text() + "xyz\n" + "0" * 31 + "\n")
    result = import_list(store, path, "a", ImportOptions())
    assert result.report.refused.total() == 2
    assert [refusal.line for refusal in result.report.refusals] == [6, 7]
    (record,) = store.lists.imports("a")
    assert (record.file, record.report["additions"]) == ("list.txt", 5)
    with pytest.raises(OperatorError, match="2 faulty entries, nothing was imported; the first: line 6"):
        import_list(store, path, "b", ImportOptions(strict=True))
    assert [source.name for source in store.lists.sources()] == ["a"]


def test_a_file_without_a_hash_is_an_error(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text("nothing here\nis a hash\n")
    with pytest.raises((OperatorError, ListFileError)):
        import_list(store, path, "a", ImportOptions())
    assert store.lists.sources() == []


@pytest.mark.parametrize("name", ["", "a\n", "\x1b[2J", "x" * 201])
def test_names_that_no_manifest_can_carry_are_refused(store: Store, tmp_path: Path, name: str) -> None:
    with pytest.raises(CallerError):
        import_list(store, write(tmp_path, range(2)), name, ImportOptions())


def test_the_canarys_source_is_the_servers_own(store: Store, tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="choose another name"):
        import_list(store, write(tmp_path, range(2)), "canary", ImportOptions())


def test_sources_are_counted(store: Store) -> None:
    apply(store, [Addition(md5(1), 1, "x"), Addition(md5(1), 2, "y"), Addition(md5(2), 3)], "b")
    apply(store, [Addition(md5(1), 1)], "a")
    apply(store, [Addition(md5(1), 1)], "a")
    assert [(s.name, s.items, s.imports, s.last_import) for s in store.lists.sources()] == [
        ("a", 1, 2, 1.0),
        ("b", 2, 1, 1.0),
    ]


def test_a_type_that_tpsi_does_not_know_is_taken_with_a_word_about_it(store: Store, tmp_path: Path) -> None:
    known = import_list(store, write(tmp_path, range(5)), "a", ImportOptions(default_type="md5"))
    other = import_list(store, write(tmp_path, range(5)), "b", ImportOptions(default_type="md6"))
    assert known.notes == ()
    assert [note.split(":")[0] for note in other.notes] == ["tpsi has no hash type 'md6'"]
