"""Section 5: the manifest, the signed manifest and its signatures."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import pairwise
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from .canonical import RefusedError, decode_canonical
from .elements import GROUPS
from .items import LABEL
from .notation import u8

MAX_MANIFEST = 65536
MAX_SIGNATURES = 33
MAX_ENVELOPE = 196608
MAX_ITEMS = 2**31
UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def is_hex(octets: int) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and bool(re.fullmatch(rf"[0-9a-f]{{{2 * octets}}}", value))


def is_integer(low: int, high: int | None = None) -> Callable[[Any], bool]:
    return lambda value: type(value) is int and low <= value and (high is None or value <= high)


def is_name(value: Any) -> bool:
    return isinstance(value, str) and 1 <= len(value) <= 200 and not UNPRINTABLE.search(value)


def is_one_of(*choices: str) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and value in choices


def is_boolean(value: Any) -> bool:
    return isinstance(value, bool)


def members(value: Any, rules: dict[str, Callable[[Any], bool]]) -> bool:
    """Whether a value is an object of exactly these members, each by its rule."""
    return (
        isinstance(value, dict)
        and value.keys() == rules.keys()
        and all(rule(value[name]) for name, rule in rules.items())
    )


def is_table(value: Any) -> bool:
    common = {"cells": is_integer(0), "items": is_integer(0, MAX_ITEMS), "seed": is_hex(32)}
    fuse = {"encoding": is_one_of("fuse"), "segment_length": is_integer(0), "segments": is_integer(0)}
    return members(value, common | fuse) or members(value, common | {"encoding": is_one_of("cuckoo")})


def is_sorted_set(entries: list[Any]) -> bool:
    return all(a < b for a, b in pairwise(entries))


def is_types(value: Any) -> bool:
    texts = isinstance(value, list) and all(isinstance(v, str) and LABEL.fullmatch(v) for v in value)
    return texts and 1 <= len(value) <= 64 and is_sorted_set(value)


def is_sources(value: Any) -> bool:
    rules: dict[str, Callable[[Any], bool]] = {"items": is_integer(0), "name": is_name}
    signed = rules | {"signed": lambda v: members(v, {"digest": is_hex(32), "key": is_hex(32)})}
    whole = isinstance(value, list) and all(members(entry, rules) or members(entry, signed) for entry in value)
    return whole and 1 <= len(value) <= 256 and is_sorted_set([entry["name"] for entry in value])


def is_sharing(value: Any) -> bool:
    counted, rows, threshold = is_one_of("hash", "item"), is_integer(3, 255), is_integer(1, 1000)
    whole = members(value, {"count_by": counted, "rows": rows, "threshold": threshold})
    return whole and 10 * (value["rows"] + 1) * (value["threshold"] + 1) ** 2 <= 2**29


def is_synthetic(value: Any) -> bool:
    rules = {"mode": is_one_of("replace", "add", "none"), "per_million": is_integer(0, 500000)}
    return members(value, rules) and (value["per_million"] == 0) == (value["mode"] == "none")


def is_item_text(value: Any) -> bool:
    parts = value.split(":") if isinstance(value, str) else []
    return len(parts) == 2 and bool(LABEL.fullmatch(parts[0]) and re.fullmatch("([0-9a-f]{2}){1,64}", parts[1]))


def is_canary(value: Any) -> bool:
    def is_hashes(v: Any) -> bool:
        return isinstance(v, list) and 1 <= len(v) <= 16 and all(is_item_text(text) for text in v)

    return value is None or members(value, {"hashes": is_hashes, "name": is_name, "sha256": is_hex(32)})


RULES: dict[str, Callable[[Any], bool]] = {
    "version": is_integer(1, 1),
    "list": is_hex(16),
    "name": is_name,
    "epoch": is_integer(1),
    "previous": lambda value: value is None or is_hex(32)(value),
    "created": is_integer(0),
    "suite": is_one_of(*GROUPS),
    "key": lambda value: isinstance(value, str) and bool(re.fullmatch("([0-9a-f]{2})*", value)),
    "table": is_table,
    "file": lambda v: members(v, {"bytes": is_integer(0), "chunk": is_integer(0), "root": is_hex(32)}),
    "types": is_types,
    "sources": is_sources,
    "minimum_sources": is_integer(1),
    "sharing": is_sharing,
    "synthetic": is_synthetic,
    "probes": lambda value: members(value, {"per_item": is_integer(1, 256), "separated": is_boolean}),
    "canary": is_canary,
}


@dataclass(frozen=True)
class Manifest:
    """A decoded manifest: its canonical text and its members."""

    text: str
    members: dict[str, Any] = field(compare=False)

    def __getitem__(self, name: str) -> Any:
        return self.members[name]

    @property
    def digest(self) -> bytes:
        return sha256(b"tpsi-v1-manifest" + self.text.encode("ascii")).digest()

    @property
    def id(self) -> bytes:
        return self.digest[:16]


def decode_manifest(text: str) -> Manifest:
    """The manifest of a text; RefusedError(1) if it is none."""
    if len(text) > MAX_MANIFEST:
        raise RefusedError(1, "longer than 65 536 octets")
    value = decode_canonical(text)
    if value.keys() != RULES.keys():
        raise RefusedError(1, "a member is missing or unknown")
    for name, rule in RULES.items():
        if not rule(value[name]):
            raise RefusedError(1, f"{name} is not valid")
    if value["minimum_sources"] > len(value["sources"]):
        raise RefusedError(1, "more sources are demanded than there are")
    if (value["previous"] is None) != (value["epoch"] == 1):
        raise RefusedError(1, "previous does not fit epoch")
    return Manifest(text, value)


@dataclass(frozen=True)
class Signature:
    """A signature with the role and the key that it claims."""

    role: str
    key: str
    signature: str


def decode_envelope(text: str) -> tuple[Manifest, list[Signature]]:
    """A signed manifest taken apart; RefusedError(1) if it is none."""
    if len(text) > MAX_ENVELOPE:
        raise RefusedError(1, "longer than 196 608 octets")
    value = decode_canonical(text)
    rules = {"key": is_hex(32), "role": is_one_of("server", "auditor"), "signature": is_hex(64)}
    entries = value.get("signatures")
    if value.keys() != {"manifest", "signatures"} or not isinstance(value["manifest"], str):
        raise RefusedError(1, "not an envelope")
    if not isinstance(entries, list) or not all(members(entry, rules) for entry in entries):
        raise RefusedError(1, "a signature is not valid")
    signatures = [Signature(**entry) for entry in entries]
    if not 1 <= len(signatures) <= MAX_SIGNATURES or len({(s.role, s.key) for s in signatures}) < len(signatures):
        raise RefusedError(1, "too many signatures, none, or two under one key")
    return decode_manifest(value["manifest"]), signatures


def signed_octets(role: str, manifest_text: str) -> bytes:
    label = b"tpsi-v1-manifest-signature"
    return label + u8(len(role)) + role.encode("ascii") + manifest_text.encode("ascii")


def sign(seed: bytes, role: str, manifest_text: str) -> Signature:
    """Ed25519 is deterministic: a recorded private seed gives the recorded signature."""
    private = Ed25519PrivateKey.from_private_bytes(seed)
    signature = private.sign(signed_octets(role, manifest_text))
    return Signature(role, private.public_key().public_bytes_raw().hex(), signature.hex())


def is_signed(manifest: Manifest, signatures: list[Signature], role: str, key: str) -> bool:
    for entry in signatures:
        if (entry.role, entry.key) == (role, key):
            public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(key))
            try:
                public.verify(bytes.fromhex(entry.signature), signed_octets(role, manifest.text))
            except InvalidSignature:
                return False
            return True
    return False
