"""What a run was made on and with: without it a figure can be neither cited nor repeated."""

import os
import platform
import sqlite3
import ssl
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent
_PACKAGES = (
    "tpsi",
    "numpy",
    "rbcl",
    "pycryptodome",
    "python-flint",
    "cryptography",
    "matplotlib",
    "grpcio",
    "protobuf",
    "sqlalchemy",
)


@dataclass(frozen=True, slots=True)
class Machine:
    """`cores`: those that this process may use; `memory`: octets; `load`: of the last minute, when the run began.

    `native`: which of its engines the native core picks on this processor, or that it is not installed.
    """

    processor: str
    cores: int
    memory: int | None
    system: str
    load: float | None
    python: str
    versions: Mapping[str, str]
    native: str
    commit: str
    changed: bool
    date: str

    def to_json(self) -> dict[str, object]:
        """As it stands in the document for programs."""
        return asdict(self)


def this_machine() -> Machine:
    """Look at the machine, the libraries and the checkout, now."""
    commit, changed = _checkout()
    return Machine(
        processor=_processor(),
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        memory=_memory(),
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        load=os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        python=f"{platform.python_implementation()} {platform.python_version()}",
        versions=_versions(),
        native=_native(),
        commit=commit,
        changed=changed,
        date=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or "unknown")


def _memory() -> int | None:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None


def _versions() -> dict[str, str]:
    found = {name: _version(name) for name in _PACKAGES}
    return found | {"libsodium": _sodium(), "openssl": ssl.OPENSSL_VERSION, "sqlite": sqlite3.sqlite_version}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _native() -> str:
    if find_spec("tpsi_native") is None:
        return "not installed"
    core = import_module("tpsi_native")
    return f"{core.engine()} {_version('tpsi-native')}" if hasattr(core, "engine") else _version("tpsi-native")


def _sodium() -> str:
    import ctypes

    import rbcl

    tell = rbcl._sodium["sodium_version_string"]
    tell.restype = ctypes.c_char_p
    return str(tell().decode("ascii"))


def _checkout() -> tuple[str, bool]:
    """The commit, and whether files that git knows differ from it; `unknown` outside of a checkout."""
    try:
        commit = _git("rev-parse", "HEAD")
        return commit, bool(_git("status", "--porcelain", "--untracked-files=no"))
    except (OSError, subprocess.CalledProcessError):
        return "unknown", False


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(_ROOT), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
