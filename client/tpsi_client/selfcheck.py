"""The self-check: does this device compute hashes as the list's makers did?"""

import hashlib
from dataclasses import dataclass

from tpsi import Manifest, VerificationError
from tpsi.pictures import HASHERS, check_hashers
from tpsi_client.errors import SelfCheckError
from tpsi_client.service import Service


@dataclass(frozen=True, slots=True)
class SelfCheck:
    """`agreeing` types gave the canary's published hashes; `unchecked` ones could not be compared; `unknown` types
    of the list can't be computed by this device at all, so that their hashes never match here."""

    agreeing: tuple[str, ...]
    unchecked: tuple[str, ...]
    unknown: tuple[str, ...]


async def self_check(service: Service, manifest: Manifest) -> SelfCheck:
    """Hash the list's canary picture and compare.

    Raises SelfCheckError if the device computes a different hash, or none of the list's types;
    VerificationError if the picture is not the one in the manifest.
    """
    unknown = tuple(label for label in manifest.types if label not in HASHERS)
    usable = tuple(label for label in manifest.types if label in HASHERS)
    if manifest.types and not usable:
        raise SelfCheckError(
            f"the list holds only hashes of types that this device can't compute ({', '.join(unknown)}); "
            "a newer version of the program may"
        )
    if manifest.canary is None:
        return SelfCheck((), usable, unknown)
    picture = await service.canary(manifest.digest)
    if hashlib.sha256(picture).digest() != manifest.canary.sha256:
        raise VerificationError("the server's canary picture is not the one in the signed manifest; tell the operator")
    expected = {item.type: item.digest.hex() for item in manifest.canary.hashes}
    checked = tuple(label for label in usable if label in expected)
    mismatches = check_hashers(checked, picture, expected)
    if mismatches:
        raise SelfCheckError(
            f"of the list's canary picture, {'; '.join(map(str, mismatches))}. So nothing on the list would ever "
            "match, silently: the list's makers and this device compute hashes differently; tell the operator"
        )
    return SelfCheck(checked, tuple(label for label in usable if label not in expected), unknown)
