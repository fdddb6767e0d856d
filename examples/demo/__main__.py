"""`python examples/demo`: see command.py."""

import sys
from pathlib import Path


def run() -> int:
    """Find the demonstration's files, whatever folder it is run from, and run it; the exit status."""
    sys.path[0] = str(Path(__file__).resolve().parents[2])
    try:
        from examples.demo.command import main

        return main()
    except ModuleNotFoundError as error:
        sys.stderr.write(f"demo: {error.name} is missing; run: make demo, or .venv/bin/pip install -e '.[demo]'\n")
        return 1
    except KeyboardInterrupt:  # while modules are still being loaded
        return 130


if __name__ == "__main__":
    sys.exit(run())
