"""The command `tpsi-audit`."""

import os
import sys

from tpsi.errors import TpsiError

PROGRAM = "tpsi-audit"
_INTERRUPTED = 130


def main() -> None:
    """Run a command and exit: 0 all holds, 1 it does not, or an error (one line on stderr), 2 wrong usage."""
    from tpsi_audit.cli.app import app
    from tpsi_client.cli.terminal import say, show_notes

    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
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
            say(f"{PROGRAM}: interrupted; nothing was signed")
        raise
