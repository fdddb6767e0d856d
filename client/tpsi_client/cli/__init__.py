"""The command `tpsi-device`."""

import os
import sys

from tpsi.errors import TpsiError

PROGRAM = "tpsi-device"
_INTERRUPTED = 130


def main() -> None:
    """Run a command and exit: 0 done, 1 an error (one line on stderr), 2 wrong usage, 130 interrupted."""
    from tpsi_client.cli.app import app
    from tpsi_client.cli.terminal import say, show_notes

    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # what gRPC would print is said in better words
    show_notes()
    try:
        app(prog_name=PROGRAM)
    except TpsiError as error:
        say(f"{PROGRAM}: {error}")
        sys.exit(1)
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        say(f"{PROGRAM}: the system reports: {error.strerror or type(error).__name__}{where}")
        sys.exit(1)
    except SystemExit as end:
        if end.code == _INTERRUPTED:
            say(f"{PROGRAM}: interrupted; what was done so far is kept, and the same command goes on from there")
        raise
