"""`python -m tests.simulation --histories N --seed S`: the exit status is 1 if a history broke a promise."""

import argparse
import contextlib
import logging
import math
import sys
import time

from tests.simulation.campaign import LENGTH, simulate
from tests.simulation.flaws import FLAWS, SOUND
from tests.support.postgres import PostgresServer


def main() -> int:
    """Play histories and print what came of them."""
    options = _parser().parse_args()
    logging.disable(logging.CRITICAL)  # what the server says about faults that are meant
    flaw = FLAWS[options.flaw - 1] if options.flaw else SOUND
    begun = time.monotonic()
    with contextlib.ExitStack() as stack:
        postgres = stack.enter_context(PostgresServer()) if options.engine == "postgresql" else None
        result = simulate(
            options.histories,
            options.seed,
            flaw,
            postgres,
            length=options.length,
            seconds=options.seconds,
            progress=_tell,
        )
    seconds, busy = time.monotonic() - begun, time.process_time()
    played = f"{result.histories} histories, {result.steps.total()} steps, seeds from {options.seed}, {options.engine}"
    print(f"{played}: {seconds:.0f} s, {busy:.0f} s of them at work")
    if options.steps:
        print("\n".join(f"  {verb:20} {count}" for verb, count in result.steps.most_common()))
    if result.failure is not None:
        print(f"BROKEN: {result.failure}")
        return 1
    print("every promise was kept")
    return 0


def _tell(done: int) -> None:
    if done % 100 == 0:
        print(f"{done} histories", file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--histories", type=int, default=10_000, help="how many (default: 10000)")
    parser.add_argument("--seed", type=int, default=0, help="of the first history; the next has the next one")
    parser.add_argument("--length", type=int, default=LENGTH, help=f"steps of a history (default: {LENGTH})")
    parser.add_argument("--seconds", type=float, default=math.inf, help="begin no history after so many")
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), default="sqlite", help="the server's database")
    parser.add_argument("--steps", action="store_true", help="print how often each kind of step was taken")
    named = ", ".join(f"{number}: {flaw.name}" for number, flaw in enumerate(FLAWS, 1))
    parser.add_argument("--flaw", type=int, default=0, help=f"see that a flaw is found ({named})")
    return parser


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):
        sys.exit(main())
