"""Proofs that a verifier is shown, honest and not, with what it says of them (section 15)."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from tests.vectors.making.audit_tables import Audit, Recorded
from tests.vectors.making.stage import Record, digest
from tpsi import Canary, Manifest, Secret
from tpsi.audit import AbsenceProof, AuditError, TableProof, verify_absences, verify_table
from tpsi.audit import absence as absences
from tpsi.errors import DecodeError
from tpsi.groups import Rows
from tpsi.table import blind_items, lay_out


class Cases:
    """Proofs that a verifier is shown, with the reason for which it refuses."""

    def __init__(self, audits: Sequence[Audit]) -> None:
        self.audit, self.other = audits
        self.group = self.audit.group

    def records(self) -> list[Record]:
        """All cases."""
        return [*self.about_tables(), *self.about_names()]

    def about_tables(self) -> Iterator[Record]:
        """Table proofs."""
        a, cell = self.audit, int(self.audit.layout.assigned[0])
        proof, free = a.prove(), int(a.layout.fill[0])
        octets = proof.encode()

        def changed(place: int, row: Rows | bytes) -> Audit:
            cells = a.cells.copy()
            cells[place] = np.frombuffer(bytes(row), np.uint8)
            return a.with_cells(cells)

        double = self.group.multiply(self.group.encode_scalars([2]), a.cells[cell : cell + 1])[0].tobytes()
        own = blind_items(self.group, a.names[:1], a.secrets)[0].tobytes()
        for name, hostile in (
            ("an entry hidden in a fill cell", changed(free, own)),
            ("fill that is another cell's", changed(free, a.cells[int(a.layout.fill[1])].tobytes())),
            ("a cell doubled", changed(cell, double)),
            ("a cell that is the identity", changed(cell, bytes(len(own)))),
            ("a cell that is no element", changed(cell, b"\xff" * len(own))),
        ):
            yield self.table(name, hostile, hostile.prove().encode())
        yield self.table("cells of another digest", replace(a, cells=changed(cell, double).cells), octets)
        yield self.table("the proof of another manifest", a, replace(proof, manifest_digest=bytes(32)).encode())
        for name, edit in self.manifests():
            edited = replace(a, manifest=edit)
            yield self.table(name, edited, replace(proof, manifest_digest=edit.digest).encode())
        for name, items in self.lists():
            yield self.table(name, replace(a, items=items), octets)
        for name, wrong in self.octets(octets, 66):
            yield self.table(name, a, wrong)
        yield self.table("another fill key", a, replace(proof, fill_key=Secret(bytes(32))).encode())

    def manifests(self) -> Iterator[tuple[str, Manifest]]:
        """Manifests that the list or the cells don't fit."""
        m = self.audit.manifest
        seeds = (bytes((n,)) * 32 for n in range(256))
        seed = next(s for s in seeds if lay_out(m.encoding, self.audit.items, s) is None)
        yield "another time of creation", replace(m, created=m.created + 1)
        yield "a key that is the identity", replace(m, key=bytes(len(m.key)))
        yield "a key that is no element", replace(m, key=b"\xff" * len(m.key))
        yield "a type more", replace(m, types=(*m.types, "z"))
        yield "a canary that is not listed", replace(m, canary=Canary("a", bytes(32), (digest("md5", "no", 16),)))
        yield "a seed that does not place the list", replace(m, seed=seed)

    def lists(self) -> Iterator[tuple[str, list[bytes]]]:
        """Lists that are not the one of the table."""
        listed = list(self.audit.items)
        yield "an item less", listed[:-1]
        yield "an item more", sorted([*listed, digest("md5", "more", 16).encode()])
        yield "an item twice", [*listed[:-1], listed[-2]]
        yield "two items in another order", [listed[1], listed[0], *listed[2:]]
        yield "an item with an octet more", [*listed[:-1], listed[-1] + b"\0"]
        yield "an md5 that is too short", [b"\x03md5\x0f" + bytes(15), *listed[1:]]

    def octets(self, octets: bytes, at: int) -> Iterator[tuple[str, bytes]]:
        """Changes of a proof; `at` is where the challenge begins."""
        little = bool(self.group.encode_scalars([1])[0, 0])
        order = (self.group.order + 5).to_bytes(32, "little" if little else "big")
        yield "version 2", b"\2" + octets[1:]
        yield "the other kind", octets[:1] + bytes((3 - octets[1],)) + octets[2:]
        yield "an octet less", octets[:-1]
        yield "an octet more", octets + b"\0"
        yield "nothing", b""
        yield "a challenge above the order", octets[:at] + order + octets[at + 32 :]
        yield "a response above the order", octets[: at + 32] + order + octets[at + 64 :]
        yield (
            "challenge and response exchanged",
            (octets[:at] + octets[at + 32 : at + 64] + octets[at : at + 32] + octets[at + 64 :]),
        )

    def about_names(self) -> Iterator[Record]:
        """Absence proofs."""
        a, names = self.audit, self.audit.names
        proof = a.prove_absent(names)
        octets = proof.encode()
        yield self.absence("one name", names[1:2], a.prove_absent(names[1:2]).encode())
        yield self.absence("a listed name with its own value", a.items[:1], self.of_listed().encode())
        yield self.absence("a listed name with another's value", a.items[:1], a.prove_absent(names[:1]).encode())
        for name, other in (
            ("a name less", names[:-1]),
            ("another name", sorted([*names[:-1], digest("md5", "other", 16).encode()])),
            ("a name twice", [*names[:-1], names[-2]]),
            ("names in another order", names[::-1]),
            ("a name that is no encoding", [b"\1", *names[1:]]),
        ):
            yield self.absence(name, other, octets)
        for name, value in (("identity", bytes(1)), ("no element", b"\xff")):
            values = proof.values.copy()
            values[1] = np.frombuffer(value, np.uint8)
            yield self.absence(f"a value that is the {name}", names, replace(proof, values=values).encode())
        yield self.absence(
            "values in another order", names, replace(proof, values=np.ascontiguousarray(proof.values[::-1])).encode()
        )
        yield self.absence("the proof of another manifest", names, replace(proof, manifest_digest=bytes(32)).encode())
        yield self.absence("no values", names, octets[:98] + bytes(4))
        for name, wrong in self.octets(octets, 34):
            yield self.absence(name, names, wrong)

    def of_listed(self) -> AbsenceProof:
        """What a server would have to show for a listed item."""
        a, names = self.audit, self.audit.items[:1]
        values = blind_items(self.group, names, a.secrets)
        transcript = absences._transcript(a.manifest, names, values)
        weighted = absences._weigh_names(transcript, names, lambda *_: None)
        scalar = a.secrets.scalar(self.group)
        return AbsenceProof(
            a.manifest.digest, values, transcript.prove(a.key, weighted, scalar, Recorded(a.randoms[1]))
        )

    def table(self, name: str, hostile: Audit, octets: bytes) -> Record:
        """A case of a table proof."""

        def check() -> None:
            proof = TableProof.decode(octets, hostile.manifest)
            verify_table(hostile.manifest, hostile.cells, hostile.items, proof)

        return self.case(name, hostile, hostile.items, octets, kind="table", outcome=result(check))

    def absence(self, name: str, names: Sequence[bytes], octets: bytes) -> Record:
        """A case of an absence proof."""

        def check() -> None:
            proof = AbsenceProof.decode(octets, self.audit.manifest)
            verify_absences(self.audit.manifest, self.audit.cells, names, proof)

        return self.case(name, self.audit, names, octets, kind="absence", outcome=result(check))

    def case(
        self, name: str, hostile: Audit, items: Sequence[bytes], octets: bytes, *, kind: str, outcome: str
    ) -> Record:
        """A case; what is as in the table's record is null there."""
        a = self.audit
        changed = np.flatnonzero((hostile.cells != a.cells).any(axis=1)).tolist()
        usual = a.items if kind == "table" else a.names
        return {
            "name": name,
            "proof": kind,
            "manifest": None if hostile.manifest == a.manifest else hostile.manifest.encoded.decode(),
            "cells": [{"cell": c, "octets": hostile.cells[c].tobytes().hex()} for c in changed],
            "items": None if list(items) == list(usual) else [item.hex() for item in items],
            "octets": octets.hex(),
            "result": outcome,
        }


def result(check: Callable[[], None]) -> str:
    """What the library says of a proof."""
    try:
        check()
    except AuditError as error:
        return error.reason.value
    except DecodeError:
        return "MALFORMED"
    return "ACCEPTED"
