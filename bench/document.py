"""The results as a JSON document for programs. Times are in microseconds, sizes in octets."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.comparison import Compared
from bench.cores import Scaling
from bench.errors import BenchError
from bench.goals import Goal, goals
from bench.load import Loaded
from bench.measure import Cost
from bench.peer import NAME
from bench.run import Results
from bench.sizes import TableSize, VoucherSize
from bench.spread import MICRO, Spread
from bench.steps import multiplications
from bench.uploads import Upload

FORMAT = 2


def document(results: Results) -> dict[str, Any]:
    """The whole document."""
    return {
        "format": FORMAT,
        "setting": {"name": results.setting.name, "repeats": results.setting.repeats},
        "machine": results.machine.to_json(),
        "costs": [_cost(cost) for cost in results.costs],
        "tables": [_table(size) for size in results.tables],
        "vouchers": [_voucher(size) for size in results.vouchers],
        "peer": {"name": NAME, **asdict(results.peer)},
        "uploads": [_upload(upload) for upload in results.uploads],
        "grown": [asdict(grown) for grown in results.grown],
        "compared": [_compared(row) for row in results.compared],
        "scaling": [_scaling(row) for row in results.scaling],
        "goals": [_goal(goal) for goal in goals(results)],
    }


def require_writable(path: Path) -> None:
    """BenchError, before minutes are spent, if the file cannot be written."""
    _write(path, "")


def write(results: Results, path: Path) -> None:
    """Write the document; BenchError if the file cannot be written."""
    _write(path, json.dumps(document(results), indent=1) + "\n")


def write_load(loaded: Loaded, path: Path) -> None:
    """Write what a long load showed; BenchError if the file cannot be written."""
    value = asdict(loaded) | {"growth": loaded.growth, "flat": loaded.flat}
    _write(path, json.dumps({"format": FORMAT, "load": value}, indent=1) + "\n")


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BenchError(f"{path} cannot be written ({error.strerror}): name another file") from None


def _cost(cost: Cost) -> dict[str, Any]:
    subject, in_multiplications = cost.subject, multiplications(cost)
    return {
        "operation": subject.operation,
        "suite": subject.suite,
        "table": subject.table,
        "backend": subject.backend,
        "parameters": dict(subject.parameters),
        "items_per_sample": cost.items,
        "microseconds": cost.spread.scaled(MICRO).to_json(),
        "samples": [seconds * MICRO for seconds in cost.seconds],
        "scalar_multiplications": in_multiplications and in_multiplications.to_json(),
    }


def _table(size: TableSize) -> dict[str, Any]:
    return asdict(size) | {"octets_per_hash": size.per_hash}


def _voucher(size: VoucherSize) -> dict[str, Any]:
    return asdict(size)


def _upload(upload: Upload) -> dict[str, Any]:
    return {
        "suite": upload.suite,
        "table": upload.table,
        "associated": upload.associated,
        "octets": upload.octets,
        "vouchers_per_sample": upload.vouchers,
        "batch": upload.batch,
        "acknowledged_per_second": upload.rate.to_json(),
        "store_alone_per_second": upload.store_rate.to_json(),
        "acknowledged_to_store_alone": upload.ratio.to_json(),
        "matched_per_second": upload.matched_rate.to_json(),
    }


def _compared(row: Compared) -> dict[str, Any]:
    return {
        "step": row.step,
        "suite": row.suite,
        "table": row.table,
        "backend": row.backend,
        "ours_microseconds": Spread.of(row.ours).scaled(MICRO).to_json(),
        "peer_microseconds": Spread.of(row.peer).scaled(MICRO).to_json(),
        "peer_to_ours": row.ratio.to_json(),
    }


def _scaling(row: Scaling) -> dict[str, Any]:
    return {
        "operation": row.operation,
        "suite": row.suite,
        "table": row.table,
        "backend": row.backend,
        "one_core_per_second": Spread.of(row.one).to_json(),
        "two_cores_per_second": Spread.of(row.two).to_json(),
        "two_to_one": row.factor.to_json(),
    }


def _goal(goal: Goal) -> dict[str, Any]:
    return asdict(goal) | {
        "ours": goal.ours.to_json(),
        "reached": goal.meets(goal.reach),
        "aim_met": goal.meets(goal.aim),
    }
