"""Signed manifests that devices accept, and ones that they refuse, by the check of section 5 that fails."""

import json
from collections.abc import Iterator
from typing import Any

from tests.vectors.making.signing import Case, Signing, put
from tests.vectors.making.stage import Epoch, Stage
from tpsi import Role, Seen


def accepted(stage: Stage) -> Iterator[Case]:
    """Manifests that a device uses."""
    first, second, third = stage.epochs
    texts = [epoch.envelope.encode().decode() for epoch in stage.epochs]
    yield Case("the first that it sees", None, texts[0])
    yield Case("the same again", None, texts[0], seen=seen(first))
    yield Case("the next epoch, separated by the auditor's word", None, texts[1], policy=3, epoch=1, seen=seen(first))
    yield Case("a later epoch as the first that it sees", None, texts[1], policy=1, epoch=1)
    yield Case("an epoch skipped", None, texts[2], policy=1, epoch=2, seen=seen(first), between=(texts[1],))
    yield Case("a signature that it asks for besides the server's", None, texts[0], policy=3)
    yield Case("from one of two suites that it accepts", None, texts[0], policy=1)
    yield Case("a table that is hostile only in lookups", None, texts[2], policy=1, epoch=2, seen=seen(second))
    yield Case("two epochs after one seen twice", None, texts[2], policy=1, epoch=2, seen=seen(third))


def seen(epoch: Epoch) -> Seen:
    """What a device remembers of an epoch."""
    return Seen(epoch.manifest.epoch, epoch.manifest.digest)


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
    apart = put(False, "probes", "separated")
    yield Case("probes without separation", 5, sign.edited(second, apart), policy=1, epoch=1)
    yield Case("probes, separated by the server's word", 5, second.envelope.encode().decode(), policy=4, epoch=1)
    yield Case("mode add", 5, sign.edited(first, put("add", "synthetic", "mode")))

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
    yield Case("a successor of another", 6, forked, policy=1, epoch=1, seen=seen(first))
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
