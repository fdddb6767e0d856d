"""Fuzz every decoder that takes octets from outside: `python -m tests.fuzz --cases 100000`.

Memory is bounded: what would take more than a GiB above the beginning fails. A failure repeats by itself.
"""

import argparse
import resource
import sys
import tempfile
import warnings
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
    parser.add_argument("--target", help="this decoder alone")
    parser.add_argument("--only", type=int, metavar="N", help="repeat this one case, and print its input")
    parser.add_argument("--weighted", action="store_true", help="give slow decoders fewer cases")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    memory = Path("/dev/shm")  # noqa: S108 (in memory)
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        chosen = [one for one in all_targets(Path(folder)) if arguments.target in (None, one.name)]
        if not chosen:
            parser.error(f"there is no decoder {arguments.target!r}")
        bound_memory()
        if arguments.only is not None:
            print(case(chosen[0], arguments.seed, arguments.only).hex())
            print(chosen[0].run(case(chosen[0], arguments.seed, arguments.only)))
            return 0
        return run(chosen, arguments)


def run(chosen: list[Target], arguments: argparse.Namespace) -> int:
    """Fuzz, and say what came of it."""
    failed = 0
    print(f"{'decoder':24} {'cases':>9} {'refused':>9} {'seconds':>8} {'slowest ms':>10}")
    for target in chosen:
        cases = max(1, arguments.cases // target.weight) if arguments.weighted else arguments.cases
        try:
            print(line(fuzz(target, cases, arguments.seed)), flush=True)
        except FuzzError as error:
            failed += 1
            print(f"FAILED {error}", file=sys.stderr, flush=True)
    return int(failed > 0)


def line(report: Report) -> str:
    """A report in a line."""
    slowest = 1000 * report.slowest
    return f"{report.name:24} {report.cases:9} {report.refused:9} {report.seconds:8.1f} {slowest:10.1f}"


def all_targets(folder: Path) -> list[Target]:
    """Every decoder."""
    return [*protocol_targets.targets(), *peer_targets.targets(folder)]


def bound_memory() -> None:
    """Let this process take so much more, and no more."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


if __name__ == "__main__":
    sys.exit(main())
