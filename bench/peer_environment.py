"""An environment of the peer's own, beside the project's: it needs an older protobuf than ours."""

import subprocess
import sys
from pathlib import Path

from bench.errors import PeerUnavailableError

#: Pinned, so that two runs of the benchmark compare with the same program.
REQUIREMENT = "openmined-psi==2.0.6"
_INSTALL_SECONDS = 180
_TRY = "import private_set_intersection.python"


def peer_python(folder: Path) -> Path:
    """The interpreter of the environment in `folder`, which is made if it is not there or does not work.

    PeerUnavailableError if that fails, or takes longer than three minutes.
    """
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if not _works(python):
        _run([sys.executable, "-m", "venv", "--clear", str(folder)])
        _run([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", REQUIREMENT])
        if not _works(python):
            raise PeerUnavailableError(f"{REQUIREMENT} was installed into {folder} and cannot be imported")
    return python


def _works(python: Path) -> bool:
    if not python.exists():
        return False
    try:
        return subprocess.run([str(python), "-c", _TRY], capture_output=True, timeout=60, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _run(command: list[str]) -> None:
    try:
        subprocess.run(command, capture_output=True, timeout=_INSTALL_SECONDS, check=True, text=True)
    except subprocess.CalledProcessError as error:
        said = (error.stderr or error.stdout or "no reason given").strip().splitlines()
        raise PeerUnavailableError(f"installing {REQUIREMENT} failed: {said[-1] if said else 'no reason'}") from None
    except subprocess.TimeoutExpired:
        raise PeerUnavailableError(f"installing {REQUIREMENT} took longer than {_INSTALL_SECONDS} s") from None
    except OSError as error:
        raise PeerUnavailableError(f"installing {REQUIREMENT} failed: {error.strerror}") from None
