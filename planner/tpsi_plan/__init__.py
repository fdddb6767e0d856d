"""The command `tpsi-plan`: reads measurements, prints tables, draws pictures. The mathematics is `tpsi.plan`."""

import sys
from typing import NoReturn

from tpsi.errors import TpsiError

PROGRAM = "tpsi-plan"
INTERRUPTED = 130


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command and exit: 0 the wish is met, 1 an error, 2 wrong usage, 3 the wish is not met."""
    sys.exit(_run(arguments))


def _run(arguments: list[str] | None) -> int | str | None:
    from tpsi_plan.app import app

    try:
        app(arguments, prog_name=PROGRAM)
    except TpsiError as error:
        sys.stderr.write(f"{PROGRAM}: {error}\n")
        return 1
    except BrokenPipeError:
        sys.stderr.close()  # whoever reads the output has gone; there is nobody to tell
        return 1
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        sys.stderr.write(f"{PROGRAM}: the system reports: {error.strerror or type(error).__name__}{where}\n")
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    except SystemExit as asked:
        return asked.code
    return 0
