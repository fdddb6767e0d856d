"""Enrolling: from an enrolment file to a device that trusts one list and belongs to one account."""

from dataclasses import dataclass, replace

from tpsi import Manifest, Pins, SyntheticMode, picture_threshold
from tpsi.log import SignedCheckpoint
from tpsi.signing import SignedManifest
from tpsi_client.account_secret import AccountSecret
from tpsi_client.configuration import DEFAULT_SIZE_CLASS, Configuration
from tpsi_client.enrolment import Enrolment
from tpsi_client.errors import EnrolmentError
from tpsi_client.fetching import Arrival, newest
from tpsi_client.home import Home
from tpsi_client.local import check_list
from tpsi_client.log import follow
from tpsi_client.selfcheck import SelfCheck, self_check
from tpsi_client.service import Service
from tpsi_client.state import State
from tpsi_client.tables import TableFolder


@dataclass(frozen=True, slots=True)
class Choices:
    """What the owner of a device decides at enrolment.

    `lowest_threshold`, in pictures: None for the operator's suggestion, or else for what the list has now;
    `least_synthetic`, in a million: None for what the list has now; `modes` of synthetic vouchers that are accepted,
    of which `add` and `none` hide less; `size_class` of all vouchers (specification, section 7.2);
    `trusts_separation`: see Pins; `auditor_keys`: None for the operator's suggestion; `auditors_needed`: how many of
    them must have signed, None for all.
    """

    lowest_threshold: int | None = None
    least_synthetic: int | None = None
    modes: tuple[SyntheticMode, ...] = (SyntheticMode.REPLACE,)
    size_class: int = DEFAULT_SIZE_CLASS
    trusts_separation: bool = False
    auditor_keys: tuple[bytes, ...] | None = None
    auditors_needed: int | None = None


@dataclass(frozen=True, slots=True)
class Enrolled:
    """The outcome: the list's manifest, the self-check, and whether only the connection of a device was renewed."""

    manifest: Manifest
    check: SelfCheck
    renewed: bool


async def enrol(service: Service, home: Home, enrolment: Enrolment, choices: Choices) -> Enrolled:
    """Check server, token, manifest and hashing, in this order; then, and only then, write the device's files.

    The caller holds the folder's lock. A device that is enrolled already for the same account and list gets
    the new address, authority and token, and keeps all else. Raises EnrolmentError, and what the checks raise.
    """
    await check_account(service, enrolment)
    existing = Configuration.load(home) if home.enrolled else None
    if existing is not None:
        return await _renew(service, home, existing, enrolment, choices)
    first = SignedManifest.decode(await service.signed_manifest()).verify(enrolment.server_key)
    pins = _pins(enrolment, choices, first)
    arrival = await newest(service, pins, None)
    checkpoint = await follow(service, pins, None, arrival.manifest)
    check = await self_check(service, arrival.manifest)
    # One that an interrupted enrolment left is as good as a new one, and its outbox knows it.
    secret = AccountSecret.load(home) if home.secret.exists() else AccountSecret.draw(enrolment.list_id)
    configuration = Configuration(enrolment.endpoint, enrolment.list_name, enrolment.account, pins, choices.size_class)
    check_list(secret, configuration)
    _store(home, configuration, secret, arrival, checkpoint)
    return Enrolled(arrival.manifest, check, renewed=False)


async def check_account(service: Service, enrolment: Enrolment) -> None:
    """Raise EnrolmentError unless the token stands for the account and list in the enrolment file."""
    answer = await service.who_am_i()
    for what, expected, found in (
        ("account", enrolment.account, answer.account),
        ("list", enrolment.list_name, answer.list_name),
    ):
        if expected != found:
            raise EnrolmentError(
                f"the enrolment file is for {what} {expected!r}, its token for {what} {found!r}; "
                "ask the operator for a new enrolment file"
            )


async def _renew(
    service: Service, home: Home, existing: Configuration, enrolment: Enrolment, choices: Choices
) -> Enrolled:
    same = replace(existing, endpoint=enrolment.endpoint)
    identity = f"{enrolment.list_id.hex()} {enrolment.server_key.hex()} {enrolment.account}"
    if existing.identity != identity:
        raise EnrolmentError(
            f"{home.path} belongs to account {existing.account!r} on the list {existing.list_name!r}; "
            "enrol this one with another --home"
        )
    if choices != Choices(size_class=existing.size_class) and choices != Choices():
        raise EnrolmentError(
            "this device is enrolled already, and its pins and size class stay; leave those options out to renew its "
            "connection. Pins are changed with: tpsi-device pin"
        )
    secret = AccountSecret.load(home)
    state = State.open(home.outbox, existing.identity, secret.check)
    try:
        arrival = await newest(service, existing.pins, state.chain.newest())
    finally:
        state.close()
    check = await self_check(service, arrival.manifest)
    same.save(home)
    return Enrolled(arrival.manifest, check, renewed=True)


def _pins(enrolment: Enrolment, choices: Choices, manifest: Manifest) -> Pins:
    """What is not decided is pinned as the list has it now, so that it can't get worse later."""
    lowest = choices.lowest_threshold
    if lowest is None:
        lowest = enrolment.lowest_threshold
    if lowest is None:
        lowest = max(1, picture_threshold(manifest))
    least = choices.least_synthetic
    if least is None:
        least = manifest.synthetic.per_million
    if manifest.synthetic.mode not in choices.modes:
        raise EnrolmentError(
            f"this list's mode of synthetic vouchers is {manifest.synthetic.mode.value!r}, which hides less than "
            f"'replace'; if you accept that, enrol with --modes {manifest.synthetic.mode.value}"
        )
    keys, needed = _auditors(enrolment, choices)
    if manifest.probes.per_item > 1 and not keys and not choices.trusts_separation:
        raise EnrolmentError(
            f"this list has devices look for {manifest.probes.per_item} variants of a picture, and only its server "
            "says that no two hashes on it are so near that one picture could match both; if you trust the server "
            "in this, enrol with --trust-separation; or demand an auditor's signature with --auditor"
        )
    return Pins(
        enrolment.list_id,
        enrolment.server_key,
        lowest,
        least,
        modes=choices.modes,
        auditor_keys=keys,
        auditors_needed=needed,
        trusts_separation=choices.trusts_separation,
    )


def _auditors(enrolment: Enrolment, choices: Choices) -> tuple[tuple[bytes, ...], int | None]:
    """The auditors to pin, and how many of them are needed: the owner's choice, or the operator's suggestion."""
    keys = enrolment.auditor_keys if choices.auditor_keys is None else choices.auditor_keys
    suggested = enrolment.auditors_needed if choices.auditor_keys is None else None
    return keys, suggested if choices.auditors_needed is None else choices.auditors_needed


def _store(
    home: Home, configuration: Configuration, secret: AccountSecret, arrival: Arrival, checkpoint: SignedCheckpoint
) -> None:
    """Write the files, the one that makes the folder a device last."""
    secret.save(home)
    TableFolder.of(home, arrival.manifest).save_manifest(arrival.envelope)
    state = State.create(home.outbox, configuration.identity, secret.check)
    try:
        state.chain.follow(arrival.links)
        state.keep_checkpoint(checkpoint)
    finally:
        state.close()
    configuration.save(home)
