"""Canonical JSON: one byte string for one value (specification, section 5)."""

import json
from collections.abc import Mapping
from typing import Any, TypeAlias

from tpsi.errors import DecodeError

Json: TypeAlias = Any

#: Manifests are a few kilobytes; the bound keeps a hostile server from making a device parse more.
MAX_SIZE = 65_536
#: Integers beyond this are not exact in every JSON implementation.
MAX_INTEGER = 2**53 - 1


def encode(value: Json) -> bytes:
    """ASCII, members sorted by name, no blanks, integers only."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode("ascii")


def decode(data: bytes, what: str, max_size: int = MAX_SIZE) -> Mapping[str, Json]:
    """The object that `data` encodes; DecodeError unless `encode` gives exactly these bytes back."""
    if len(data) > max_size:
        raise DecodeError(f"{what} has {len(data)} octets, at most {max_size} are accepted")
    try:
        value = json.loads(data.decode("ascii"), parse_float=_refuse, parse_constant=_refuse, parse_int=_integer)
        again = encode(value)
    except (ValueError, RecursionError):
        raise DecodeError(f"{what} is not JSON in the form that is expected") from None
    if not isinstance(value, dict) or again != data:
        raise DecodeError(f"{what} is not in canonical form")
    return value


def _refuse(_text: str) -> Json:
    raise ValueError


def _integer(text: str) -> int:
    if len(text) > 16 or abs(value := int(text)) > MAX_INTEGER:
        raise ValueError
    return value
