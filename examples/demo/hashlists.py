"""Two hash lists, as two organisations would send them, that agree on the hashes of the demonstration's list."""

import csv
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from examples.demo.photos import HASH_TYPE
from tpsi.items import DIGEST_SIZES

#: Part of the admitted hashes that each source names on top, alone.
_ALONE = 0.1


@dataclass(frozen=True, slots=True)
class HashList:
    """One source's file."""

    source: str
    path: Path
    entries: int


def write_lists(folder: Path, pictures: Sequence[bytes], total: int, rng: random.Random) -> tuple[HashList, HashList]:
    """Write a plain and a CSV list that share exactly `total` hashes: those of the pictures, and random ones.

    `pictures` are digests. Each list holds a tenth more that the other does not have.
    """
    agreed = {*pictures}
    while len(agreed) < total:
        agreed.add(_digest(rng))
    alone = round(total * _ALONE)
    first, second = (sorted([*agreed, *(_digest(rng) for _ in range(alone))]) for _ in range(2))
    return _plain(folder / "north.txt", first), _table(folder / "south.csv", second)


def _digest(rng: random.Random) -> bytes:
    return rng.randbytes(DIGEST_SIZES[HASH_TYPE])


def _plain(path: Path, digests: Sequence[bytes]) -> HashList:
    path.write_text("".join(f"{digest.hex()}\n" for digest in digests), encoding="ascii")
    return HashList("north hotline", path, len(digests))


def _table(path: Path, digests: Sequence[bytes]) -> HashList:
    with path.open("w", encoding="ascii", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", HASH_TYPE])
        writer.writerows((number, digest.hex()) for number, digest in enumerate(digests, 1))
    return HashList("south hotline", path, len(digests))
