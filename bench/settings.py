"""How much is measured: the full setting, and the quick one that only shows that everything runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tpsi.groups import P256_SHA256, RISTRETTO255_SHA512
from tpsi.table import CuckooGeometry, FuseGeometry

#: Names on the command line, of the suites and of the table encodings.
SUITES = {"ristretto255": RISTRETTO255_SHA512, "p256": P256_SHA256}
TABLES = (FuseGeometry.encoding, CuckooGeometry.encoding)
#: What computes in a group: the native core, or a library. `LIBRARIES`: which one it is for each suite.
NATIVE, LIBRARY = "native", "library"
LIBRARIES = {RISTRETTO255_SHA512: "libsodium", P256_SHA256: "pycryptodome"}


@dataclass(frozen=True, slots=True)
class Examined:
    """A pool to be examined: `opened` vouchers of which `real` lie on the curve, degree t = `threshold`, u = `rows`."""

    opened: int
    real: int
    threshold: int
    rows: int


@dataclass(frozen=True, slots=True)
class Setting:
    """Sizes of one run.

    `listed[suite]`: hashes in a table. `batch[suite]`: items that one sample is taken over. `associated`: octets of
    associated data that items are sealed with. `upload`: vouchers of an end-to-end sample, of which
    `upload_batch` travel together.
    """

    name: str
    repeats: int
    listed: dict[str, int]
    batch: dict[str, int]
    associated: tuple[int, ...]
    examined: tuple[Examined, ...]
    upload: int
    upload_batch: int


def setting_of(value: Mapping[str, Any]) -> Setting:
    """A setting from what `dataclasses.asdict` and JSON made of it; without the pools to be examined."""
    return Setting(**{**value, "associated": tuple(value["associated"]), "examined": ()})


def growing(opened: int) -> Examined:
    """A pool of the series that shows how the cost of a reveal grows: a tenth of it, and 40 more, are real."""
    return Examined(opened, 40 + opened // 10, 30, 16)


FULL = Setting(
    name="full",
    repeats=5,
    listed={RISTRETTO255_SHA512: 10_000, P256_SHA256: 2000},
    batch={RISTRETTO255_SHA512: 500, P256_SHA256: 100},
    associated=(0, 4096),
    examined=(
        Examined(340, 40, 30, 64),
        Examined(700, 200, 30, 16),
        *(growing(opened) for opened in (50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000)),
    ),
    upload=2048,
    upload_batch=256,
)

QUICK = Setting(
    name="quick",
    repeats=2,
    listed={RISTRETTO255_SHA512: 200, P256_SHA256: 100},
    batch={RISTRETTO255_SHA512: 16, P256_SHA256: 8},
    associated=(0, 4096),
    examined=(Examined(340, 40, 30, 64), growing(50)),
    upload=64,
    upload_batch=16,
)
