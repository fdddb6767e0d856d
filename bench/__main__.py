"""Entry of the benchmark: `python bench`, `python -m bench` and `make bench` are the same."""

import sys
from pathlib import Path

if __name__ == "__main__":
    if not __package__:  # run by its folder's name: then Python put that folder, and not the one above, on the path
        sys.path[0] = str(Path(__file__).resolve().parent.parent)
    try:
        from bench.command import main
    except ModuleNotFoundError as error:
        sys.exit(f"bench: {error.name} is missing; run: make bench, or .venv/bin/pip install -e '.[bench]'")

    main()
