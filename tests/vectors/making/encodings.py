"""Signed manifests that decode, and texts that parsers take for one and that do not (section 5, check 1)."""

import json
from collections.abc import Iterator

from tests.support.drbg import Drbg
from tests.vectors.making.signing import Edit, Signing, drop, put
from tests.vectors.making.stage import Record, Signer, Stage
from tpsi import DecodeError, Role, SignedManifest, canonical
from tpsi.groups import RISTRETTO255_SHA512

Named = tuple[str, str]
"""The name of a case and its envelope."""


def not_canonical(text: str, sign: Signing) -> Iterator[Named]:
    """Check 1: texts that parsers take for the manifest, and that are not its canonical form."""
    created = json.loads(text)["created"]
    half = text.index('"epoch"')
    edits = {
        "a blank": text.replace(",", ", ", 1),
        "a newline at the end": text + "\n",
        "members not sorted": text[:1] + text[half:-1] + "," + text[1 : half - 1] + "}",
        "a member twice": text[:-1] + ',"version":1}',
        "a fraction": text.replace(f":{created}", f":{created}.0"),
        "an exponent": text.replace(f":{created}", ":1767225600e0"),
        "a letter escaped that need not be": text.replace('"name"', '"n\\u0061me"'),
        "an escape in capitals": text.replace("\\ud83d", "\\uD83D"),
        "letters that are not ASCII": text.replace("\\u00fc", "ü"),
        "no object": f"[{text}]",
        "no JSON": text[:-1],
        "nothing": "",
    }
    for name, edit in edits.items():
        if edit == text:
            raise LookupError(f"the edit {name} changes nothing")
        yield name, sign.text(edit)


def not_valid(stage: Stage, sign: Signing) -> Iterator[Named]:
    """Check 1: members that are missing, unknown, of another kind or out of range."""
    first, second, _ = stage.epochs
    edits: dict[str, Edit] = {
        "control character in a name": put("a\x85b", "name"),
        "delete in a name": put("a\x7fb", "name"),
        "line separator in a name": put("a\u2028b", "name"),
        "override of direction in a name": put("a\u202eb", "name"),
        "isolate of direction in a name": put("a\u2066b", "name"),
        "half of a surrogate pair in a name": put("a\ud83d", "name"),
        "control character in a source's name": put([{"items": 1, "name": "\n"}], "sources"),
        "integer of 2^53": put(2**53, "created"),
        "negative integer": put(-1, "created"),
        "2^31 + 1 items": put(2**31 + 1, "table", "items"),
        "no types": put([], "types"),
        "65 types": put([f"{i:02}" for i in range(65)], "types"),
        "type that is no label": put(["MD5"], "types"),
        "no sources": put([], "sources"),
        "a signed list without a key": put([{"items": 1, "name": "a", "signed": {"digest": "00" * 32}}], "sources"),
        "no signed list where one is named": put([{"items": 1, "name": "a", "signed": None}], "sources"),
        "minimum above the number of sources": put(3, "minimum_sources"),
        "threshold 1000 with 53 rows": put({"count_by": "item", "rows": 53, "threshold": 1000}, "sharing"),
        "canary without hashes": put({"hashes": [], "name": "c", "sha256": "00" * 32}, "canary"),
        "canary with 17 hashes": put(canary("md5:" + "00" * 16) | {"hashes": ["md5:" + "00" * 16] * 17}, "canary"),
        "canary's hash without a type": put(canary("00" * 16), "canary"),
        "canary's hash with blanks": put(canary(" md5:" + "00" * 16), "canary"),
        "an unknown member": put(1, "comment"),
        "an unknown member within": put(1, "sharing", "comment"),
        "a member missing": drop("canary"),
        "version 2": put(2, "version"),
        "list id of 15 octets": put("00" * 15, "list"),
        "hex in capitals": put("AB" * 16, "list"),
        "empty name": put("", "name"),
        "name of 201 characters": put("n" * 201, "name"),
        "epoch 0": put(0, "epoch"),
        "epoch as text": put("1", "epoch"),
        "epoch as truth value": put(True, "epoch"),
        "previous in epoch 1": put("00" * 32, "previous"),
        "unknown suite": put("TPSI-P256-SHA512", "suite"),
        "unknown encoding": put("bloom", "table", "encoding"),
        "seed of 31 octets": put("00" * 31, "table", "seed"),
        "types not sorted": put(["sha512", "md5"], "types"),
        "a type twice": put(["md5", "md5"], "types"),
        "sources not sorted": put([{"items": 1, "name": "b"}, {"items": 1, "name": "a"}], "sources"),
        "a source twice": put([{"items": 1, "name": "a"}, {"items": 2, "name": "a"}], "sources"),
        "minimum of 0 sources": put(0, "minimum_sources"),
        "threshold 0": put(0, "sharing", "threshold"),
        "threshold 1001": put(1001, "sharing", "threshold"),
        "2 rows": put(2, "sharing", "rows"),
        "256 rows": put(256, "sharing", "rows"),
        "counted by nothing known": put("picture", "sharing", "count_by"),
        "mode replace at rate 0": put(0, "synthetic", "per_million"),
        "mode none at a rate": put("none", "synthetic", "mode"),
        "more than every second synthetic": put(500_001, "synthetic", "per_million"),
        "no probes": put(0, "probes", "per_item"),
        "257 probes": put(257, "probes", "per_item"),
    }
    for name, edit in edits.items():
        yield name, sign.edited(first, edit)
    capitals = sign.edited(second, put(["md5:" + "AB" * 16], "canary", "hashes"))
    yield "a canary's hash in capitals", capitals
    yield "no previous in epoch 2", sign.edited(second, put(None, "previous"))


def bad_envelopes(text: str, sign: Signing) -> Iterator[Named]:
    """Check 1: envelopes that are none."""
    entry = sign.entry(text, sign.server)
    good = sign.text(text, [entry])
    strangers = [Signer(Role.SERVER, n.to_bytes(32, "big")) for n in range(34)]
    yield "envelope with a blank", good.replace(",", ", ", 1)
    yield "envelope without signatures", sign.text(text, [])
    yield "envelope with 34 signatures", sign.text(text, [entry | {"key": s.public.hex()} for s in strangers])
    yield "envelope with one signer twice", sign.text(text, [entry, entry])
    yield "signature in an unknown role", sign.text(text, [entry | {"role": "guest"}])
    yield "signature of 63 octets", sign.text(text, [entry | {"signature": entry["signature"][2:]}])
    yield "signature with a comment", sign.text(text, [entry | {"comment": ""}])
    inner = canonical.encode({"manifest": json.loads(text), "signatures": [entry]}).decode()
    yield "manifest that is no text", inner


def valid(stage: Stage, sign: Signing) -> Iterator[Named]:
    """Manifests at the edges of what is allowed."""
    first, second, third = stage.epochs
    for number, epoch in enumerate((first, second, third), 1):
        yield f"epoch {number}", epoch.envelope.encode().decode()
    edits: dict[str, Edit] = {
        "a name of 200 characters beyond U+FFFF": put("\U0001f512" * 200, "name"),
        "a name with all that is escaped": put(ESCAPED, "name"),
        "a source that signed its list": put([{"items": 1, "name": "a", "signed": SIGNED}], "sources"),
        "the largest integers": put(2**53 - 1, "created"),
        "the largest epoch": latest,
        "threshold 1000 with 52 rows": put({"count_by": "item", "rows": 52, "threshold": 1000}, "sharing"),
        "threshold 1 with 255 rows": put({"count_by": "hash", "rows": 255, "threshold": 1}, "sharing"),
        "64 types": put([f"{i:02}" for i in range(64)], "types"),
        "every second synthetic": put(500_000, "synthetic", "per_million"),
        "256 probes": put({"per_item": 256, "separated": False}, "probes"),
        "a canary of a type of 32 characters": put(canary(f"{'x' * 32}:{'00' * 64}"), "canary"),
        "a table without items": put(EMPTY_TABLE | {"seed": "00" * 32}, "table"),
    }
    for name, edit in edits.items():
        yield name, sign.edited(first, with_file(edit))
    yield "33 signatures", sign.text(first.manifest.encoded.decode(), many_signatures(first.manifest.encoded, sign, 33))


ESCAPED = '"\\/ \u00a0\u00ff\u2027\u202f\u2065\u206a\ud7ff\ue000\uffff\U00010000'
SIGNED = {"digest": "ab" * 32, "key": "cd" * 32}
EMPTY_TABLE = {"cells": 12, "encoding": "fuse", "items": 0, "segment_length": 4, "segments": 1}


def with_file(edit: Edit) -> Edit:
    """An edit after which the file's length is that of the cells."""

    def both(members: Record) -> None:
        edit(members)
        members["file"]["bytes"] = 32 * members["table"]["cells"]

    return both


def latest(members: Record) -> None:
    """The last epoch that there can be."""
    members |= {"epoch": 2**53 - 1, "previous": "00" * 32}


def canary(text: str) -> Record:
    """A canary with one hash."""
    return {"hashes": [text], "name": "c", "sha256": "00" * 32}


def many_signatures(text: bytes, sign: Signing, number: int) -> list[Record]:
    """The server's signature over a manifest, as if others had made it."""
    entry = sign.entry(text.decode(), sign.server)
    return [entry | {"key": f"{i:064x}"} for i in range(number)]


def manifests(seed: str) -> Record:
    """The file of all these cases; the digest of a manifest that does not decode is null."""
    stage = Stage(RISTRETTO255_SHA512, "fuse", Drbg(seed))
    stage.add_epochs()
    sign, text = Signing(stage), stage.epochs[0].manifest.encoded.decode()
    good = list(valid(stage, sign))
    bad = [*not_canonical(text, sign), *not_valid(stage, sign), *bad_envelopes(text, sign)]
    return {
        "format": "tpsi manifests 1",
        "source": "protocol/SPEC.md, section 5; made by tests/vectors/generate.py",
        "seed": seed,
        "cases": [case_record(name, envelope, True) for name, envelope in good]
        + [case_record(name, envelope, False) for name, envelope in bad],
    }


def case_record(name: str, envelope: str, decodes: bool) -> Record:
    """A case, after the library has agreed."""
    try:
        digest = SignedManifest.decode(envelope.encode()).manifest.digest.hex()
    except DecodeError:
        digest = None
    if (digest is not None) is not decodes:
        raise LookupError(f"{name}: the library disagrees")
    return {"name": name, "envelope": envelope, "digest": digest}
