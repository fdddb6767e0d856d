"""The groups of the ciphersuites, by name (specification, section 2.1), and what computes in them."""

from functools import cache
from typing import Final

from tpsi.errors import CallerError
from tpsi.groups.backends import LIBRARY, NATIVE, choose, set_threads
from tpsi.groups.base import Equations, Group, Probed, Rng, Rows, Slots, Strings

__all__ = [
    "LIBRARY",
    "NATIVE",
    "P256_SHA256",
    "RISTRETTO255_SHA512",
    "SUITES",
    "Equations",
    "Group",
    "Probed",
    "Rng",
    "Rows",
    "Slots",
    "Strings",
    "group",
    "set_threads",
]

RISTRETTO255_SHA512: Final = "TPSI-RISTRETTO255-SHA512"
P256_SHA256: Final = "TPSI-P256-SHA256"

#: Names of the ciphersuites, the default one first.
SUITES: Final = (RISTRETTO255_SHA512, P256_SHA256)


def group(suite: str, backend: str | None = None) -> Group:
    """The group of a ciphersuite, one object a process and backend; CallerError if the name is not one of `SUITES`.

    `backend`: "native" or "library"; by default what the environment variable TPSI_BACKEND says, else the native core
    where it is installed and has the suite. Both give the same octets. What is behind a group is loaded when it is
    first asked for. A decoder that meets a name from outside looks for it in `SUITES` first.
    """
    if suite not in SUITES:
        raise CallerError(f"unknown ciphersuite {suite!r}; the known ones are {', '.join(SUITES)}")
    return _group(suite, choose(suite, backend, native=suite == RISTRETTO255_SHA512))


@cache
def _group(suite: str, backend: str) -> Group:
    if suite == P256_SHA256:
        from tpsi.groups.p256 import P256

        return P256()
    if backend == NATIVE:
        from tpsi.groups.native import NativeRistretto255

        return NativeRistretto255()
    from tpsi.groups.ristretto255 import Ristretto255

    return Ristretto255()
