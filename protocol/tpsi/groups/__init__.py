"""The groups of the ciphersuites, by name (specification, section 2.1)."""

from functools import cache
from typing import Final

from tpsi.errors import CallerError
from tpsi.groups.base import Group, Rng, Rows

__all__ = ["P256_SHA256", "RISTRETTO255_SHA512", "SUITES", "Group", "Rng", "Rows", "group"]

RISTRETTO255_SHA512: Final = "TPSI-RISTRETTO255-SHA512"
P256_SHA256: Final = "TPSI-P256-SHA256"

#: Names of the ciphersuites, the default one first.
SUITES: Final = (RISTRETTO255_SHA512, P256_SHA256)


@cache
def group(suite: str) -> Group:
    """The group of a ciphersuite, one object a process; CallerError if the name is not one of `SUITES`.

    The libraries behind a group are loaded when it is first asked for. A decoder that meets a name from
    outside looks for it in `SUITES` first.
    """
    if suite == RISTRETTO255_SHA512:
        from tpsi.groups.ristretto255 import Ristretto255

        return Ristretto255()
    if suite == P256_SHA256:
        from tpsi.groups.p256 import P256

        return P256()
    raise CallerError(f"unknown ciphersuite {suite!r}; the known ones are {', '.join(SUITES)}")
