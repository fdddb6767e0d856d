"""A process that measures steps with one backend on one core, in turn with others.

`python -m bench.worker SETTING SUITE,… TABLE,…` says what it can measure, and then, for every number that it is told,
the seconds that a sample of that step took; all as JSON, one value a line. Its input's end is its own.
"""

import json
import sys
from dataclasses import asdict

from bench.settings import setting_of
from bench.stage import Stage
from bench.steps import steps
from tpsi.errors import TpsiError


def main() -> None:
    """Prepare, greet, and measure what is asked for."""
    setting = setting_of(json.loads(sys.argv[1]))
    stages = [Stage(s, t, setting.listed[s]) for s in sys.argv[2].split(",") for t in sys.argv[3].split(",")]
    try:
        for stage in stages:
            stage.check()
        known = list(steps(stages, setting))
    except TpsiError as error:
        _say({"error": str(error)})
        return
    _say([{"subject": asdict(step.subject), "items": step.work.items} for step in known])
    for line in sys.stdin:
        _say(known[json.loads(line)].work.sample())


def _say(value: object) -> None:
    print(json.dumps(value), flush=True)


if __name__ == "__main__":
    main()
