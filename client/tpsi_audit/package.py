"""The package that a server made for an auditor, opened: nothing in it is believed yet."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tpsi import DecodeError, ItemHash, Manifest, SignedManifest
from tpsi.audit import ListSignature, TableProof
from tpsi.audit import package as names
from tpsi.audit.sources import MAX_SIZE
from tpsi.groups import Rows
from tpsi.signing import MAX_ENVELOPE
from tpsi.table import PackedItems
from tpsi_audit.errors import AuditorError, RefusedError
from tpsi_audit.lists import read_list

_MAX_PROOF = 4096


@dataclass(frozen=True)
class Package:
    """A folder that `tpsi-server audit prepare` wrote. `cells` (m, element_size) is a map of the table file."""

    path: Path
    envelope: SignedManifest
    cells: Rows
    proof: TableProof

    @classmethod
    def open(cls, path: Path) -> "Package":
        """Raises AuditorError if something is missing, DecodeError or RefusedError if it is not what it should be."""
        envelope = SignedManifest.decode(_read(path / names.MANIFEST, MAX_ENVELOPE))
        manifest = envelope.manifest
        proof = TableProof.decode(_read(path / names.PROOF, _MAX_PROOF), manifest)
        return cls(path, envelope, _map(path / names.TABLE, manifest), proof)

    @property
    def manifest(self) -> Manifest:
        """The manifest."""
        return self.envelope.manifest

    @property
    def list_path(self) -> Path | None:
        """The list as the server exported it, if it is in the package."""
        path = self.path / names.LIST
        return path if path.exists() else None

    def left_out(self) -> list[ItemHash]:
        """Hashes that screening left out of the table, as the server says."""
        path = self.path / names.LEFT_OUT
        return list(map(ItemHash.decode, read_list([path]))) if path.exists() else []

    def sources(self, told: Callable[[str, int, int], None]) -> dict[str, PackedItems]:
        """The lists of the sources as the server exported them, by name; those that are in the package."""
        found: dict[str, PackedItems] = {}
        for number, source in enumerate(self.manifest.sources, 1):
            path = self.path / names.source_list(number)
            if path.exists():
                found[source.name] = read_list([path], told)
        return found

    def signatures(self) -> dict[str, ListSignature]:
        """The sources' signatures under their lists, by name; those that are in the package."""
        found: dict[str, ListSignature] = {}
        for number, source in enumerate(self.manifest.sources, 1):
            path = self.path / names.source_signature(number)
            if path.exists():
                found[source.name] = ListSignature.decode(_read(path, MAX_SIZE))
        return found


def _read(path: Path, limit: int) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise AuditorError(f"{path} can't be read ({error.strerror or error}): is this a package?") from None
    if len(data) > limit:
        raise DecodeError(f"{path} has more than {limit} octets")
    return data


def _map(path: Path, manifest: Manifest) -> Rows:
    try:
        size = path.stat().st_size
        if size != manifest.table_bytes:
            raise RefusedError(f"{path} has {size} octets, the manifest says {manifest.table_bytes}")
        shape = manifest.geometry.cells, manifest.group.element_size
        return np.memmap(path, np.uint8, "r", shape=shape)
    except OSError as error:
        raise AuditorError(f"{path} can't be read: {error.strerror or error}") from None
