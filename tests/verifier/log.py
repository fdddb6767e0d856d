"""Sections 16 and 5: the log, its proofs by the RFC's recursive definitions, and what is signed beside it."""

import hmac
import json
import re
from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from .canonical import RefusedError, canonical, decode_canonical
from .manifest import decode_envelope, is_hex, is_integer, is_signed, members
from .notation import u16, u64
from .transcript import Node, WrongValueError

TIME = is_integer(0, 2**53 - 1)
ENTRIES = {
    "manifest": {"digest": is_hex(32), "epoch": is_integer(1, 2**53 - 1)},
    "policy": {"notify_after": lambda v: v is None or is_integer(0, 316_224_000)(v), "time": TIME},
    "reveal": {"commitment": is_hex(32), "time": TIME},
    "opening": {"index": TIME, "time": TIME},
}


def decode_entry(text: str) -> dict[str, Any]:
    """RefusedError unless a text is an entry."""
    value = decode_canonical(text)
    kind = value.get("type")
    rules = ENTRIES.get(kind) if isinstance(kind, str) else None
    if rules is None or len(text) > 256 or not members(value, {**rules, "type": lambda _: True}):
        raise RefusedError(1, "not an entry")
    return value


def leaf(octets: bytes) -> bytes:
    return sha256(b"\x00" + octets).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """MTH of RFC 9162, section 2.1.1, over leaf digests."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = split(len(leaves))
    return sha256(b"\x01" + root(leaves[:k]) + root(leaves[k:])).digest()


def split(n: int) -> int:
    k = 1
    while 2 * k < n:
        k *= 2
    return k


def path(m: int, leaves: Sequence[bytes]) -> list[bytes]:
    """PATH of section 2.1.3.1."""
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if m < k:
        return [*path(m, leaves[:k]), root(leaves[k:])]
    return [*path(m - k, leaves[k:]), root(leaves[:k])]


def proof(m: int, leaves: Sequence[bytes]) -> list[bytes]:
    """PROOF of section 2.1.4.1; for size 0 and equal sizes it is empty."""
    return subproof(m, leaves, True) if 0 < m < len(leaves) else []


def subproof(m: int, leaves: Sequence[bytes], whole: bool) -> list[bytes]:
    if m == len(leaves):
        return [] if whole else [root(leaves)]
    k = split(len(leaves))
    if m <= k:
        return [*subproof(m, leaves[:k], whole), root(leaves[k:])]
    return [*subproof(m - k, leaves[k:], False), root(leaves[:k])]


def is_under(key: bytes, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except InvalidSignature:
        return False
    return True


def read_checkpoint(text: str, key: bytes, list_id: bytes) -> tuple[int, bytes] | None:
    """Size and root of a checkpoint; None if it is not one of this log under this key."""
    name = f"tpsi-v1-log/{list_id.hex()}"
    found = re.fullmatch(rf"({name}\n(0|[1-9][0-9]*)\n(\S+)\n)\n— {name} (\S+)\n", text)
    if found is None or int(found[2]) >= 2**53:
        return None
    top, signed = b64decode(found[3]), b64decode(found[4])
    short = sha256(name.encode() + b"\n\x01" + key).digest()[:4]
    exact = b64encode(top).decode() == found[3] and b64encode(signed).decode() == found[4]
    if not exact or len(top) != 32 or signed[:4] != short or not is_under(key, signed[4:], found[1].encode()):
        return None
    return int(found[2]), top


def consistent(first: tuple[int, bytes], second: tuple[int, bytes], nodes: Sequence[bytes]) -> bool:
    """The algorithm of section 2.1.4.2, for sizes above 0 that differ."""
    way = [first[1], *nodes] if first[0] & (first[0] - 1) == 0 else list(nodes)
    fn, sn = first[0] - 1, second[0] - 1
    while fn % 2:
        fn, sn = fn // 2, sn // 2
    if not way:
        return False
    fr = sr = way[0]
    for c in way[1:]:
        if sn == 0:
            return False
        if fn % 2 or fn == sn:
            fr, sr = (sha256(b"\x01" + c + old).digest() for old in (fr, sr))
            while fn % 2 == 0 and fn != 0:
                fn, sn = fn // 2, sn // 2
        else:
            sr = sha256(b"\x01" + sr + c).digest()
        fn, sn = fn // 2, sn // 2
    return (fr, sr, sn) == (first[1], second[1], 0)


def proves_fork(text: str, list_id: bytes) -> bool:
    value = decode_canonical(text)
    key = bytes.fromhex(value["server_key"])
    try:
        first, second = (read_checkpoint(value[name], key, list_id) for name in ("first", "second"))
    except ValueError:
        return False
    if first is None or second is None:
        return False
    if first[0] == second[0]:
        return first[1] != second[1]
    prefix = value["prefix"] and bytes.fromhex(value["prefix"])
    nodes = [bytes.fromhex(node) for node in value["proof"]]
    return bool(prefix) and prefix != first[1] and consistent((first[0], prefix), second, nodes)


def verify_logs(data: Node) -> Iterator[str]:
    """All sections of the file, a line for each."""
    data["source"].text(), data["seed"].text()
    list_id, key = data["list"].octets(), data["server_key"].octets()
    texts = [entry["octets"].text() for entry in data["entries"]]
    leaves = [leaf(text.encode()) for text in texts]
    for entry, text, digest in zip(data["entries"], texts, leaves, strict=True):
        require(entry["octets"], is_entry(text))
        entry["leaf"].expect(digest)
    for node in data["refused_entries"]:
        require(node, not is_entry(node.text()))
    data["roots"].expect([root(leaves[:size]) for size in range(len(leaves) + 1)])
    for case in data["inclusion"]:
        index, size = case["index"].integer(), case["size"].integer()
        require(case["size"], 0 <= index < size <= len(leaves))
        case["path"].expect(path(index, leaves[:size]))
    for case in data["consistency"]:
        first, second = case["first"].integer(), case["second"].integer()
        require(case["second"], 0 <= first <= second <= len(leaves))
        case["path"].expect(proof(first, leaves[:second]))
    yield f"log: {len(leaves)} entries, {len(data['inclusion'])} and {len(data['consistency'])} proofs"
    for case in data["checkpoints"]:
        found = read_checkpoint(case["octets"].text(), key, list_id)
        case["size"].expect(found and found[0])
        require(case["octets"], found is None or found[1] == root(leaves[: found[0]]))
    for case in data["forks"]:
        case["proves"].expect(proves_fork(case["octets"].text(), list_id))
    yield f"checkpoints: {len(data['checkpoints'])}, forks: {len(data['forks'])}"
    batches: dict[int, list[Node]] = {}
    for case in data["notices"]:
        check_notice(case, texts, list_id)
        batches.setdefault(case["index"].integer(), []).append(case)
    for place, cases in batches.items():
        check_batch(cases, texts[place])
    for case in data["lists"]:
        check_list(case)
    for case in data["quorums"]:
        check_quorum(case)
    yield f"notices: {len(data['notices'])}, signed lists: {len(data['lists'])}, quorums: {len(data['quorums'])}"


def check_notice(case: Node, texts: Sequence[str], list_id: bytes) -> None:
    """16.5: the notice is about these vouchers, and has the time of its entry."""
    place = case["index"].integer()
    require(case["index"], 0 <= place < len(texts))
    entry = decode_entry(texts[place])
    require(case["index"], entry["type"] == "reveal")
    ids = sorted(case["vouchers"].list_of_octets())
    value = json.loads(case["octets"].text())
    digest = sha256(b"tpsi-v1-notice-vouchers" + b"".join(ids)).digest()
    expected = {**value, "digest": digest.hex(), "list": list_id.hex(), "time": entry["time"], "vouchers": len(ids)}
    case["octets"].expect(canonical(expected))
    message = b"tpsi-v1-notice" + case["octets"].text().encode()
    case["commitment"].expect(hmac.new(case["opening"].octets(), message, "sha256").digest())


def check_batch(cases: Sequence[Node], entry: str) -> None:
    """16.5: the commitments of the batch, in ascending order, give what the entry says."""
    commitments = [case["commitment"].octets() for case in cases]
    require(cases[0]["commitment"], commitments == sorted(commitments))
    require(cases[0]["index"], root(commitments).hex() == decode_entry(entry)["commitment"])
    for position, case in enumerate(cases):
        case["position"].expect(position)
        case["path"].expect(path(position, commitments))


def check_list(case: Node) -> None:
    """16.6: a source's signature under its list, and the blinded digest."""
    items = case["items"].list_of_octets()
    digest = sha256(b"tpsi-v1-audit-list" + u64(len(items)) + b"".join(items)).digest()
    case["digest"].expect(digest)
    value = decode_canonical(case["file"].text())
    signed = is_under(
        bytes.fromhex(value["key"]), bytes.fromhex(value["signature"]), b"tpsi-v1-hash-list-signature" + digest
    )
    require(case["file"], signed and (value["items"], value["tpsi_list_signature"]) == (len(items), 1))
    name = case["name"].text().encode()
    message = b"tpsi-v1-hash-list" + u16(len(name)) + name + digest
    case["blinded"].expect(hmac.new(case["fill_key"].octets(), message, "sha256").digest())


def check_quorum(case: Node) -> None:
    """Check 2 of section 5."""
    manifest, signatures = decode_envelope(case["envelope"].text())
    keys = {key.hex() for key in case["auditor_keys"].list_of_octets()}
    count = sum(is_signed(manifest, signatures, "auditor", key) for key in keys)
    server = is_signed(manifest, signatures, "server", case["server_key"].octets().hex())
    case["accepted"].expect(server and count >= case["needed"].integer())


def is_entry(text: str) -> bool:
    try:
        decode_entry(text)
    except RefusedError:
        return False
    return True


def require(node: Node, holds: bool) -> None:
    if not holds:
        raise WrongValueError(node.path, "is not what it should be")
