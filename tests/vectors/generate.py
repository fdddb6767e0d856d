"""Writes the transcripts of protocol/SPEC.md that stand beside this file: `python -m tests.vectors.generate`."""

import json
from pathlib import Path
from typing import Any

from tests.support.drbg import Drbg
from tests.vectors.making.acceptance import acceptance, policies, policy_record
from tests.vectors.making.accounts import seal_all
from tests.vectors.making.audits import audits
from tests.vectors.making.deliveries import deliveries
from tests.vectors.making.detections import detections
from tests.vectors.making.elements import element_record
from tests.vectors.making.encodings import manifests
from tests.vectors.making.logs import logs
from tests.vectors.making.stage import Record, Stage, file_root, md5
from tpsi.groups import P256_SHA256, RISTRETTO255_SHA512
from tpsi.table import FuseGeometry, geometry

HERE = Path(__file__).parent
FILES = {
    "transcript-ristretto255-fuse.json": (RISTRETTO255_SHA512, "fuse"),
    "transcript-ristretto255-cuckoo.json": (RISTRETTO255_SHA512, "cuckoo"),
    "transcript-p256-fuse.json": (P256_SHA256, "fuse"),
    "transcript-p256-cuckoo.json": (P256_SHA256, "cuckoo"),
}
AUDITS = {name.replace("transcript", "audit"): case for name, case in FILES.items()}
MANIFESTS = "manifests.json"
LOG = "log.json"
ITEM_COUNTS = (0, 1, 2, 3, 4, 5, 10, 16, 100, 1000, 99_999, 10**6, 1_063_140, 5 * 10**6, 2**31)
WIDTH = 118
FILE_SIZES = (1, 65_535, 65_536, 65_537, 131_072, 200_000, 327_681, 458_753)


def transcript(suite: str, encoding: str) -> Record:
    """One transcript: the same in every run."""
    seed = f"tpsi transcript {suite} {encoding}"
    stage = Stage(suite, encoding, Drbg(seed))
    elements = element_record(stage)
    stage.add_epochs()
    accounts = seal_all(stage)
    return {
        "format": "tpsi transcript 1",
        "source": "protocol/SPEC.md, version 1; made by tests/vectors/generate.py",
        "seed": seed,
        "suite": suite,
        "encoding": encoding,
        "elements": elements,
        "geometries": [geometry_record(encoding, items) for items in ITEM_COUNTS],
        "positions": [position_record(encoding, items, stage.rng) for items in ITEM_COUNTS[-5:]],
        "digest_trees": [{"octets": size, "root": file_root(pattern(size)).hex()} for size in FILE_SIZES],
        "list": stage.list_record(),
        "epochs": [epoch.record for epoch in stage.epochs],
        "policies": [policy_record(pins) for pins in policies(stage)],
        "acceptance": acceptance(stage),
        "accounts": [account.record() for account in accounts],
        "deliveries": deliveries(stage, accounts),
        "detections": detections(stage, accounts),
    }


def contents(name: str) -> str:
    """What stands in a file."""
    if name == LOG:
        return render(logs("tpsi log")) + "\n"
    if name in FILES:
        return render(transcript(*FILES[name])) + "\n"
    return render(audits(*AUDITS[name]) if name in AUDITS else manifests("tpsi manifests")) + "\n"


def geometry_record(encoding: str, items: int) -> Record:
    """The sizes of a table for a number of items."""
    sizes = geometry(encoding, items)
    record = {"items": items, "cells": sizes.cells}
    if isinstance(sizes, FuseGeometry):
        record |= {"segment_length": sizes.segment_length, "segments": sizes.segments}
    return record


def pattern(size: int) -> bytes:
    """The octets 0, 1 … 250, 0, 1 …: a file to make a digest tree of."""
    return (bytes(range(251)) * (size // 251 + 1))[:size]


def position_record(encoding: str, items: int, rng: Drbg) -> Record:
    """The cells of an item hash in a table larger than those of a transcript."""
    seed, y = rng(32), md5(items).encode()
    cells = geometry(encoding, items).positions([y], seed)[0].tolist()
    return {"items": items, "seed": seed.hex(), "encoded": y.hex(), "positions": cells}


def render(value: Any, depth: int = 0) -> str:
    """JSON with a line for every object and list that is short, and for every member of the others."""
    line = json.dumps(value, ensure_ascii=True)
    if not isinstance(value, dict | list) or len(line) <= WIDTH:
        return line
    margin = "\n" + " " * (depth + 1)
    if isinstance(value, dict):
        inner = [f"{json.dumps(key)}: {render(member, depth + 1)}" for key, member in value.items()]
        return "{" + margin + f",{margin}".join(inner) + margin[:-1] + "}"
    return "[" + margin + f",{margin}".join(render(entry, depth + 1) for entry in value) + margin[:-1] + "]"


def main() -> None:
    """Write all files."""
    for name in (*FILES, *AUDITS, MANIFESTS, LOG):
        (HERE / name).write_text(contents(name), encoding="ascii")


if __name__ == "__main__":
    main()
