"""How much memory a process has had resident at most."""

import sys
from pathlib import Path


def peak_resident(process: int | None = None) -> int | None:
    """Octets, for a process by its number or for this one; None if the system does not tell.

    Linux tells it of the program that runs now. The portable figure, which only stands in for it elsewhere, counts what
    the process had before it became this program, too: the memory of the one that started it.
    """
    try:
        lines = Path(f"/proc/{process or 'self'}/status").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return None if process else _portable()
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), None)


def _portable() -> int | None:
    try:
        import resource
    except ImportError:
        return None
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
