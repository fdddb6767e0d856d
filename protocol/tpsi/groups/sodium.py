"""libsodium's ristretto255 functions, taken from the `rbcl` distribution and called on addresses."""

import contextlib
import ctypes
import os
import tempfile
from collections.abc import Callable
from typing import Final, TypeAlias

import rbcl

#: Called with addresses of whole strings; returns libsodium's status.
Function: TypeAlias = Callable[..., int]


def _function(name: str, arguments: int) -> Function:
    """A function object of our own, so that its prototype is not shared with other users of the library."""
    function = rbcl._sodium[name]
    function.argtypes = [ctypes.c_void_p] * arguments
    function.restype = ctypes.c_int
    return function  # type: ignore[no-any-return]


def _remove_unpacked_library(path: str) -> None:
    """Delete the copy of libsodium that `rbcl` unpacks into the folder for temporary files and leaves there.

    A POSIX system keeps the file for those who have it mapped; elsewhere it cannot be deleted while in use.
    """
    ours = os.path.dirname(path) == tempfile.gettempdir() and path.endswith(".so")
    if os.name == "posix" and ours:
        with contextlib.suppress(OSError):
            os.unlink(path)


#: (p) -> 1 for a valid encoding, the identity's among them, else 0. Here and below the top bit is ignored.
is_valid_point: Final = _function("crypto_core_ristretto255_is_valid_point", 1)
#: (result, p, q) -> 0, or -1 if p or q is not a valid encoding.
add: Final = _function("crypto_core_ristretto255_add", 3)
subtract: Final = _function("crypto_core_ristretto255_sub", 3)
#: (result, scalar, p) -> 0, or -1 if p is not a valid encoding or the result is the identity.
multiply: Final = _function("crypto_scalarmult_ristretto255", 3)
#: (result, scalar) -> 0, or -1 if the result is the identity.
multiply_base: Final = _function("crypto_scalarmult_ristretto255_base", 2)
#: (result, 64 octets) -> 0
from_hash: Final = _function("crypto_core_ristretto255_from_hash", 2)
#: (result, 64 octets); the status is meaningless, as libsodium's function has none.
scalar_reduce: Final = _function("crypto_core_ristretto255_scalar_reduce", 2)

_remove_unpacked_library(str(rbcl._sodium._name))
