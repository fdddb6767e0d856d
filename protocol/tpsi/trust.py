"""What a device checks before it uses a table, as far as the manifest tells (specification, section 5)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tpsi.errors import CallerError, VerificationError
from tpsi.groups import SUITES, Group
from tpsi.manifest import LIST_ID_SIZE, Manifest
from tpsi.merkle import DIGEST_SIZE
from tpsi.parameters import CountBy, SyntheticMode
from tpsi.signing import MAX_SIGNATURES, PUBLIC_KEY_SIZE, SignedManifest


@dataclass(frozen=True, slots=True)
class Pins:
    """What a device fixed at enrolment and does not let a server change.

    `lowest_threshold` counts pictures: a manifest under which as few could be enough is refused (`picture_threshold`).
    `least_synthetic`: in a million, likewise. `modes`: the modes of synthetic vouchers that are accepted; `add` and
    `none` cover less or nothing (specification, section 10.5), so they are a choice. `auditor_keys`: of these auditors
    at least `auditors_needed` must have signed, all of them if it is None. `trusts_separation`: believe a server's own
    statement that its list is separated.
    """

    list_id: bytes
    server_key: bytes
    lowest_threshold: int
    least_synthetic: int = 0
    modes: tuple[SyntheticMode, ...] = (SyntheticMode.REPLACE,)
    auditor_keys: tuple[bytes, ...] = ()
    auditors_needed: int | None = None
    trusts_separation: bool = False
    suites: tuple[str, ...] = SUITES

    def __post_init__(self) -> None:
        if len(self.list_id) != LIST_ID_SIZE or len(self.server_key) != PUBLIC_KEY_SIZE:
            raise CallerError("a list id has 16 octets, a server key 32")
        if self.lowest_threshold < 1:
            raise CallerError("the lowest threshold that a device accepts is 1")
        check_auditors(self.auditor_keys, self.auditors_needed)

    @property
    def auditor_quorum(self) -> int:
        """How many of the auditors must have signed."""
        return len(self.auditor_keys) if self.auditors_needed is None else self.auditors_needed


def check_auditors(keys: Sequence[bytes], needed: int | None) -> None:
    """CallerError unless these are different keys of auditors, and `needed` a number of them, from 1 on.

    A key that counted twice would let one auditor pass for two.
    """
    if any(len(key) != PUBLIC_KEY_SIZE for key in keys) or len(keys) >= MAX_SIGNATURES:
        raise CallerError(f"at most {MAX_SIGNATURES - 1} auditors, each with a key of 32 octets, can be demanded")
    if len(set(keys)) != len(keys):
        raise CallerError("an auditor's key is named twice: one auditor would count for two")
    if needed is not None and not min(1, len(keys)) <= needed <= len(keys):
        raise CallerError(f"of {len(keys)} auditors {needed} cannot be demanded: 1 to all of them can")


@dataclass(frozen=True, slots=True)
class Seen:
    """The newest manifest that a device has accepted."""

    epoch: int
    digest: bytes

    def __post_init__(self) -> None:
        if self.epoch < 1 or len(self.digest) != DIGEST_SIZE:
            raise CallerError("a seen manifest has an epoch from 1 and a digest of 32 octets")


def accept(envelope: SignedManifest, pins: Pins, seen: Seen | None) -> Manifest:
    """The manifest, if a device with these pins may use it next; else VerificationError saying why not.

    The numbers are those of section 5. The envelope's decoder has done checks 1 and 4.
    """
    manifest = envelope.verify(pins.server_key, pins.auditor_keys, pins.auditors_needed)  # 2
    check_key(manifest, pins)  # 3
    check_parameters(manifest, pins)  # 5
    check_chain(manifest, pins, seen)  # 6
    return manifest


def check_key(manifest: Manifest, pins: Pins) -> None:
    """Check 3. An invalid L would make every slot unopenable; the identity would take γ out of S."""
    if manifest.suite not in pins.suites:
        raise VerificationError(f"this device does not accept the ciphersuite {manifest.suite}")
    chosen: Group = manifest.group
    if not chosen.valid(np.frombuffer(manifest.key, np.uint8).reshape(1, -1))[0]:
        raise VerificationError("the table's public key is not a valid group element")


def check_parameters(manifest: Manifest, pins: Pins) -> None:
    """Check 5. A lower threshold, less cover, or neighbouring hashes on the list would each reveal more."""
    if (threshold := picture_threshold(manifest)) < pins.lowest_threshold:
        raise VerificationError(
            f"under this list {threshold + 1} matching pictures can be enough for a reveal "
            f"(threshold {manifest.sharing.threshold}, hash types {', '.join(manifest.types) or 'none'}); "
            f"this device accepts lists that need more than {pins.lowest_threshold}"
        )
    if manifest.synthetic.per_million < pins.least_synthetic:
        raise VerificationError(
            f"the list asks for {manifest.synthetic.per_million} synthetic vouchers in a million, "
            f"this device demands {pins.least_synthetic} or more"
        )
    if manifest.synthetic.mode not in pins.modes:
        raise VerificationError(
            f"the list's mode of synthetic vouchers is {manifest.synthetic.mode.value!r}, "
            f"this device accepts {' or '.join(mode.value for mode in pins.modes)}"
        )
    if manifest.probes.per_item == 1:
        return
    if not manifest.probes.separated:
        raise VerificationError("the list asks for several probes an item but does not state that it is separated")
    if not pins.auditor_keys and not pins.trusts_separation:
        raise VerificationError(
            "the list asks for several probes an item, and nobody but its server says that it is separated: "
            "demand an auditor's signature, or choose to trust the server in this"
        )


def picture_threshold(manifest: Manifest) -> int:
    """The most matching pictures that certainly reveal nothing.

    If hashes are counted, a picture counts once for every hash type under which it is listed; so t shares may stand for
    as few as ⌊t / types⌋ pictures.
    """
    if manifest.sharing.count_by is CountBy.ITEM:
        return manifest.sharing.threshold
    return manifest.sharing.threshold // len(manifest.types)


def check_chain(manifest: Manifest, pins: Pins, seen: Seen | None) -> None:
    """Check 6: another list, a fork, a step back, or a gap that the caller has to fill first."""
    if manifest.list_id != pins.list_id:
        raise VerificationError("this is the manifest of another list than the one this device enrolled for")
    if seen is None:
        return
    if manifest.epoch < seen.epoch:
        raise VerificationError(
            f"the server steps back to epoch {manifest.epoch}; this device has already seen epoch {seen.epoch}"
        )
    if manifest.epoch == seen.epoch and manifest.digest != seen.digest:
        raise VerificationError(f"the server shows two different manifests for epoch {seen.epoch}: a fork")
    if manifest.epoch == seen.epoch + 1 and manifest.previous != seen.digest:
        raise VerificationError(f"epoch {manifest.epoch} does not follow the epoch {seen.epoch} seen here: a fork")
    if manifest.epoch > seen.epoch + 1:
        raise VerificationError(
            f"epochs {seen.epoch + 1} to {manifest.epoch - 1} are missing between the manifest seen and this one"
        )
