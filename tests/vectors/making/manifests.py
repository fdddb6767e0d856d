"""Signed manifests that devices accept, and ones that they refuse, by the check of section 5 that fails."""

import json
from collections.abc import Iterator
from typing import Any

from tests.vectors.making.signing import Case, Edit, Signing, drop, put
from tests.vectors.making.stage import Epoch, Signer, Stage
from tpsi import Role, Seen, canonical
from tpsi.groups import P256_SHA256


def accepted(stage: Stage) -> Iterator[Case]:
    """Manifests that a device uses."""
    first, second, third = stage.epochs
    texts = [epoch.envelope.encode().decode() for epoch in stage.epochs]
    yield Case("the first that it sees", None, texts[0])
    yield Case("the same again", None, texts[0], seen=seen(first))
    yield Case("the next epoch", None, texts[1], epoch=1, seen=seen(first))
    yield Case("a later epoch as the first that it sees", None, texts[1], epoch=1)
    yield Case("an epoch skipped", None, texts[2], policy=1, epoch=2, seen=seen(first), between=(texts[1],))
    yield Case("a signature that it asks for besides the server's", None, texts[0], policy=3)
    yield Case("from one of two suites that it accepts", None, texts[0], policy=1)
    yield Case("a table that is hostile only in lookups", None, texts[2], policy=1, epoch=2, seen=seen(second))
    yield Case("two epochs after one seen twice", None, texts[2], policy=1, epoch=2, seen=seen(third))


def seen(epoch: Epoch) -> Seen:
    """What a device remembers of an epoch."""
    return Seen(epoch.manifest.epoch, epoch.manifest.digest)


def decoding_cases(stage: Stage, sign: "Signing", text: str) -> Iterator[Case]:
    """Check 1, one half of it for each suite."""
    if stage.encoding == "fuse" and stage.group.suite == P256_SHA256:
        yield from not_valid(stage, sign)
    elif stage.encoding == "fuse":
        yield from not_canonical(text, sign)
        yield from bad_envelopes(text, sign)


def not_canonical(text: str, sign: Signing) -> Iterator[Case]:
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
        yield Case(name, 1, sign.text(edit))


def not_valid(stage: Stage, sign: Signing) -> Iterator[Case]:
    """Check 1: members that are missing, unknown, of another kind or out of range."""
    first, second, _ = stage.epochs
    edits: dict[str, Edit] = {
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
        yield Case(name, 1, sign.edited(first, edit))
    capitals = sign.edited(second, put(["md5:" + "AB" * 16], "canary", "hashes"))
    yield Case("a canary's hash in capitals", 1, capitals, epoch=1)
    yield Case("no previous in epoch 2", 1, sign.edited(second, put(None, "previous")), epoch=1)


def bad_envelopes(text: str, sign: Signing) -> Iterator[Case]:
    """Check 1: envelopes that are none."""
    entry = sign.entry(text, sign.server)
    good = sign.text(text, [entry])
    strangers = [Signer(Role.SERVER, n.to_bytes(32, "big")) for n in range(34)]
    yield Case("envelope with a blank", 1, good.replace(",", ", ", 1))
    yield Case("envelope without signatures", 1, sign.text(text, []))
    yield Case("envelope with 34 signatures", 1, sign.text(text, [entry | {"key": s.public.hex()} for s in strangers]))
    yield Case("envelope with one signer twice", 1, sign.text(text, [entry, entry]))
    yield Case("signature in an unknown role", 1, sign.text(text, [entry | {"role": "guest"}]))
    yield Case("signature of 63 octets", 1, sign.text(text, [entry | {"signature": entry["signature"][2:]}]))
    yield Case("signature with a comment", 1, sign.text(text, [entry | {"comment": ""}]))
    inner = canonical.encode({"manifest": json.loads(text), "signatures": [entry]}).decode()
    yield Case("manifest that is no text", 1, inner)


def bad_signatures(stage: Stage, sign: Signing) -> Iterator[Case]:
    """Check 2."""
    text = stage.epochs[0].manifest.encoded.decode()
    server, auditor = sign.entry(text, sign.server), sign.entry(text, sign.auditor)
    flipped = server | {"signature": ("1" if server["signature"][0] == "0" else "0") + server["signature"][1:]}
    other = text.replace('"created":1', '"created":2')
    yield Case("the server's signature changed", 2, sign.text(text, [flipped]))
    yield Case("the manifest changed after it was signed", 2, sign.text(other, [server]))
    yield Case("signed by a stranger", 2, sign.text(text, [sign.entry(text, sign.stranger)]))
    yield Case("not signed by the server", 2, sign.text(text, [auditor]), policy=3)
    yield Case("not signed by the auditor", 2, sign.text(text, [server]), policy=3)
    swapped = [sign.entry(text, sign.server, Role.AUDITOR), sign.entry(text, sign.auditor, Role.SERVER)]
    yield Case("signed in swapped roles", 2, sign.text(text, swapped), policy=3)
    other_role = sign.entry(text, sign.server, Role.AUDITOR) | {"role": "server"}
    yield Case("a signature made for another role", 2, sign.text(text, [other_role]))
    low = json.loads(sign.edited(stage.epochs[0], put(2, "sharing", "threshold")))["manifest"]
    yield Case("not signed, and a low threshold", 2, sign.text(low, [server]))


def bad_parameters(stage: Stage, sign: Signing) -> Iterator[Case]:
    """Checks 3 to 5."""
    first, second, _ = stage.epochs
    size = stage.group.element_size
    table = json.loads(first.manifest.encoded)["table"]
    yield Case("a suite that the device does not accept", 3, first.envelope.encode().decode(), policy=2)
    yield Case("L is the identity", 3, sign.edited(first, put("00" * size, "key")))
    yield Case("L is no element", 3, sign.edited(first, put("ff" * size, "key")))
    yield Case("one cell more", 4, sign.edited(first, put(table["cells"] + 1, "table", "cells")))
    yield Case("ten items more", 4, sign.edited(first, put(table["items"] + 10, "table", "items")))
    yield Case("file of another length", 4, sign.edited(first, put(len(first.content) + 1, "file", "bytes")))
    yield Case("smaller chunks", 4, sign.edited(first, put(4096, "file", "chunk")))
    for name in ("segment_length", "segments"):
        if name in table:
            yield Case(f"{name} doubled", 4, sign.edited(first, put(2 * table[name], "table", name)))
    yield Case("threshold too low", 5, sign.edited(first, put(2, "sharing", "threshold")))
    yield Case("too few synthetic", 5, sign.edited(first, put(299_999, "synthetic", "per_million")))
    nothing = {"mode": "none", "per_million": 0}
    yield Case("none synthetic", 5, sign.edited(first, put(nothing, "synthetic")))
    yield Case("probes without separation", 5, sign.edited(second, put(False, "probes", "separated")), epoch=1)

    def both(members: dict[str, Any]) -> None:
        put("00" * 16, "list")(members)
        put(2, "sharing", "threshold")(members)

    yield Case("threshold too low, and another list", 5, sign.edited(first, both))


def bad_chains(stage: Stage, sign: Signing) -> Iterator[Case]:
    """Check 6."""
    first, second, _ = stage.epochs
    texts = [epoch.envelope.encode().decode() for epoch in stage.epochs]
    forked = sign.edited(second, put("00" * 32, "previous"))
    stranger = sign.text(second.manifest.encoded.decode(), [sign.entry(texts[1], sign.stranger)])

    def skipping(name: str, *between: str) -> Case:
        return Case(name, 6, texts[2], policy=1, epoch=2, seen=seen(first), between=between)

    yield Case("another list", 6, sign.edited(first, put("00" * 16, "list")))
    yield Case("a fork of the epoch seen", 6, sign.edited(first, put("a fork", "name")), seen=seen(first))
    yield Case("a step back", 6, texts[0], seen=seen(second))
    yield Case("a successor of another", 6, forked, epoch=1, seen=seen(first))
    yield skipping("an epoch skipped and not shown")
    yield skipping("an epoch skipped that is a fork", forked)
    yield skipping("an epoch skipped that a stranger signed", stranger)


def bad_files(stage: Stage) -> Iterator[Case]:
    """Check 7."""
    first, second, _ = stage.epochs
    text, content = first.envelope.encode().decode(), first.content
    changed = bytes([content[0] ^ 1]) + content[1:]
    size = stage.group.element_size
    swapped = content[size : 2 * size] + content[:size] + content[2 * size :]
    contents = {
        "one bit changed": changed,
        "two cells swapped": swapped,
        "last octet missing": content[:-1],
        "one octet too many": content + b"\x00",
        "no octets": b"",
        "the next epoch's": second.content,
    }
    for name, other in contents.items():
        yield Case(f"table file: {name}", 7, text, content=other)
