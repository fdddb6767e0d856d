"""Which core computes in a suite's group: the native one where it is installed, else the libraries, or as chosen."""

import os
import warnings
from functools import cache
from typing import Final

from tpsi.errors import CallerError

NATIVE: Final = "native"
LIBRARY: Final = "library"
#: Chooses for a process and those that it starts.
VARIABLE: Final = "TPSI_BACKEND"
#: What this version calls; the core states what it offers.
INTERFACE: Final = 3

_INSTALL: Final = "make native (or: pip install ./native) builds and installs it from the same checkout, and needs Rust"


def choose(suite: str, backend: str | None, *, native: bool) -> str:
    """NATIVE or LIBRARY for a suite: by the argument, else by TPSI_BACKEND, else native where it is installed.

    `native`: whether the native core has this suite; if not, TPSI_BACKEND says nothing about it. CallerError for
    another name, and if the native core is asked for and not there.
    """
    wanted = backend or (os.environ.get(VARIABLE) if native else LIBRARY)
    if wanted not in (None, "", NATIVE, LIBRARY):
        raise CallerError(f"unknown backend {wanted!r}: {NATIVE} or {LIBRARY}, or none ({VARIABLE} unset) for the best")
    if wanted == NATIVE and not native:
        raise CallerError(f"the native core has no {suite}: leave the backend open, or choose {LIBRARY}")
    if wanted == NATIVE and (fault := native_fault()):
        raise CallerError(f"{fault}; {_INSTALL}")
    return wanted or (LIBRARY if _unusable() else NATIVE)


def is_native() -> bool:
    """Whether the native core computes what belongs to no suite: by TPSI_BACKEND, as for a suite that it has."""
    return choose("symmetric part", None, native=True) == NATIVE


@cache
def native_fault() -> str | None:
    """What keeps the native core from being used, None if nothing does."""
    try:
        import tpsi_native
    except ImportError as error:
        missing = isinstance(error, ModuleNotFoundError) and error.name == "tpsi_native"
        return "tpsi-native is not installed" if missing else f"tpsi-native does not load ({error})"
    offered = getattr(tpsi_native, "INTERFACE", None)
    if offered != INTERFACE:
        return f"tpsi-native is installed with interface {offered}, and this version of tpsi needs {INTERFACE}"
    return None


@cache
def _unusable() -> bool:
    """Whether to do without the native core, with a warning if one is installed that cannot be used."""
    fault = native_fault()
    if fault and "not installed" not in fault:
        warnings.warn(f"{fault}: the libraries compute instead; {_INSTALL}", RuntimeWarning, stacklevel=4)
    return fault is not None


def set_threads(count: int) -> None:
    """Let the native core spread a batch over `count` threads of this process; the libraries use one.

    To begin with it is TPSI_NATIVE_THREADS, or one for each processor. A process that is one of many sets 1.
    """
    if not 1 <= count <= 256:
        raise CallerError("1 to 256 threads")
    if native_fault() is None:
        import tpsi_native

        tpsi_native.set_threads(count)
