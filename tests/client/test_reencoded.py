"""Re-encoded copies on a device, against the real server: what they reveal, and what they do not."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PIL import Image

from tests.client.conftest import HASTE
from tests.pictures.clips import clip
from tests.pictures.files import encode, photograph
from tests.support.server_data import COST, PASSPHRASE, add_source, wait_for
from tests.support.server_process import ServerProcess
from tpsi import ItemHash, Photograph, Probes, Sharing, Synthetic, SyntheticMode
from tpsi.pictures import Picture, PictureError, hasher, scenes
from tpsi_client import Choices, Device, EnrolmentError
from tpsi_server import DataFolder, Role, Runtime, Status, Store
from tpsi_server.enrolment import Enrolment as EnrolmentFile
from tpsi_server.epochs import Builder, BuildOptions
from tpsi_server.keys import KeyRing
from tpsi_server.setup import set_up

TYPE, PROBES = "dct80", 16
SIDE, STEP = 170, 85


def regions(count: int) -> list[Image.Image]:
    """Different regions of photographs, each with a hash."""
    found: list[Image.Image] = []
    for name in ("astronaut", "coffee", "chelsea", "rocket"):
        whole = photograph(name)
        for top in range(0, whole.height - SIDE, STEP):
            for left in range(0, whole.width - SIDE, STEP):
                region = whole.crop((left, top, left + SIDE, top + SIDE))
                if _hash(encode(region, "PNG")) is not None:
                    found.append(region)
    return found[:: len(found) // count][:count]


def _hash(data: bytes) -> ItemHash | None:
    try:
        return hasher(TYPE).hash(Picture.from_bytes(data))
    except PictureError:
        return None


def reencoded(image: Image.Image, number: int = 0) -> bytes:
    """A copy as a messenger makes it: smaller, and compressed."""
    side = SIDE - 10 - number
    return encode(image.resize((side, side), Image.Resampling.BICUBIC), "JPEG", quality=80 - number)


@contextmanager
def serving(folder: DataFolder, listed: list[ItemHash], threshold: int, tmp_path: Path) -> Iterator[Path]:
    """A server with a list and a threshold; yields an enrolment file."""
    set_up(folder, "photographs", PASSPHRASE, cost=COST)
    options = BuildOptions(Sharing(threshold), Synthetic(SyntheticMode.REPLACE, 1), Probes(PROBES))
    with Store.open(folder.database) as store:
        add_source(store, "clinic", listed)
        Builder(folder, store, KeyRing(folder.keys, PASSPHRASE, cost=COST), processes=1).build(options)
    with ServerProcess(folder, "--workers", "0") as running:
        served = running.served()
        assert served.ca is not None
        with Runtime(folder) as runtime:
            runtime.accounts.create("alice")
            token = runtime.accounts.issue(Role.DEVICE, "alice").token
            identity = runtime.identity
        path = tmp_path / "alice.json"
        EnrolmentFile(served.address, served.ca.decode(), identity, "alice", token, threshold).write(path)
        yield path


def opened(folder: DataFolder) -> Store:
    """The store of a server, as a reviewer opens it."""
    return Store.open(folder.database, KeyRing(folder.keys, PASSPHRASE, cost=COST).data_key)


def scanned(enrolment: Path, home: Path, pictures: dict[str, bytes], tmp_path: Path) -> int:
    """Scan and upload some files; how many vouchers were not null ones."""
    folder = tmp_path / "camera"
    folder.mkdir()
    for name, data in pictures.items():
        (folder / name).write_bytes(data)
    with Device.enrol(home, enrolment, Choices(trusts_separation=True), patience=HASTE) as device:
        report = device.scan(folder)
        assert report.vouchers == len(pictures)
        assert device.upload().acknowledged == len(pictures)
        return report.vouchers - report.repeated


@pytest.fixture
def data(tmp_path: Path) -> DataFolder:
    return DataFolder.at(tmp_path / "server")


def wait_until_matched(data: DataFolder) -> Status:
    """Wait until every voucher was looked at; how the server stands then."""
    with Runtime(data) as runtime:
        wait_for(lambda: runtime.status().vouchers_waiting == 0)
        return runtime.status()


def test_forty_one_listed_pictures_each_reencoded_reveal_all_that_matched(
    data: DataFolder, home: Path, tmp_path: Path
) -> None:
    originals = regions(41)
    listed = [item for image in originals if (item := _hash(encode(image, "PNG")))]
    copies = {f"{number}.jpg": reencoded(image) for number, image in enumerate(originals)}
    probes = {name: hasher(TYPE).probes(Picture.from_bytes(copy), PROBES) for name, copy in copies.items()}
    alone = sum(item[0] in listed for item in probes.values())
    with serving(data, listed, 30, tmp_path) as enrolment:
        scanned(enrolment, home, copies, tmp_path)
        wait_until_matched(data)
        with opened(data) as store:
            wait_for(lambda: any(store.reveals.of_account("alice")))
            shown = {Photograph.decode(one.associated).derivative for one in store.reveals.of_account("alice")}
    found = [name for name, items in probes.items() if set(items) & set(listed)]
    assert len(shown) == len(found)
    assert 30 < len(found) <= 41
    assert alone < len(found)  # the hash alone would have found fewer


def test_one_listed_picture_in_forty_reencodings_reveals_nothing(data: DataFolder, home: Path, tmp_path: Path) -> None:
    """Even with a threshold of one: all copies share one coordinate, whichever of their probes is listed."""
    image = regions(1)[0]
    listed = hasher(TYPE).hash(Picture.from_bytes(encode(image, "PNG")))
    copies = {f"{number}.jpg": reencoded(image, number) for number in range(40)}
    assert len({hashlib.sha256(copy).digest() for copy in copies.values()}) == 40
    matching = [copy for copy in copies.values() if listed in hasher(TYPE).probes(Picture.from_bytes(copy), PROBES)]
    assert len(matching) > 20
    with serving(data, [listed], 1, tmp_path) as enrolment:
        scanned(enrolment, home, copies, tmp_path)
        status = wait_until_matched(data)
    assert (status.vouchers_received, status.accounts_revealed) == (40, 0)


def test_a_device_does_not_make_probes_on_the_server_s_word_unless_told_to(
    data: DataFolder, home: Path, tmp_path: Path
) -> None:
    listed = hasher(TYPE).hash(Picture.from_bytes(encode(regions(1)[0], "PNG")))
    with (
        serving(data, [listed], 1, tmp_path) as enrolment,
        pytest.raises(EnrolmentError, match="--trust-separation"),
    ):
        Device.enrol(home, enrolment, patience=HASTE)


def test_mirror_images_are_found_if_the_owner_looks_for_them(data: DataFolder, home: Path, tmp_path: Path) -> None:
    originals = regions(3)
    listed = [item for image in originals if (item := _hash(encode(image, "PNG")))]
    folder = tmp_path / "camera"
    folder.mkdir()
    for number, image in enumerate(originals):
        mirrored = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        (folder / f"{number}.png").write_bytes(encode(mirrored, "PNG"))
    with (
        serving(data, listed, 2, tmp_path) as enrolment,
        Device.enrol(home, enrolment, Choices(trusts_separation=True), patience=HASTE) as device,
    ):
        assert device.scan(folder).vouchers == 3
        report = device.scan(folder, mirrored=True)
        assert (report.vouchers, report.repeated) == (3, 0)
        assert device.scan(folder, mirrored=True).vouchers == 0
        assert device.upload().acknowledged == 6
        with opened(data) as store:
            wait_for(lambda: len(list(store.reveals.of_account("alice"))) == 3)


def test_a_clip_counts_as_what_its_list_says(data: DataFolder, home: Path, tmp_path: Path) -> None:
    """Two copies of one clip, one of them with a scene shown twice: as many matches as different listed frames."""
    shown = [image.resize((192, 192)) for image in regions(3)]
    first = clip(tmp_path / "original.mp4", [(image, 1.5) for image in shown])
    listed = [hasher(TYPE).hash(scene) for scene in scenes(first)]
    assert len(set(listed)) == 3
    folder = tmp_path / "camera"
    folder.mkdir()
    clip(folder / "copy.webm", [(image, 1.5) for image in shown], "libvpx")
    clip(folder / "again.mp4", [(shown[place], 1.5) for place in (0, 1, 2, 0)], size=160)
    with (
        serving(data, listed, 2, tmp_path) as enrolment,
        Device.enrol(home, enrolment, Choices(trusts_separation=True), patience=HASTE) as device,
    ):
        assert device.scan(folder).pictures == 0
        report = device.scan(folder, videos=True)
        assert (report.pictures, report.sealed, report.vouchers) == (2, 2, 7)
        assert report.repeated >= 3
        assert device.scan(folder, videos=True).unchanged == 2
        device.upload()
        with opened(data) as store:
            wait_for(lambda: len(list(store.reveals.of_account("alice"))) == 3)
