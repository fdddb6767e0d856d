"""`python examples/demo`: see command.py."""

import sys
from pathlib import Path

#: So that the demonstration finds its own files when its folder is what Python was given to run.
sys.path[0] = str(Path(__file__).resolve().parents[2])

from examples.demo.command import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main())
