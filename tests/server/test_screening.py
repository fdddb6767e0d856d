"""What screening leaves out of a table, why, and that it says so."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.pictures.files import encode, photograph
from tests.pictures.recipes import picture
from tests.server.site import SHARING, Site
from tests.support.server_data import PASSPHRASE, add_source
from tpsi import ItemHash, Manifest, Probes
from tpsi.canary import CANARY_HASHES
from tpsi.pictures import Picture, hasher, neighbours, probes, reach
from tpsi.pictures.dct import dct_coefficients
from tpsi.pictures.references import KINDS, references
from tpsi_server.epochs import Builder, BuildOptions
from tpsi_server.errors import OperatorError
from tpsi_server.screening import MARGIN, PER_KIND, Screening

CANARY = ItemHash("dct80", bytes.fromhex(CANARY_HASHES["dct80"]))


def balanced(seed: int, bits: int = 80) -> bytes:
    """A random digest with half of its bits set."""
    return np.packbits(np.random.default_rng(seed).permutation(bits) < bits // 2).tobytes()


def flipped(digest: bytes, pairs: int) -> bytes:
    """A digest with so many of its ones, and as many zeros, flipped."""
    bits = np.unpackbits(np.frombuffer(digest, np.uint8))
    chosen = [*np.flatnonzero(bits)[:pairs], *np.flatnonzero(bits == 0)[:pairs]]
    bits[chosen] ^= 1
    return np.packbits(bits).tobytes()


def dct80(*digests: bytes) -> list[ItemHash]:
    return [ItemHash("dct80", digest) for digest in digests]


def build(site: Site, count: int, innocent: Path | None = None) -> tuple[Manifest, Screening]:
    """The manifest and the report of a build for `count` probes."""
    with site.store() as store:
        builder = Builder(site.folder, store, site.keys(), processes=1)
        manifest = builder.build(BuildOptions(SHARING, probes=Probes(count), innocent=innocent))
        return manifest, builder.screening


def test_a_list_for_several_probes_is_separated_and_says_so(empty_site: Site) -> None:
    first = balanced(1)
    names = dct80(first, flipped(first, 3), flipped(first, 4), balanced(2))
    with empty_site.store() as store:
        add_source(store, "one", names)
        add_source(store, "two", [names[1]])
    manifest, report = build(empty_site, 16)
    assert manifest.probes == Probes(16, separated=True)
    assert manifest.items == 3  # the canary comes in
    gone = {one.item: one.neighbour for one in report.near}
    assert gone == {names[0]: names[1], names[2]: names[1]}  # which more sources name
    digests = np.array([np.frombuffer(one.digest, np.uint8) for one in {*names, CANARY} - gone.keys()])
    assert not len(neighbours(digests, reach(16)))


def test_one_probe_needs_no_separation(empty_site: Site) -> None:
    first = balanced(1)
    with empty_site.store() as store:
        add_source(store, "one", dct80(first, flipped(first, 1)))
    manifest, report = build(empty_site, 1)
    assert manifest.probes == Probes(1, separated=False)
    assert manifest.items == 3
    assert not report.near


def test_a_neighbour_of_the_canary_gives_way_to_it(empty_site: Site) -> None:
    with empty_site.store() as store:
        add_source(store, "one", dct80(flipped(CANARY.digest, 2), balanced(3)))
    manifest, report = build(empty_site, 16)
    assert manifest.items == 2
    assert [one.neighbour for one in report.near] == [CANARY]


@pytest.mark.parametrize("count", [1, 16])
def test_hashes_of_pictures_with_little_to_see_are_left_out(empty_site: Site, count: int) -> None:
    """Within the probes of a device and a margin, of every kind of reference picture."""
    drawn = dict(references(PER_KIND))
    listed = {}
    for kind in KINDS:
        deep = probes(dct_coefficients(drawn[f"{kind}-3"], 80), MARGIN * count)
        listed[kind] = ItemHash("dct80", deep[-1])
    with empty_site.store() as store:
        add_source(store, "one", [*listed.values(), *dct80(balanced(4))])
    manifest, report = build(empty_site, count)
    assert {one.item for one in report.common} == set(listed.values())
    assert manifest.items == 2
    assert any("match one of" in line for line in report.lines())


def test_the_operator_s_innocent_pictures_are_screened_for(empty_site: Site, tmp_path: Path) -> None:
    image = photograph("coffee")
    (tmp_path / "innocent").mkdir()
    (tmp_path / "innocent" / "cup.jpg").write_bytes(encode(image, "JPEG", quality=60))
    (tmp_path / "innocent" / "notes.jpg").write_bytes(b"no picture at all")
    listed = hasher("dct80").hash(Picture.from_bytes(encode(image, "PNG")))
    with empty_site.store() as store:
        add_source(store, "one", [listed, *dct80(balanced(5))])
    assert build(empty_site, 16)[0].items == 3
    manifest, report = build(empty_site, 16, tmp_path / "innocent")
    assert manifest.items == 2
    assert [(one.item, one.reference) for one in report.common] == [(listed, "cup.jpg")]
    saved = json.loads((empty_site.folder.tables / "2" / "screening.json").read_text())
    assert saved["too_common"] == [{"hash": str(listed), "reference": "cup.jpg"}]


def test_a_folder_without_pictures_is_no_corpus(empty_site: Site, tmp_path: Path) -> None:
    with empty_site.store() as store:
        add_source(store, "one", dct80(balanced(6)))
    with pytest.raises(OperatorError, match="holds no pictures"):
        build(empty_site, 16, tmp_path)


def test_several_probes_and_a_type_that_cannot_be_separated(empty_site: Site) -> None:
    with empty_site.store() as store:
        add_source(store, "one", [ItemHash("neuralhash", bytes(range(12)))])
    with pytest.raises(OperatorError, match="neuralhash"):
        build(empty_site, 16)
    assert build(empty_site, 1)[0].items == 1


def test_a_list_that_is_all_degenerate_is_not_built(empty_site: Site) -> None:
    flat = probes(dct_coefficients(dict(references(PER_KIND))["gradient-1"], 64), 1)[0]
    with empty_site.store() as store:
        add_source(store, "one", [ItemHash("phash", balanced(8, 64)), ItemHash("dct64", flat)])
    manifest, report = build(empty_site, 1)
    assert [one.item.type for one in report.common] == ["dct64"]
    assert manifest.items == 3  # two canaries


def test_photographs_are_not_screened_out(empty_site: Site) -> None:
    listed = [
        hasher(label).hash(Picture.from_bytes(encode(image, "PNG")))
        for label in ("dct80", "phash")
        for image in (photograph("astronaut"), photograph("chelsea"), picture("smooth", 4, 300, 200))
    ]
    with empty_site.store() as store:
        add_source(store, "one", listed)
    manifest, report = build(empty_site, 64)
    assert not report.common
    assert not report.near
    assert manifest.items == len(listed) + 2


def test_a_first_table_of_dct_hashes_is_for_sixteen_probes(
    empty_site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from tpsi_server.cli import main

    with empty_site.store() as store:
        add_source(store, "one", dct80(*map(balanced, range(20, 26))))
    monkeypatch.setenv("TPSI_DATA", str(empty_site.folder.path))
    monkeypatch.setenv("TPSI_PASSPHRASE", PASSPHRASE.reveal().decode())
    for arguments, count in (([], 16), (["--probes", "1"], 1), ([], 1)):
        with pytest.raises(SystemExit, match="0"):
            main(["build", "--json", *arguments])
        captured = capsys.readouterr()
        assert json.loads(captured.out)["probes"] == count
        assert ("--trust-separation" in captured.err) == (count == 16)
