"""Exporting a reveal: the revealed pictures of one account as files, for a reviewer."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tpsi import DecodeError, Photograph, open_original
from tpsi_server.errors import DataError, OperatorError
from tpsi_server.files import read_bounded, sync_folder
from tpsi_server.store import Reveal

INDEX_FILE = "index.json"
SEALED_SUFFIX = ".sealed"
#: Octets of an encrypted original: larger than any photograph, and small enough for memory.
MAX_ORIGINAL = 512 << 20


@dataclass(frozen=True, slots=True)
class Exported:
    """How much was written: reveals, derivatives of pictures, opened originals, and what was wrong with some."""

    items: int
    derivatives: int
    originals: int
    problems: tuple[str, ...]


def export_reveal(account: str, reveals: Iterable[Reveal], to: Path, originals: Path | None = None) -> Exported:
    """Write what was revealed of an account into a new folder, with an index.

    For a photograph its derivative; with `originals`, a folder of files `<voucher id in hex>.sealed`, the original
    too; for other associated data its octets. All of it appears at once. Raises OperatorError if there is
    something at `to`, or nothing was revealed.
    """
    if to.exists():
        raise OperatorError(f"there is something at {to} already: name a new folder")
    if originals is not None and not originals.is_dir():
        raise OperatorError(f"{originals} is not a folder of encrypted originals")
    to.parent.mkdir(parents=True, exist_ok=True)
    place = Path(tempfile.mkdtemp(prefix=f".{to.name}.unfinished-", dir=to.parent))
    try:
        items = [_write_item(reveal, place, originals) for reveal in reveals]
        if not items:
            raise OperatorError(f"nothing was revealed of account {account!r}: it is not over the threshold")
        index = {"account": account, "items": items}
        (place / INDEX_FILE).write_text(json.dumps(index, indent=2) + "\n", encoding="utf-8")
        os.rename(place, to)
        sync_folder(to.parent)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    return Exported(
        len(items),
        sum(item["derivative"] is not None for item in items),
        sum(item["original"] is not None for item in items),
        tuple(f"voucher {item['voucher']}: {item['problem']}" for item in items if item["problem"]),
    )


def _write_item(reveal: Reveal, place: Path, originals: Path | None) -> dict[str, Any]:
    """Write the files of one reveal; its entry in the index, with the files' names."""
    name = reveal.voucher_id.hex()
    entry: dict[str, Any] = {
        "voucher": name,
        "epoch": reveal.epoch,
        "received": reveal.received,
        "revealed": reveal.revealed,
        "second_hash": reveal.check.value,
        "distance": reveal.distance,
        "derivative": None,
        "original": None,
        "data": None,
        "problem": None,
    }
    try:
        photograph = Photograph.decode(reveal.associated)
    except DecodeError:
        entry["data"] = _write(place / f"{name}.data", reveal.associated)
        return entry
    if photograph.derivative:
        entry["derivative"] = _write(place / f"{name}.jpg", photograph.derivative)
    if originals is not None:
        try:
            sealed = read_bounded(originals / f"{name}{SEALED_SUFFIX}", MAX_ORIGINAL)
            entry["original"] = _write(place / f"{name}.original", open_original(photograph.content_key, sealed))
        except FileNotFoundError:
            entry["problem"] = "the operator has no encrypted original of it"
        except (DataError, DecodeError) as error:
            entry["problem"] = str(error)
    return entry


def _write(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    return path.name
