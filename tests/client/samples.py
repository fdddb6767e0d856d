"""The photographs of the tests, their hashes, and the vouchers that a device has made of them."""

import os
from pathlib import Path

from tests.client.pictures import make_pictures
from tpsi import ItemHash
from tpsi.pictures import Picture, hasher
from tpsi_client import Device
from tpsi_client.container import read_vouchers

#: So many of them are on the list of most tests.
LISTED = 5
SAMPLES = make_pictures(12)


def listing(*contents: bytes, label: str = "sha256") -> tuple[ItemHash, ...]:
    """The hashes of files under one type."""
    return tuple(hasher(label).hash(Picture.from_bytes(content)) for content in contents)


def queued(device: Device, tmp_path: Path) -> list[bytes]:
    """All queued vouchers, read from an export."""
    path = tmp_path / f"{os.urandom(4).hex()}.tpsivb"
    if not device.export(path, again=True):
        return []
    with path.open("rb") as stream:
        return list(read_vouchers(stream))
