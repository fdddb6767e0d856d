"""Fuzz every decoder that takes octets from outside: `python -m tests.fuzz --cases 100000`.

Memory is bounded: what would take more than a GiB above the beginning fails. A failure repeats by itself.
"""

import argparse
import resource
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.fuzz import peer_targets, protocol_targets
from tests.fuzz.harness import FuzzError, Report, Target, case, fuzz

#: Octets of address space above what is in use at the beginning.
MEMORY = 1 << 30


def main() -> int:
    """Run from the command line; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--cases", type=int, default=100_000, help="cases of each decoder (default: 100 000)")
    parser.add_argument("--seed", type=int, default=0, help="another seed gives other cases")
    parser.add_argument("--target", help="this decoder alone, or those whose names begin so")
    parser.add_argument("--only", type=int, metavar="N", help="repeat this one case, and print its input")
    parser.add_argument("--weighted", action="store_true", help="give slow decoders fewer cases")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    with all_targets() as targets:
        chosen = [one for one in targets if one.name == arguments.target] or [
            one for one in targets if one.name.startswith(arguments.target or "")
        ]
        if not chosen:
            parser.error(f"there is no decoder {arguments.target!r}")
        with bounded_memory():
            return run(chosen, arguments) if arguments.only is None else repeat(chosen[0], arguments)


def repeat(target: Target, arguments: argparse.Namespace) -> int:
    """One case, to be looked at."""
    data = case(target, arguments.seed, arguments.only)
    print(data.hex())
    print(target.run(data))
    return 0


def run(chosen: list[Target], arguments: argparse.Namespace) -> int:
    """Fuzz, and say what came of it."""
    failed, total, begun = 0, 0, time.process_time()
    print(f"{'decoder':24} {'cases':>9} {'refused':>9} {'seconds':>8} {'slowest ms':>10}")
    for target in chosen:
        cases = max(1, arguments.cases // target.weight) if arguments.weighted else arguments.cases
        try:
            report = fuzz(target, cases, arguments.seed)
            total += report.cases
            print(line(report), flush=True)
        except FuzzError as error:
            failed += 1
            print(f"FAILED {error}", file=sys.stderr, flush=True)
    busy = time.process_time() - begun
    print(f"{len(chosen)} decoders, {total} cases, {busy:.0f} s of a processor, {failed} failed")
    return int(failed > 0)


def line(report: Report) -> str:
    """A report in a line."""
    slowest = 1000 * report.slowest
    return f"{report.name:24} {report.cases:9} {report.refused:9} {report.seconds:8.1f} {slowest:10.1f}"


@contextmanager
def all_targets() -> Iterator[list[Target]]:
    """Every decoder; their files are in memory where there is a file system for that."""
    memory = Path("/dev/shm")  # noqa: S108 (in memory)
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        yield [*protocol_targets.targets(), *peer_targets.targets(Path(folder))]


@contextmanager
def bounded_memory() -> Iterator[None]:
    """Let this process take so much more, and no more, within it."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + MEMORY, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


if __name__ == "__main__":
    sys.exit(main())
