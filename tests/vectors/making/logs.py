"""The log, and what is signed beside it: notices, forks, signed lists, quorums of auditors (sections 5 and 16)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.support.drbg import Drbg
from tests.support.world import World, md5
from tests.vectors.making.stage import Record
from tpsi import Rng, Role, SignedManifest, TpsiError, VerificationError, sign_manifest
from tpsi.audit import blinded_digest, list_digest, sign_list
from tpsi.errors import DecodeError
from tpsi.log import (
    Checkpoint,
    Entry,
    Fork,
    ManifestEntry,
    Notice,
    OpeningEntry,
    PolicyEntry,
    RevealEntry,
    SignedCheckpoint,
    Tree,
    decode_entry,
    draw_opening,
    sign_checkpoint,
)
from tpsi.log.notice import batch_root, voucher_digest
from tpsi.secret import Secret
from tpsi.signing import public_key
from tpsi.table import canonical_items

#: Sizes of trees for which every proof is there: powers of two, and what lies between.
_SIZES = (1, 2, 3, 4, 5, 7, 8, 11)
#: The accounts of each batch of reveals, and when they are committed to.
_BATCHES = (("alice",), ("bob", "alice", "carol", "dave", "erin"))
_REVEALED = 1_767_225_700


def logs(seed: str) -> Record:
    """The file: the same in every run."""
    rng = Drbg(seed)
    key = Ed25519PrivateKey.from_private_bytes(rng(32))
    list_id = rng(16)
    batches = [[_notice(rng, list_id, account) for account in batch] for batch in _BATCHES]
    entries = _entries(rng, [[disclosed.commitment for disclosed in batch] for batch in batches])
    tree = Tree(entry.leaf for entry in entries)
    other = Tree([entry.leaf for entry in entries[:3]] + [rng(32)] + [entry.leaf for entry in entries[4:]])
    return {
        "format": "tpsi log 1",
        "source": "protocol/SPEC.md, version 1; made by tests/vectors/generate.py",
        "seed": seed,
        "list": list_id.hex(),
        "server_key": public_key(key).hex(),
        "entries": [{"octets": entry.encoded.decode(), "leaf": entry.leaf.hex()} for entry in entries],
        "refused_entries": _refused_entries(entries),
        "roots": [tree.root(size).hex() for size in range(len(tree) + 1)],
        "inclusion": [_inclusion(tree, index, size) for size in _SIZES for index in range(size)],
        "consistency": [_consistency(tree, first, size) for size in _SIZES for first in range(size + 1)],
        "checkpoints": _checkpoints(key, list_id, tree),
        "notices": [record for index, batch in enumerate(batches, 3) for record in _batch_records(index, batch)],
        "forks": _forks(key, list_id, tree, other),
        "lists": [_signed_list(rng, name, count) for name, count in (("clinic", 5), ("für alle", 1), ("empty", 0))],
        "quorums": _quorums(rng),
    }


@dataclass(frozen=True)
class _Noticed:
    """A notice with its opening, and the ids of the vouchers that it is about."""

    notice: Notice
    opening: Secret
    ids: Sequence[bytes]

    @property
    def commitment(self) -> bytes:
        return self.notice.commitment(self.opening)


def _notice(rng: Rng, list_id: bytes, account: str) -> _Noticed:
    ids = [rng(16) for _ in range(3)]
    generation = int.from_bytes(rng(4), "big")
    return _Noticed(Notice(account, list_id, generation, _REVEALED, 3, voucher_digest(ids)), draw_opening(rng), ids)


def _entries(rng: Rng, batches: Sequence[Sequence[bytes]]) -> list[Entry]:
    reveals = [RevealEntry(_REVEALED, batch_root(commitments)) for commitments in batches]
    return [
        ManifestEntry(1, rng(32)),
        PolicyEntry(1_767_225_600, None),
        PolicyEntry(1_767_225_601, 3600),
        *reveals,
        ManifestEntry(2, rng(32)),
        OpeningEntry(1_767_229_300, 3),
        OpeningEntry(1_767_229_300, 4),
        ManifestEntry(2**53 - 1, rng(32)),
        PolicyEntry(2**53 - 1, 316_224_000),
        RevealEntry(0, rng(32)),
    ]


def _refused_entries(entries: Sequence[Entry]) -> list[str]:
    """Texts that are no entries; the library must agree."""
    manifest, policy = entries[0].encoded.decode(), entries[2].encoded.decode()
    texts = [
        "",
        "{}",
        manifest.replace(",", ", "),
        manifest.replace('"manifest"', '"manifests"'),
        manifest.replace(":1,", ":0,"),
        manifest.replace(":1,", ":true,"),
        manifest.upper(),
        policy.replace("3600", "316224001"),
        policy.replace("3600", "-1"),
        policy.replace("}", ',"zone":0}'),
        '{"index":1,"time":9007199254740992,"type":"opening"}',
        '{"commitment":"ab","time":1,"type":"reveal"}',
    ]
    for text in texts:
        _require_refused(text)
    return texts


def _require_refused(text: str) -> None:
    try:
        decode_entry(text.encode())
    except DecodeError:
        return
    raise LookupError(f"the library takes {text} for an entry")


def _inclusion(tree: Tree, index: int, size: int) -> Record:
    return {"index": index, "size": size, "path": _hex(tree.inclusion(index, size))}


def _consistency(tree: Tree, first: int, second: int) -> Record:
    return {"first": first, "second": second, "path": _hex(tree.consistency(first, second))}


def _checkpoints(key: Ed25519PrivateKey, list_id: bytes, tree: Tree) -> list[Record]:
    """Checkpoints that verify, and texts that don't; the library must agree."""
    good = [_signed(key, list_id, tree, size).encode().decode() for size in (0, 1, len(tree))]
    last = good[-1]
    stranger = Ed25519PrivateKey.from_private_bytes(bytes(32))
    bad = [
        last.replace(f"\n{len(tree)}\n", f"\n0{len(tree)}\n"),
        last.replace(f"\n{len(tree)}\n", f"\n{len(tree) - 1}\n"),
        last.replace("\n\n", "\nextension\n\n"),
        last.replace("—", "-"),
        last.rstrip("\n"),
        last + last.splitlines()[-1] + "\n",
        last.replace("tpsi-v1-log", "tpsi-v2-log"),
        _signed(stranger, list_id, tree, 3).encode().decode(),
        _signed(key, bytes(16), tree, 3).encode().decode(),
    ]
    records: list[Record] = [{"octets": text, "size": size} for text, size in zip(good, (0, 1, len(tree)), strict=True)]
    records += [{"octets": text, "size": None} for text in bad]
    for record in records:
        try:
            size = SignedCheckpoint.decode(record["octets"].encode()).verify(public_key(key), list_id).size
        except (DecodeError, VerificationError):
            size = None
        if size != record["size"]:
            raise LookupError(f"the library reads {record['octets']} as {size}")
    return records


def _batch_records(index: int, batch: Sequence[_Noticed]) -> list[Record]:
    """The notices of one reveal entry, in the order of their commitments."""
    ordered = sorted(batch, key=lambda one: one.commitment)
    tree = Tree(one.commitment for one in ordered)
    return [
        {
            "index": index,
            "opening": one.opening.reveal().hex(),
            "octets": one.notice.encoded.decode(),
            "vouchers": _hex(one.ids),
            "commitment": one.commitment.hex(),
            "position": position,
            "path": _hex(tree.inclusion(position, len(tree))),
        }
        for position, one in enumerate(ordered)
    ]


def _forks(key: Ed25519PrivateKey, list_id: bytes, tree: Tree, other: Tree) -> list[Record]:
    """Evidence, and what is none; the library must agree."""
    server, size = public_key(key), len(tree)

    def between(first: int, second: int, told: Tree, known: Tree | None) -> Fork:
        return Fork.between(server, _signed(key, list_id, tree, first), _signed(key, list_id, told, second), known)

    cases = [
        (between(size, size, other, None), True),
        (between(4, size, other, other), True),
        (between(7, 8, other, other), True),
        (between(size, size, tree, None), False),
        (between(4, size, tree, tree), False),
        (between(3, size, other, other), False),
        (between(4, size, other, None), False),
        (Fork(bytes(32), _signed(key, list_id, tree, 5), _signed(key, list_id, other, 5)), False),
    ]
    for fork, proves in cases:
        try:
            fork.verify()
        except TpsiError:
            if proves:
                raise
        else:
            if not proves:
                raise LookupError("the library takes an honest server for a liar")
    return [{"octets": fork.encode().decode(), "proves": proves} for fork, proves in cases]


def _signed_list(rng: Rng, name: str, count: int) -> Record:
    key, fill_key = Ed25519PrivateKey.from_private_bytes(rng(32)), Secret(rng(32))
    items = canonical_items(md5(f"{name} {n}") for n in range(count))
    digest = list_digest(items)
    return {
        "name": name,
        "items": _hex(items),
        "digest": digest.hex(),
        "file": sign_list(items, key).encode().decode(),
        "fill_key": fill_key.reveal().hex(),
        "blinded": blinded_digest(fill_key, name, digest).hex(),
    }


def _quorums(rng: Rng) -> list[Record]:
    """Check 2 of section 5 with k of m auditors; the library must agree."""
    manifest = World(range(3), seed="quorum").manifest
    server, *auditors = (Ed25519PrivateKey.from_private_bytes(rng(32)) for _ in range(4))
    own = sign_manifest(manifest, Role.SERVER, server)
    names = [public_key(one) for one in auditors]
    records = []
    for signers in ((), (0,), (1, 2), (0, 1, 2)):
        signatures = [sign_manifest(manifest, Role.AUDITOR, auditors[i]) for i in signers]
        envelope = SignedManifest(manifest, (own, *signatures))
        for needed in (1, 2, 3):
            try:
                envelope.verify(public_key(server), names, needed)
            except VerificationError:
                accepted = False
            else:
                accepted = True
            if accepted != (len(signers) >= needed):
                raise LookupError(f"the library counts {signers} as {needed} auditors")
            records.append(
                {
                    "envelope": envelope.encode().decode(),
                    "server_key": public_key(server).hex(),
                    "auditor_keys": _hex(names),
                    "needed": needed,
                    "accepted": accepted,
                }
            )
    return records


def _signed(key: Ed25519PrivateKey, list_id: bytes, tree: Tree, size: int) -> SignedCheckpoint:
    return sign_checkpoint(Checkpoint(list_id, size, tree.root(size)), key)


def _hex(values: Iterable[bytes]) -> list[str]:
    return [value.hex() for value in values]
