"""The act of the copies: listed pictures that went through a messenger, and which probe of each found the list's hash.

It has a small server of its own, whose list is made with `tpsi-server hash` from pictures: DCT hashes, 16 probes, and a
second hash for the check after a reveal.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from examples.demo.copies import Copies, Copy
from examples.demo.errors import DemoError
from examples.demo.host import Host
from examples.demo.narration import Narrator
from examples.demo.photos import Photo
from examples.demo.processes import Processes
from examples.demo.promise import ROWS
from tpsi.items import ItemHash
from tpsi.pictures import Picture, derivative, hasher
from tpsi_client.configuration import DEFAULT_SIZE_CLASS
from tpsi_client.examining import preview_room

HASH_TYPE = "dct80"
PROBES = 16
THRESHOLD = 4
OWNER = "frank"

_Change = Callable[[Image.Image], Image.Image]


@dataclass(frozen=True, slots=True)
class Treatment:
    """What happened to a picture on its way, and how the copy was saved."""

    name: str
    change: _Change = lambda image: image
    suffix: str = "jpg"
    quality: int = 80


def _scaled(factor: float) -> _Change:
    return lambda image: image.resize((round(image.width * factor), round(image.height * factor)))


def _trimmed(part: float) -> _Change:
    def trim(image: Image.Image) -> Image.Image:
        across, down = (max(1, round(side * part / 2)) for side in image.size)
        return image.crop((across, down, image.width - across, image.height - down))

    return trim


#: One for each picture; the last two are more than probes can reach.
TREATMENTS = (
    Treatment("JPEG, quality 25", quality=25),
    Treatment("WebP, quality 40", suffix="webp", quality=40),
    Treatment("a third as large", _scaled(1 / 3)),
    Treatment("60 %, JPEG 40", _scaled(0.6), quality=40),
    Treatment("much brighter", lambda image: ImageEnhance.Brightness(image).enhance(1.35)),
    Treatment("more contrast", lambda image: ImageEnhance.Contrast(image).enhance(1.4)),
    Treatment("blurred", lambda image: image.filter(ImageFilter.GaussianBlur(2))),
    Treatment("grey, JPEG 30", lambda image: ImageOps.grayscale(image).convert("RGB"), quality=30),
    Treatment("JPEG, quality 10", quality=10),
    Treatment("cropped by 1 %", _trimmed(0.01)),
    Treatment("cropped by 5 %", _trimmed(0.05)),
    Treatment("mirrored", ImageOps.mirror),
)


class Messenger:
    """The server and the one device of this act, in a folder of their own."""

    def __init__(self, work: Path, processes: Processes, narrator: Narrator) -> None:
        self._work, self._processes, self._narrator = work, processes, narrator
        self._host = Host(work / "server", processes)
        self._home = {"TPSI_HOME": str(work / "device")}

    def play(self, pictures: Sequence[Photo]) -> Copies:
        """Play the act. Raises DemoError if it does not go as it must."""
        self._narrator.step("Copies that went through a messenger")
        with self._narrator.waiting("making a list of pictures"):
            originals = self._originals(pictures)
            listed = self._list(originals)
        with self._narrator.waiting("starting another server and device"):
            self._join()
        with self._narrator.waiting("sealing and matching copies"):
            files = self._copies(originals)
            self._processes.run("tpsi-device", "sync", files[0].parent, environment=self._home)
            self._host.match_rest()
            shown = self._shown()
        copies = tuple(map(self._told, files, originals, TREATMENTS, [shown] * len(files)))
        result = Copies(copies, PROBES, THRESHOLD)
        _check(result, shown, listed)
        self._tell(result)
        return result

    def _originals(self, pictures: Sequence[Photo]) -> list[Path]:
        """A picture for each treatment, from as many photographs as possible."""
        folder = self._work / "listed"
        folder.mkdir(parents=True)
        first = {photo.origin: photo for photo in reversed(pictures)}  # of each photograph
        ranked = [*reversed(first.values()), *(photo for photo in pictures if photo not in first.values())]
        chosen = []
        for number, photo in enumerate(ranked[: len(TREATMENTS)]):
            chosen.append(folder / f"{number:02}.jpg")
            chosen[-1].write_bytes(photo.path.read_bytes())
        return chosen

    def _list(self, originals: Sequence[Path]) -> int:
        """Hash the pictures, import hashes and second hashes, build; how many pictures have a hash on the list."""
        hashes = self._work / "hashes.csv"
        self._host.set_up("pictures with probes")
        self._host.operate("hash", originals[0].parent, "--type", HASH_TYPE, "--output", hashes)
        self._host.operate("list", "import", hashes, "--source", "archive", "--companions")
        built = json.loads(
            self._host.operate(
                *("build", "--json", "--threshold", str(THRESHOLD), "--rows", str(ROWS), "--probes", str(PROBES)),
                # as few as there can be: what is shown here is which probe finds what
                *("--synthetic-mode", "replace", "--synthetic-per-million", "1"),
            )
        )
        return int(built["items"]) - bool(built["canary"])

    def _join(self) -> None:
        self._host.serve()
        file = self._work / f"{OWNER}.json"
        self._host.add_account(OWNER, file)
        # no auditor looks at this table: the owner takes the server's word that no picture matches twice
        self._processes.run("tpsi-device", "enrol", file, "--trust-separation", environment=self._home)

    def _copies(self, originals: Sequence[Path]) -> list[Path]:
        folder = self._work / "copies"
        folder.mkdir()
        files = []
        for original, treatment in zip(originals, TREATMENTS, strict=False):
            path = folder / f"{original.stem}.{treatment.suffix}"
            with Image.open(original) as image:
                treatment.change(image.convert("RGB")).save(path, quality=treatment.quality)
            files.append(path)
        return files

    def _shown(self) -> dict[bytes, int | None]:
        """The small pictures that a reviewer is given, with the distance of each in the second hash."""
        index = self._work / "reveal"
        self._host.export(OWNER, index)
        items = json.loads((index / "index.json").read_text("utf-8"))["items"]
        return {(index / item["derivative"]).read_bytes(): item["distance"] for item in items}

    def _told(self, file: Path, original: Path, treatment: Treatment, shown: dict[bytes, int | None]) -> Copy:
        """Both sides of one copy: what device and list compute, and what came out."""
        listed = hasher(HASH_TYPE).hash(Picture.read(original))
        picture = Picture.read(file)
        probes = hasher(HASH_TYPE).probes(picture, PROBES)
        small = derivative(picture, preview_room(DEFAULT_SIZE_CLASS))
        place = probes.index(listed) if listed in probes else None
        return Copy(treatment.name, _distance(probes[0], listed), place, small in shown, shown.get(small), small)

    def _tell(self, result: Copies) -> None:
        count = len(result.copies)
        self._narrator.tell(
            f"Another list holds {count} pictures by their DCT hashes (80 bits), and {OWNER}'s device a copy of each, "
            f"re-encoded or changed. Only {result.found_at_once} copies have the listed hash. The device seals "
            f"{PROBES} probes for each, the likeliest hashes of other copies: so {result.found} are found."
        )
        for copy in result.copies:
            self._narrator.tell(f"{copy.treatment:<24}{copy.bits:>3} bits changed   found by {copy.found_by}")
        self._narrator.tell(
            f"More than {THRESHOLD} matched, so a reviewer is shown these {result.found}, after their second hash was "
            "found near a listed picture's."
        )


def _check(result: Copies, shown: dict[bytes, int | None], listed: int) -> None:
    """DemoError unless exactly the copies that a probe finds were shown."""
    if listed != len(result.copies):
        raise DemoError(f"{listed} of {len(result.copies)} pictures are on the list: others are near them; try --seed")
    if result.found <= THRESHOLD:
        raise DemoError(f"only {result.found} copies have a probe that is listed, of more than {THRESHOLD} needed")
    if len(shown) != result.found or any(copy.revealed != (copy.probe is not None) for copy in result.copies):
        raise DemoError(f"of {result.found} copies that probes find, {len(shown)} pictures were shown")


def _distance(one: ItemHash, other: ItemHash) -> int:
    return (int.from_bytes(one.digest) ^ int.from_bytes(other.digest)).bit_count()
