"""What is revealed is compared with a second hash before anybody sees it: copies pass, collisions are held back."""

import asyncio
import csv
import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import update

from tests.client.pictures import make_pictures
from tests.pictures.files import encode, photograph
from tests.server.command import Run, running
from tests.server.site import Site, device
from tests.support.collisions import collide
from tests.support.drbg import Drbg
from tpsi import Item, ItemHash, Photograph, seal
from tpsi.errors import CallerError
from tpsi.pictures import Picture, derivative, hasher, second_hash
from tpsi_proto import tpsi_pb2 as pb
from tpsi_server import OperatorError, Runtime
from tpsi_server.accounts import Identity, Role
from tpsi_server.checking import Checker
from tpsi_server.companions import Check, Companion, Companions, read_companions
from tpsi_server.crew import Failure
from tpsi_server.importing import ImportOptions, import_list, import_with_companions
from tpsi_server.jobs import Checked, CheckJob
from tpsi_server.service.auth import CALLER, Caller, Credentials, Directory
from tpsi_server.service.operator import OperatorServicer
from tpsi_server.service.status import Context
from tpsi_server.store.schema import reveals

KEY = bytes(32)


def first(data: bytes) -> ItemHash:
    return hasher("dct80").hash(Picture.from_bytes(data))


def photo(data: bytes) -> bytes:
    """A photograph's associated data."""
    return Photograph(KEY, derivative(Picture.from_bytes(data))).encode()


def write_list(path: Path, pictures: list[bytes], *, without: int = 0) -> Path:
    """A list with companions of pictures, as an operator has it; the last ones `without`."""
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["hash", "companion", "name"])
        for number, data in enumerate(pictures[: len(pictures) - without]):
            rows.writerow([first(data), second_hash(Picture.from_bytes(data)), f"{number}.jpg"])
    return path


@pytest.fixture(scope="module")
def pictures() -> list[bytes]:
    """Listed pictures."""
    return make_pictures(9)


@pytest.fixture
def listed(site: Site, pictures: list[bytes], tmp_path: Path) -> Site:
    """A server whose list is the pictures, with companions; more than 3 matches reveal."""
    with site.store() as store:
        for name in ("names", "without canary"):
            store.lists.remove(name)
        import_with_companions(store, write_list(tmp_path / "list.csv", pictures), "a source", ImportOptions())
    site.build()
    return site


def upload(runtime: Runtime, items: list[tuple[ItemHash, bytes]], seed: str = "d") -> None:
    """Seal, ingest and match vouchers of (hash, associated data)."""
    runtime.accounts.create("alice")
    sealed = seal(device(runtime), [Item(h.digest, (h,), data) for h, data in items], rng=Drbg(seed))
    runtime.ingest.ingest("alice", [one.data for one in sealed.vouchers])
    runtime.match_all()


def add_companion(runtime: Runtime, data: bytes) -> None:
    """Take in the second hash of one picture more."""
    new = [Companion(first(data), second_hash(Picture.from_bytes(data)))]
    runtime.store.companions.add(lambda: new)


def add_uncovered(runtime: Runtime, path: Path, data: bytes) -> None:
    """Take a picture onto the list, from another source and without a companion."""
    path.write_text(first(data).digest.hex() + "\n")
    import_list(runtime.store, path, "another", ImportOptions(default_type="dct80"))


def again(data: bytes) -> bytes:
    """A re-encoded copy with the same first hash."""
    for quality in (95, 90, 80, 70):
        copy = encode(Picture.from_bytes(data).image, "JPEG", quality=quality)
        if copy != data and first(copy) == first(data):
            return copy
    return data


def test_copies_are_confirmed_and_collisions_held_back(listed: Site, pictures: list[bytes]) -> None:
    copies = [(first(one), photo(again(one))) for one in pictures[:5]]
    base = photograph("rocket")
    crafted = [(first(one), photo(collide(base, first(one)))) for one in pictures[5:7]]
    with listed.runtime() as runtime:
        upload(runtime, copies + crafted)
        given = list(runtime.store.reveals.of_account("alice"))
        every = list(runtime.store.reveals.all_of_account("alice"))
        counts = runtime.store.reveals.counts("alice")
    assert {one.associated for one in given} == {data for _, data in copies}
    assert all(one.check is Check.CONFIRMED and one.distance is not None and one.distance <= 40 for one in given)
    held = [one for one in every if one.check is Check.HELD_BACK]
    assert {one.associated for one in held} == {data for _, data in crafted}
    assert all(one.distance is not None and one.distance > 80 for one in held)
    assert (counts.given, counts.held_back, counts.waiting) == (5, 2, 0)


@pytest.mark.parametrize("number", [1, 77])
def test_a_damaged_cell_holds_up_neither_the_comparing_nor_the_matching_of_others(
    listed: Site, pictures: list[bytes], number: int
) -> None:
    """Under the number of a key that is there, and of one that never was."""
    with listed.runtime() as runtime:
        upload(runtime, [(first(one), photo(again(one))) for one in pictures[:5]])
        with runtime.store._database.write() as connection:
            connection.execute(update(reveals).values(verdict=None, distance=None))
            cell = number.to_bytes(4, "big") + bytes(60)
            connection.execute(update(reveals).where(reveals.c.voucher == 1).values(associated=cell))
        runtime.match_all()
        assert runtime.store.reveals.counts("alice").given == (4 if number == 1 else 0)
        runtime.accounts.create("bob")
        sealed = seal(device(runtime, "bob"), [Item(b"x", (first(pictures[0]),), b"")], rng=Drbg("bob"))
        runtime.ingest.ingest("bob", [one.data for one in sealed.vouchers])
        assert runtime.match_all().matched == 1


def bomb() -> bytes:
    """A JPEG whose header claims 65 500 x 65 500 pixels."""
    data = bytearray(encode(Image.new("RGB", (16, 16)), "JPEG"))
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = struct.pack(">HH", 65_500, 65_500)
    return bytes(data)


HOSTILE = {
    "no picture": b"\xff\xd8\xff" + bytes(100),
    "another format": encode(photograph("astronaut").resize((64, 64)), "PNG"),
    "a bomb": bomb(),
    "cut off": encode(photograph("astronaut"), "JPEG")[:2000],
    "blank": encode(Image.new("RGB", (64, 64), "red"), "JPEG"),
}


def test_what_cannot_be_read_or_shows_nothing_is_held_back(listed: Site, pictures: list[bytes]) -> None:
    hostile = [
        (first(one), Photograph(KEY, data).encode()) for one, data in zip(pictures, HOSTILE.values(), strict=False)
    ]
    with listed.runtime() as runtime:
        upload(runtime, hostile)
        assert list(runtime.store.reveals.of_account("alice")) == []
        assert {one.check for one in runtime.store.reveals.all_of_account("alice")} == {Check.HELD_BACK}
        assert runtime.store.reveals.counts("alice").held_back == len(hostile)


def test_matching_processes_do_the_comparing_where_there_are_any(listed: Site, pictures: list[bytes]) -> None:
    with listed.runtime(workers=1) as runtime:
        upload(runtime, [(first(one), photo(again(one))) for one in pictures[:4]])
        assert {one.check for one in runtime.store.reveals.of_account("alice")} == {Check.CONFIRMED}


def test_what_has_no_small_picture_is_given_as_unknown(listed: Site, pictures: list[bytes]) -> None:
    data = [Photograph(KEY, b"").encode(), b"a message", b"", b"TPH1"]
    with listed.runtime() as runtime:
        upload(runtime, [(first(one), some) for one, some in zip(pictures, data, strict=False)])
        assert [one.check for one in runtime.store.reveals.of_account("alice")] == [Check.UNKNOWN] * 4


def test_nothing_is_held_back_while_a_listed_hash_has_no_companion(
    listed: Site, pictures: list[bytes], tmp_path: Path
) -> None:
    crafted = [(first(one), photo(collide(photograph("rocket"), first(one)))) for one in pictures[:4]]
    late = make_pictures(10)[9]
    with listed.runtime() as runtime:
        add_uncovered(runtime, tmp_path / "one.txt", late)
        assert runtime.store.companions.coverage().uncovered == 1
        upload(runtime, crafted)
        assert {one.check for one in runtime.store.reveals.of_account("alice")} == {Check.UNKNOWN}
        # the missing companion comes: everything that was not confirmed is compared again
        add_companion(runtime, late)
        assert runtime.store.reveals.counts("alice").waiting == 4
        assert list(runtime.store.reveals.of_account("alice")) == []  # nothing is given before it is compared
        runtime.match_all()
        assert runtime.store.reveals.counts("alice").held_back == 4


def test_what_is_unknown_is_compared_again_when_all_of_the_list_has_companions(
    listed: Site, pictures: list[bytes], tmp_path: Path
) -> None:
    crafted = [(first(one), photo(collide(photograph("rocket"), first(one)))) for one in pictures[:4]]
    with listed.runtime() as runtime:
        add_uncovered(runtime, tmp_path / "one.txt", make_pictures(10)[9])
        upload(runtime, crafted)
        assert {one.check for one in runtime.store.reveals.of_account("alice")} == {Check.UNKNOWN}
        runtime.store.lists.remove("another")
        assert runtime.store.reveals.counts("alice").waiting == 4
        runtime.match_all()
        assert runtime.store.reveals.counts("alice").held_back == 4


def test_what_was_hashed_before_a_companion_came_is_compared_with_it_too(
    listed: Site, pictures: list[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = make_pictures(10)[9]
    with listed.runtime() as runtime:
        add_uncovered(runtime, tmp_path / "one.txt", late)
        monkeypatch.setattr(Checker, "next", lambda _self: None)
        upload(runtime, [(first(one), photo(late)) for one in pictures[:4]])
        monkeypatch.undo()
        checker = Checker(runtime.store, listed.clock)
        work = checker.next()
        assert work is not None
        add_companion(runtime, late)
        checker.record(work[0], work[1].run())  # compared without it: no picture of the list was near
        assert runtime.store.reveals.counts("alice").waiting == 4
        runtime.match_all()
        assert {one.check for one in runtime.store.reveals.of_account("alice")} == {Check.CONFIRMED}


def test_without_companions_all_is_given_as_before(site: Site, pictures: list[bytes], tmp_path: Path) -> None:
    file = tmp_path / "list.txt"
    file.write_text("".join(first(one).digest.hex() + "\n" for one in pictures))
    with site.runtime() as runtime:
        import_list(runtime.store, file, "hashes alone", ImportOptions(default_type="dct80"))
    site.build()
    with site.runtime() as runtime:
        upload(runtime, [(first(one), photo(one)) for one in pictures[:4]])
        assert [one.check for one in runtime.store.reveals.of_account("alice")] == [Check.UNKNOWN] * 4
        assert runtime.store.reveals.counts("alice").given == 4


def test_a_picture_that_breaks_its_process_is_hashed_alone_and_then_held_back(
    listed: Site, pictures: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    with listed.runtime() as runtime:
        monkeypatch.setattr(Checker, "next", lambda _self: None)
        upload(runtime, [(first(one), photo(one)) for one in pictures[:4]])
        monkeypatch.undo()
        checker = Checker(runtime.store, listed.clock)
        culprit = runtime.store.reveals.unchecked(4)[-1].number
        sizes: list[int] = []
        while (work := checker.next()) is not None:
            checking, job = work
            sizes.append(len(checking.numbers))
            checker.record(checking, _dies_of(job, culprit))
        counts = runtime.store.reveals.counts("alice")
    assert sizes == [4, 1, 1, 1, 1]
    assert (counts.given, counts.held_back, counts.waiting) == (3, 1, 0)


def _dies_of(job: CheckJob, culprit: int) -> Checked | Failure:
    return Failure("its process died") if any(number == culprit for number, _ in job.pictures) else job.run()


def test_the_operator_s_call_gives_what_is_held_back_only_if_asked(listed: Site, pictures: list[bytes]) -> None:
    crafted = photo(collide(photograph("rocket"), first(pictures[8])))
    with listed.runtime() as runtime:
        upload(runtime, [*((first(one), photo(one)) for one in pictures[:4]), (first(pictures[8]), crafted)])
        servicer = OperatorServicer(runtime)

        async def call(held_back: bool) -> list[pb.RevealedItem]:
            operator = Identity(1, Role.OPERATOR, None)
            CALLER.set(Caller(operator, Credentials(None), "GetReveal", cast("Directory", None)))
            request = pb.GetRevealRequest(account="alice", held_back=held_back)
            return [item async for item in servicer.GetReveal(request, cast("Context", None))]

        given, every = asyncio.run(call(False)), asyncio.run(call(True))
        listing = asyncio.run(servicer.ListAccounts(pb.ListAccountsRequest(), cast("Context", None)))
    assert {item.comparison for item in given} == {pb.COMPARISON_CONFIRMED}
    assert len(given) == 4
    (held,) = [item for item in every if item.comparison == pb.COMPARISON_HELD_BACK]
    assert held.associated_data == crafted
    assert held.distance > 80
    (alice,) = [account for account in listing.accounts if account.name == "alice"]
    assert (alice.revealed, alice.held_back, alice.not_compared) == (5, 1, 0)


@pytest.fixture
def run(listed: Site, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Runs `tpsi-server` on the folder: exit status, stdout, stderr."""
    with running(listed, capsys, monkeypatch) as run:
        yield run


def test_a_reviewer_is_shown_the_rest_only_by_asking(
    run: Run, listed: Site, pictures: list[bytes], tmp_path: Path
) -> None:
    crafted = collide(photograph("rocket"), first(pictures[8]))
    with listed.runtime() as runtime:
        upload(runtime, [*((first(one), photo(one)) for one in pictures[:4]), (first(pictures[8]), photo(crafted))])
    status, out, err = run("reveal", "show", "alice", "--json")
    assert status == 0
    assert [row["second_hash"] for row in json.loads(out)] == ["confirmed"] * 4
    assert "1 of what was revealed match no listed picture in their second hash and are held back" in err
    _, out, err = run("reveal", "show", "alice", "--held-back", "--json")
    assert sorted(row["second_hash"] for row in json.loads(out)) == ["confirmed"] * 4 + ["held back"]
    assert err == ""
    assert run("reveal", "export", "alice", "--to", tmp_path / "out")[0] == 0
    index = json.loads((tmp_path / "out" / "index.json").read_text())
    assert [item["second_hash"] for item in index["items"]] == ["confirmed"] * 4
    assert run("reveal", "export", "alice", "--to", tmp_path / "all", "--held-back")[0] == 0
    assert len(json.loads((tmp_path / "all" / "index.json").read_text())["items"]) == 5


def test_an_import_tells_how_much_of_the_list_has_companions(run: Run, pictures: list[bytes], tmp_path: Path) -> None:
    file = write_list(tmp_path / "again.csv", pictures)
    status, out, err = run("list", "import", file, "--source", "a source", "--companions")
    assert status == 0
    assert "0 companions were new; there are 9 now" in out
    assert err == ""
    other = tmp_path / "other.txt"
    other.write_text("0f" * 10 + "\n")
    status, _, err = run("list", "import", other, "--source", "b", "--type", "dct80")
    assert (status, err) == (0, "")
    _, out, _ = run("list", "import", file, "--source", "a source", "--companions", "--json")
    assert json.loads(out)["without"] == 1


def test_what_the_verb_hash_writes_is_imported_with_its_companions(
    run: Run, pictures: list[bytes], tmp_path: Path
) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number, data in enumerate(pictures):
        (folder / f"{number}.jpg").write_bytes(data)
    assert run("hash", folder, "--output", tmp_path / "own.csv")[0] == 0
    status, out, _ = run("list", "import", tmp_path / "own.csv", "--source", "own", "--companions", "--json")
    assert status == 0
    told = json.loads(out)
    assert (told["hashes_after"], told["companions"], told["without"]) == (9, 9, 0)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "names the columns hash and companion"),
        ("hash,name\na,b\n", "names the columns hash and companion"),
        ("hash,companion\ndct80:00,pdq64:00\n", "line 2: a dct80 digest has 10 bytes"),
        ("hash,companion\ndct80:0f0f0f0f0f0f0f0f0f0f,pdq64:zz\n", "line 2"),
        (
            "hash,companion\ndct80:0f0f0f0f0f0f0f0f0f0f,md5:0f0f0f0f0f0f0f0f0f0faabbccddeeff\n",
            "type pdq64 or pdq, not md5",
        ),
        (
            f"hash,companion\ndct80:{'00' * 10},pdq64:{'0f' * 32}\n",
            "line 2: this dct80 is all zeros",
        ),
        (f"hash,companion\npdq:{'0f' * 32},pdq:{'0f' * 32}\n", "of another type"),
    ],
)
def test_a_file_that_is_no_list_of_companions_changes_nothing(site: Site, tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "bad.csv"
    file.write_text(text)
    with site.store() as store:
        before = store.lists.sources()
        with pytest.raises((OperatorError, CallerError), match=said):
            import_with_companions(store, file, "bad", ImportOptions())
        assert store.lists.sources() == before
        assert store.companions.coverage().companions == 0


def test_a_header_line_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "bad.csv"
    file.write_bytes(b"hash,companion\xff\n")
    with pytest.raises(OperatorError, match=r"line 1: .*utf-8"):
        list(read_companions(file))


def test_columns_may_be_named_by_the_type_of_the_listed_hash(tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    companion = f"pdq64:{'0f' * 32}"
    for header, value in (("dct80", "0f0f0f0f0f0f0f0f0f0f"), ("hash", "dct80:0f0f0f0f0f0f0f0f0f0f")):
        file.write_text(f"{header},companion\n{value},{companion}\n")
        assert [str(row.item) for row in read_companions(file)] == ["dct80:0f0f0f0f0f0f0f0f0f0f"]
    file.write_text("dct80,companion,name\n0f0f0f0f0f0f0f0f0f0f,,a picture without a second hash\n")
    assert [row.companion for row in read_companions(file)] == [None]
    file.write_text(f"type,hash,companion,name\ndct80,0f0f0f0f0f0f0f0f0f0f,{companion},a\x1b[31m\n")
    (row,) = read_companions(file)
    assert (row.item.type, row.name) == ("dct80", "a [31m")


def test_the_nearest_companion_is_the_nearest_of_all() -> None:
    random = np.random.default_rng(5)
    digests = [random.bytes(32) for _ in range(70_000)]
    mine = random.bytes(32)
    companions = Companions({"pdq64": digests}, complete=True, radii={})
    brute = min((int.from_bytes(one) ^ int.from_bytes(mine)).bit_count() for one in digests)
    assert companions.nearest(ItemHash("pdq64", mine)) == brute
    assert companions.nearest(ItemHash("pdq", mine)) is None


def test_the_radius_is_the_one_that_was_asked_for() -> None:
    far = bytes(12) + b"\xff" * 5 + bytes(15)
    for radius, check in ((39, Check.HELD_BACK), (40, Check.CONFIRMED)):
        companions = Companions({"pdq64": [bytes(32)]}, complete=True, radii={"pdq64": radius})
        assert companions.judge([ItemHash("pdq64", far)]) == (check, 40)
