"""The command `tpsi-server`."""

import signal
import sys
from types import FrameType
from typing import NoReturn

from tpsi.errors import TpsiError

PROGRAM = "tpsi-server"
INTERRUPTED, TERMINATED = 130, 143


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run a command and exit: 0 done, 1 an error (one line on stderr), 2 wrong usage, 130 interrupted.

    `arguments` are those of the command line by default.
    """
    signal.signal(signal.SIGTERM, _terminate)
    sys.exit(_run(arguments))


def _run(arguments: list[str] | None) -> int | str | None:
    from tpsi_server.cli.app import app
    from tpsi_server.cli.terminal import say

    try:
        app(arguments, prog_name=PROGRAM)
    except TpsiError as error:
        say(f"{PROGRAM}: {error}")
        return 1
    except BrokenPipeError:
        sys.stderr.close()  # whoever reads the output has gone; there is nobody to tell
        return 1
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        say(f"{PROGRAM}: the system reports: {error.strerror or type(error).__name__}{where}")
        return 1
    except KeyboardInterrupt:
        end: int | str | None = INTERRUPTED
    except SystemExit as asked:
        end = asked.code
    else:
        end = 0
    if end == INTERRUPTED:
        say(f"{PROGRAM}: interrupted; nothing is left half done")
    return end


def _terminate(_signal: int, _frame: FrameType | None) -> NoReturn:
    """SIGTERM ends a command as an exception does: what it has begun is undone."""
    raise SystemExit(TERMINATED)
