"""Entry of the measurement: `python recall`, `python -m recall` and `make recall` are the same."""

import sys
from pathlib import Path

if __name__ == "__main__":
    if not __package__:  # run by its folder's name: then Python put that folder, and not the one above, on the path
        sys.path[0] = str(Path(__file__).resolve().parent.parent)
    try:
        from recall.command import main
    except ModuleNotFoundError as error:
        sys.exit(f"recall: {error.name} is missing; run: make recall, or .venv/bin/pip install -e '.[recall]'")

    main()
