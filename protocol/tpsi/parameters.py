"""The parameters that a list's manifest sets for its devices (specification, sections 5 to 7)."""

from dataclasses import dataclass
from enum import Enum

from tpsi.decoding import WORK_LIMIT, work
from tpsi.errors import CallerError

MAX_THRESHOLD = 1000
MIN_ROWS, MAX_ROWS = 3, 255
MAX_PER_MILLION = 500_000
MAX_PROBES = 256


class CountBy(Enum):
    """What the threshold counts: distinct listed hashes, or items (the paper's rule)."""

    HASH = "hash"
    ITEM = "item"


class SyntheticMode(Enum):
    """Whether a synthetic voucher stands in for an item's own, comes in addition, or is not made."""

    REPLACE = "replace"
    ADD = "add"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Sharing:
    """More than `threshold` distinct matches reveal; a share has `rows` values; with `rows` = u, one match past
    the minimum absorbs u synthetic shares."""

    threshold: int
    rows: int = 16
    count_by: CountBy = CountBy.HASH

    def __post_init__(self) -> None:
        if not 1 <= self.threshold <= MAX_THRESHOLD:
            raise CallerError(f"a threshold is 1 to {MAX_THRESHOLD}, not {self.threshold}")
        if not MIN_ROWS <= self.rows <= MAX_ROWS:
            raise CallerError(f"a share has {MIN_ROWS} to {MAX_ROWS} rows, not {self.rows}")
        if work(2 * (self.threshold + 1), self.rows, self.threshold) > WORK_LIMIT:
            raise CallerError(
                f"a threshold of {self.threshold} with {self.rows} rows is more than can be decoded in time"
            )


@dataclass(frozen=True, slots=True)
class Synthetic:
    """How many synthetic vouchers devices make: `per_million` items in a million, 0 exactly if the mode is none."""

    mode: SyntheticMode = SyntheticMode.REPLACE
    per_million: int = 50_000

    def __post_init__(self) -> None:
        if not 0 <= self.per_million <= MAX_PER_MILLION:
            raise CallerError(f"the synthetic rate is 0 to {MAX_PER_MILLION} in a million, not {self.per_million}")
        if (self.per_million == 0) != (self.mode is SyntheticMode.NONE):
            raise CallerError("the synthetic rate is 0 if and only if the mode is none")


@dataclass(frozen=True, slots=True)
class Probes:
    """How many probes a device makes for an item at most, and whether the list is separated (10.4)."""

    per_item: int = 1
    separated: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.per_item <= MAX_PROBES:
            raise CallerError(f"an item has 1 to {MAX_PROBES} probes, not {self.per_item}")
