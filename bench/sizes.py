"""Sizes: exact by the published formulas, and found again in tables and vouchers that were really made."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.errors import BenchError
from bench.settings import TABLES
from bench.stage import Stage, device_items
from tpsi import group, seal, voucher_size
from tpsi.table import geometry
from tpsi.voucher import smallest_class

#: List sizes that the formula is evaluated for.
HASHES = (10_000, 100_000, 1_000_000)


@dataclass(frozen=True, slots=True)
class TableSize:
    """Octets of a table of `hashes`; `built`: it was made, not only computed."""

    suite: str
    table: str
    hashes: int
    octets: int
    built: bool = False

    @property
    def per_hash(self) -> float:
        """Octets a hash."""
        return self.octets / self.hashes


@dataclass(frozen=True, slots=True)
class VoucherSize:
    """Octets of a voucher that was sealed, for one probe and shares of `rows` rows."""

    suite: str
    table: str
    rows: int
    associated: int
    octets: int


def table_sizes(suites: Sequence[str], tables: Sequence[str], hashes: Sequence[int] = HASHES) -> Iterator[TableSize]:
    """By formula."""
    for suite in suites:
        for table in (table for table in TABLES if table in tables):
            for count in hashes:
                yield TableSize(suite, table, count, geometry(table, count).cells * group(suite).element_size)


def built_size(stage: Stage) -> TableSize:
    """The table of a stage, whose size BenchError compares with the formula's."""
    size = TableSize(stage.suite, stage.encoding, stage.listed, stage.built.table.cells.nbytes, built=True)
    (expected,) = table_sizes([stage.suite], [stage.encoding], [stage.listed])
    if size.octets != expected.octets:
        raise BenchError(f"a table has {size.octets} octets where the formula gives {expected.octets}")
    return size


def sealed_sizes(stage: Stage, associated: Sequence[int]) -> Iterator[VoucherSize]:
    """Vouchers of a stage, whose sizes BenchError compares with the formula's."""
    for length in associated:
        octets = len(seal(stage.device, device_items(1, length)).vouchers[0].data)
        if octets != voucher_size(stage.manifest, smallest_class(length)):
            raise BenchError(f"a voucher has {octets} octets, which is not what the formula gives")
        yield VoucherSize(stage.suite, stage.encoding, stage.manifest.sharing.rows, length, octets)
