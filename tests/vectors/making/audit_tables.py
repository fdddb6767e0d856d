"""Audited tables with their proofs, and every intermediate of them (section 15)."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from tests.support.drbg import Drbg
from tests.vectors.making.stage import Record, Scalars, digest, file_root, is_deep
from tpsi import Canary, Group, ItemHash, Manifest, Probes, Secret, Sharing, Source, Synthetic, TableSecrets, group
from tpsi.audit import (
    AbsenceProof,
    TableProof,
    list_digest,
    prove_absences,
    prove_table,
)
from tpsi.audit import absence as absences
from tpsi.audit import table as tables
from tpsi.audit.cells import touched
from tpsi.audit.sums import CellWeights
from tpsi.audit.transcript import RANDOM_SIZE, Transcript
from tpsi.groups import Rows
from tpsi.table import Layout, hash_items, lay_out
from tpsi.table.building import _build

ABSENT = 3


def hexes(rows: Rows) -> list[str]:
    """Every row in hex."""
    return [row.tobytes().hex() for row in rows]


@dataclass(frozen=True)
class Recorded:
    """An rng that gives one recorded string."""

    octets: bytes

    def __call__(self, size: int) -> bytes:
        """The string, which has to be of this size."""
        if size != len(self.octets):
            raise LookupError("another number of octets was recorded")
        return self.octets


@dataclass(frozen=True)
class Audit:
    """One table with a list, absent names, and the randomness of its proofs."""

    manifest: Manifest
    secrets: TableSecrets
    layout: Layout
    cells: Rows
    names: Sequence[bytes]
    alpha: Record
    randoms: tuple[bytes, bytes]
    items: Sequence[bytes] = field(default_factory=list)

    @classmethod
    def make(cls, suite: str, encoding: str, items: list[ItemHash], epoch: int, rng: Drbg) -> "Audit":
        """A table of these items, of which some have a canary."""
        chosen, encoded = group(suite), sorted(item.encode() for item in items)
        alpha = Scalars.draw(chosen, 1, rng)
        kept = TableSecrets(Secret(alpha.scalars.tobytes()), Secret(rng(32)))
        layout = cls.find_layout(encoding, encoded, rng)
        cells = _build(chosen, layout, kept, lambda *_: None).table.cells
        manifest = Manifest(
            list_id=rng(16),
            name="an audited list",
            epoch=epoch,
            previous=rng(32) if epoch > 1 else None,
            created=1_767_225_600,
            suite=suite,
            key=kept.public_key(chosen),
            encoding=encoding,
            items=len(encoded),
            seed=layout.seed,
            root=file_root(cells.tobytes()),
            types=tuple(sorted({item.type for item in items})) or ("md5",),
            sources=(Source("one", len(encoded)),),
            minimum_sources=1,
            sharing=Sharing(3, 4),
            synthetic=Synthetic(),
            probes=Probes(),
            canary=Canary("a picture", rng(32), (items[0],)) if items else None,
        )
        names = sorted(digest("md5", f"absent {number}", 16).encode() for number in range(ABSENT))
        return cls(manifest, kept, layout, cells, names, alpha.record(0), (rng(RANDOM_SIZE), rng(RANDOM_SIZE)), encoded)

    @staticmethod
    def find_layout(encoding: str, items: list[bytes], rng: Drbg) -> Layout:
        """A layout that shows several rounds, and for cuckoo a cycle."""
        while True:
            layout = lay_out(encoding, items, rng(32))
            if layout is not None and (not items or is_deep(layout)):
                return layout

    @property
    def group(self) -> Group:
        """The suite's group."""
        return self.manifest.group

    @property
    def key(self) -> Rows:
        """L."""
        return np.frombuffer(self.manifest.key, np.uint8).reshape(1, -1)

    def prove(self) -> TableProof:
        """The table proof."""
        return prove_table(self.manifest, self.secrets, self.items, rng=Recorded(self.randoms[0]))

    def prove_absent(self, names: Sequence[bytes]) -> AbsenceProof:
        """A proof about some names."""
        rng = Recorded(self.randoms[1])
        return prove_absences(self.manifest, self.cells, self.secrets, names, rng=rng)

    def with_cells(self, cells: Rows) -> "Audit":
        """The same with other cells, of which the manifest tells the digest."""
        return replace(self, cells=cells, manifest=replace(self.manifest, root=file_root(cells.tobytes())))

    def record(self) -> Record:
        """All of it, with every intermediate."""
        listed = list_digest(self.items)
        transcript = tables._transcript(self.manifest, listed, self.secrets.fill_key)
        weights, sums = transcript.weights(0, len(self.items)), CellWeights(len(self.cells))
        sums.add(weights, touched(self.layout))
        about_names = absences._transcript(self.manifest, self.names, self.prove_absent(self.names).values)
        return {
            "list": [item.hex() for item in self.items],
            "alpha": self.alpha,
            "fill_key": self.secrets.fill_key.reveal().hex(),
            "manifest": self.manifest.encoded.decode(),
            "digest": self.manifest.digest.hex(),
            "cells": hexes(self.cells),
            "assigned": self.layout.assigned.tolist(),
            "table_proof": {
                "list_digest": listed.hex(),
                "cell_weights": hexes(sums.of(0, len(self.cells))),
                **self.proof_record(transcript, self.items, self.randoms[0]),
                "octets": self.prove().encode().hex(),
            },
            "absence_proof": {
                "names": [name.hex() for name in self.names],
                "values": hexes(self.prove_absent(self.names).values),
                **self.proof_record(about_names, self.names, self.randoms[1]),
                "octets": self.prove_absent(self.names).encode().hex(),
            },
        }

    def proof_record(self, transcript: Transcript, items: Sequence[bytes], random: bytes) -> Record:
        """The steps of 15.2 and 15.1."""
        hashed, weights = hash_items(self.group, items), transcript.weights(0, len(items))
        scalars = self.group.encode_scalars([int.from_bytes(row.tobytes(), "big") for row in weights])
        weighted, scalar = self.group.weighted_sum(scalars, hashed), self.secrets.scalar(self.group)
        statement = transcript.statement(self.key, weighted, self.group.multiply(scalar, weighted))
        nonce = transcript.nonce(scalar, random, statement)
        commitments = self.group.multiply(nonce, statement.bases)
        proof = transcript.prove(self.key, weighted, scalar, Recorded(random))
        return {
            "transcript": transcript.digest.hex(),
            "elements": hexes(hashed),
            "weights": hexes(weights),
            "weighted": hexes(np.concatenate([weighted, statement.images[1:]])),
            "random": random.hex(),
            "nonce": nonce.tobytes().hex(),
            "commitments": hexes(commitments),
            "challenge": proof.challenge.hex(),
            "response": proof.response.hex(),
        }
