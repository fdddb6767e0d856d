"""`python -m tests.verifier FILE.json …`: a line for every step; exit status 1 at the first wrong value."""

import json
import sys
from pathlib import Path

from .transcript import WrongValueError
from .verify import verify


def main(paths: list[str]) -> int:
    if not paths or paths[0].startswith("-"):
        print(f"usage: python -m tests.verifier FILE.json ...\n\n{__doc__}", file=sys.stderr)
        return 0 if paths == ["--help"] else 2
    for path in paths:
        try:
            for line in verify(json.loads(Path(path).read_text(encoding="ascii"))):
                print(f"{line}: ok")
        except WrongValueError as wrong:
            print(f"{path}: {wrong}", file=sys.stderr)
            return 1
        except (OSError, ValueError) as error:
            print(f"{path}: cannot be read: {error}", file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
