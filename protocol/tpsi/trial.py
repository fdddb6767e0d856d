"""A list for a trial: of one source, unsigned, and served by nobody. To plan with, to measure, to test."""

from collections.abc import Sequence

from tpsi.account import Pool, derive
from tpsi.device import Device
from tpsi.groups import SUITES, group
from tpsi.items import ItemHash
from tpsi.manifest import LIST_ID_SIZE, Manifest, Source
from tpsi.merkle import DIGEST_SIZE
from tpsi.parameters import Probes, Sharing, Synthetic
from tpsi.secret import Secret
from tpsi.table import build_table
from tpsi.table.geometry import SEED_SIZE, FuseGeometry

_NAME = "trial"
_SECRET = bytes(32)


def trial_manifest(
    items: int,
    *,
    sharing: Sharing,
    synthetic: Synthetic,
    probes: Probes,
    types: Sequence[str] = (_NAME,),
    suite: str = SUITES[0],
    encoding: str = FuseGeometry.encoding,
    key: bytes | None = None,
    seed: bytes = bytes(SEED_SIZE),
    root: bytes = bytes(DIGEST_SIZE),
) -> Manifest:
    """A manifest of `items` hashes. Without `key` and `seed` there is no table to it, and all sizes follow from it.

    Raises CallerError for what no manifest can say.
    """
    return Manifest(
        list_id=bytes(LIST_ID_SIZE),
        name=_NAME,
        epoch=1,
        previous=None,
        created=0,
        suite=suite,
        key=bytes(group(suite).element_size) if key is None else key,
        encoding=encoding,
        items=items,
        seed=seed,
        root=root,
        types=tuple(types),
        sources=(Source(_NAME, items),),
        minimum_sources=1,
        sharing=sharing,
        synthetic=synthetic,
        probes=probes,
    )


def trial_device(
    hashes: Sequence[ItemHash],
    *,
    sharing: Sharing,
    synthetic: Synthetic,
    probes: Probes,
    suite: str = SUITES[0],
    encoding: str = FuseGeometry.encoding,
) -> Device:
    """A device on a table of different hashes whose secrets are forgotten: it seals, and nobody can match.

    Its account secret is all zeros: nothing that anybody owns is to be sealed on it.
    """
    chosen = group(suite)
    built = build_table(chosen, encoding, hashes)
    manifest = trial_manifest(
        len(hashes),
        sharing=sharing,
        synthetic=synthetic,
        probes=probes,
        types=sorted({item.type for item in hashes}),
        suite=suite,
        encoding=encoding,
        key=built.secrets.public_key(chosen),
        seed=built.table.seed,
    )
    return Device(manifest, built.table, derive(Secret(_SECRET), Pool(manifest.list_id, 1, sharing)), _NAME)
