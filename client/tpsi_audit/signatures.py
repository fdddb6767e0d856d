"""Lists that their sources have signed: whether the manifest, the list and the signature belong together."""

from collections.abc import Mapping

from tpsi import VerificationError
from tpsi.audit import blinded_digest
from tpsi.table import PackedItems
from tpsi_audit.errors import RefusedError
from tpsi_audit.package import Package


def check_signatures(package: Package, lists: Mapping[str, PackedItems], demanded: Mapping[str, bytes]) -> list[str]:
    """Check what the manifest says of signed lists, for the sources whose lists are at hand; sentences on what holds.

    `demanded`: the public keys of sources that must have signed. RefusedError for what does not hold.
    """
    stated = {source.name: source.signed for source in package.manifest.sources if source.signed is not None}
    for name, key in demanded.items():
        if name not in lists:
            raise RefusedError(f"whether {name} has signed its list cannot be checked without it (--source)")
        if name not in stated or stated[name].key != key:
            raise RefusedError(f"the manifest does not say that {name} has signed its list under the key you gave")
    if package.manifest.minimum_sources > 1:
        _check_distinct({name: signed.key for name, signed in stated.items()})
    signatures = package.signatures()
    found: list[str] = []
    for name in sorted(stated.keys() & lists.keys()):
        if name not in signatures or signatures[name].key != stated[name].key:
            raise RefusedError(
                f"the manifest says that {name} has signed its list; its signature is not in the package"
            )
        try:
            digest = signatures[name].verify(lists[name])
        except VerificationError as error:
            raise RefusedError(f"the list of {name} is not what it has signed: {error}") from None
        if blinded_digest(package.proof.fill_key, name, digest) != stated[name].digest:
            raise RefusedError(f"the manifest names another list of {name} than the one it has signed")
        found.append(f"{name} has signed its list, under the key {stated[name].key.hex()}")
    return found


def _check_distinct(keys: Mapping[str, bytes]) -> None:
    """RefusedError if two sources sign under one key: one party would count for two under the rule of admission."""
    by_key: dict[bytes, str] = {}
    for name in sorted(keys):
        if (other := by_key.setdefault(keys[name], name)) != name:
            raise RefusedError(f"{other} and {name} have signed under one key: one source would count for two")
