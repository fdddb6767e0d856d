"""Keeping what shows that a server lied: evidence files, for whoever audits the list."""

import hashlib
from pathlib import Path

from tpsi.log import Fork
from tpsi_client.files import make_private_folder, write_whole


def keep(folder: Path, fork: Fork) -> Path:
    """Write the evidence of a fork into a folder, once; its file. Raises DiskError."""
    data = fork.encode()
    make_private_folder(folder)
    path = folder / f"fork-{hashlib.sha256(data).hexdigest()[:16]}.json"
    if not path.exists():
        write_whole(path, data)
    return path
