"""Section 5: what a device checks before it uses a table, in the order of the checks."""

from dataclasses import dataclass

from .canonical import RefusedError
from .elements import GROUPS
from .manifest import Manifest, Signature, decode_envelope, is_signed
from .table import CHUNK, geometry, merkle_root


@dataclass(frozen=True)
class Policy:
    """What a device has pinned and demands."""

    server_key: str
    auditor_keys: tuple[str, ...]
    suites: tuple[str, ...]
    minimum_threshold: int
    modes: tuple[str, ...]
    minimum_per_million: int
    trusts_separation: bool
    list: str


@dataclass(frozen=True)
class Seen:
    """The newest manifest that a device has accepted."""

    epoch: int
    digest: str


def device_checks(envelope: str, policy: Policy, seen: Seen | None, between: list[str], content: bytes) -> Manifest:
    """The seven checks in their order; RefusedError names the one that fails."""
    manifest, signatures = decode_envelope(envelope)
    check_signatures(manifest, signatures, policy)
    check_suite(manifest, policy)
    check_sizes(manifest)
    check_demands(manifest, policy)
    check_chain(manifest, policy, seen, between)
    if len(content) != manifest["file"]["bytes"] or merkle_root(content).hex() != manifest["file"]["root"]:
        raise RefusedError(7, "the table file is another one")
    return manifest


def check_signatures(manifest: Manifest, signatures: list[Signature], policy: Policy) -> None:
    demanded = [("server", policy.server_key)] + [("auditor", key) for key in policy.auditor_keys]
    if not all(is_signed(manifest, signatures, role, key) for role, key in demanded):
        raise RefusedError(2, "a demanded signature is missing or wrong")


def check_suite(manifest: Manifest, policy: Policy) -> None:
    if manifest["suite"] not in policy.suites:
        raise RefusedError(3, "the suite is not accepted")
    if not GROUPS[manifest["suite"]].is_valid(bytes.fromhex(manifest["key"])):
        raise RefusedError(3, "L is not a valid element")


def check_sizes(manifest: Manifest) -> None:
    table, group = manifest["table"], GROUPS[manifest["suite"]]
    right = geometry(table["encoding"], table["items"])
    if table != right.members(table["seed"]):
        raise RefusedError(4, "the table's sizes are not those of its items")
    file = manifest["file"]
    if (file["bytes"], file["chunk"]) != (right.cells * group.element_size, CHUNK):
        raise RefusedError(4, "the file's sizes are not those of its cells")


def check_demands(manifest: Manifest, policy: Policy) -> None:
    synthetic, probes = manifest["synthetic"], manifest["probes"]
    if picture_threshold(manifest) < policy.minimum_threshold:
        raise RefusedError(5, "the threshold is too low")
    if synthetic["mode"] not in policy.modes or synthetic["per_million"] < policy.minimum_per_million:
        raise RefusedError(5, "there are too few synthetic vouchers")
    if probes["per_item"] > 1 and not (probes["separated"] and (policy.auditor_keys or policy.trusts_separation)):
        raise RefusedError(5, "several probes without separation, or without an auditor who says so")


def picture_threshold(manifest: Manifest) -> int:
    """The threshold in pictures: one that is listed under several types counts once for each, if hashes count."""
    sharing = manifest["sharing"]
    if sharing["count_by"] == "item":
        return int(sharing["threshold"])
    return int(sharing["threshold"]) // max(1, len(manifest["types"]))


def check_chain(manifest: Manifest, policy: Policy, seen: Seen | None, between: list[str]) -> None:
    """`between`: the envelopes of the epochs that the device has skipped, oldest first."""
    for envelope in between:
        try:
            passed, signatures = decode_envelope(envelope)
            check_signatures(passed, signatures, policy)
        except RefusedError:
            raise RefusedError(6, "a manifest between is not valid") from None
        check_link(passed, policy, seen)
        seen = Seen(passed["epoch"], passed.digest.hex())
    check_link(manifest, policy, seen)
    if seen is not None and manifest["epoch"] > seen.epoch + 1:
        raise RefusedError(6, "manifests between are missing")


def check_link(manifest: Manifest, policy: Policy, seen: Seen | None) -> None:
    if manifest["list"] != policy.list:
        raise RefusedError(6, "another list")
    if seen is None:
        return
    if manifest["epoch"] < seen.epoch:
        raise RefusedError(6, "a step back")
    if manifest["epoch"] == seen.epoch and manifest.digest.hex() != seen.digest:
        raise RefusedError(6, "a fork")
    if manifest["epoch"] == seen.epoch + 1 and manifest["previous"] != seen.digest:
        raise RefusedError(6, "not the successor of the manifest seen")
