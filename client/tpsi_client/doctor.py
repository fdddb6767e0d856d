"""The device's doctor: looks at its folder, its table and its way to the server, and tells a person what to do."""

import asyncio
import os
import shutil
import stat
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

from cryptography import x509

from tpsi.canary import canary_picture
from tpsi.errors import TpsiError
from tpsi.pictures import HASHERS
from tpsi.pictures.selfcheck import check_hashers
from tpsi_client.endpoint import Endpoint
from tpsi_client.errors import LockedError, NotEnrolledError
from tpsi_client.home import Home, HomeLock
from tpsi_client.local import LocalDevice
from tpsi_client.service import Service
from tpsi_client.tables import TableFolder

#: Octets free below which writing will soon fail.
FULL = 64 << 20
#: A certificate that ends within this time is worth a word.
SOON = timedelta(days=30)
_RESTORE = "restore the device's whole folder from a backup"


class Level(StrEnum):
    """How it is."""

    GOOD = "good"
    NOTE = "note"  # worth knowing, or could not be looked at
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Finding:
    """`check` names what was looked at, `says` how it is, `do` what to do about it (empty if nothing)."""

    check: str
    level: Level
    says: str
    do: str = ""

    def as_json(self) -> dict[str, str]:
        """The same as plain values."""
        return {name: str(value) for name, value in asdict(self).items()}


async def examine_device(path: Path, *, online: bool = True, now: float | None = None) -> AsyncIterator[Finding]:
    """Look at a device's folder, and unless `online` is false at its server. Nothing is changed or sealed."""
    moment, home = time.time() if now is None else now, Home(path)
    try:
        home.require_enrolled()
        local = await asyncio.to_thread(LocalDevice.open, path, read_only=True)
    except NotEnrolledError as error:
        yield Finding("folder", Level.FAULT, str(error), "tpsi-device enrol FILE")
        return
    except TpsiError as error:
        yield Finding("folder", Level.FAULT, str(error), _RESTORE)
        return
    try:
        yield Finding("folder", Level.GOOD, f"{path} belongs to account {local.configuration.account!r}")
        for finding in (*_files(home), *_memory(local), *_table(local), *_clock(local, moment)):
            yield finding
        yield _own_certificate(local.configuration.endpoint, moment)
        if online:
            yield await _server(local)
    finally:
        local.close()


def _files(home: Home) -> Iterator[Finding]:
    private = [home.path, home.configuration, home.secret, home.outbox]
    blocked = [path for path in private if not os.access(path, os.R_OK | os.W_OK)]
    exposed = [p for p in private if p.exists() and p.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)]
    for path in blocked:
        yield Finding("permissions", Level.FAULT, f"this user cannot read and write {path}", "run as its owner")
    for path in exposed:
        says = f"others than its owner can reach {path}"
        yield Finding("permissions", Level.FAULT, says, f"chmod {'700' if path.is_dir() else '600'} {path}")
    if not blocked and not exposed:
        yield Finding("permissions", Level.GOOD, "only this user can reach the device's files")
    free = shutil.disk_usage(home.path).free
    text = f"{free / (1 << 30):.1f} GiB are free on its disk"
    yield Finding("disk", Level.FAULT, text, "make room") if free < FULL else Finding("disk", Level.GOOD, text)
    try:
        HomeLock(home).release()
    except LockedError as error:
        yield Finding("lock", Level.NOTE, str(error))


def _memory(local: LocalDevice) -> Iterator[Finding]:
    try:
        wrong = local.state.check()
        status = local.status()
    except TpsiError as error:
        yield Finding("outbox", Level.FAULT, str(error), _RESTORE)
        return
    if wrong:
        yield Finding("outbox", Level.FAULT, f"it is damaged: {wrong}", _RESTORE)
        return
    yield Finding("outbox", Level.GOOD, f"{status.queued} vouchers wait to be sent, {status.acknowledged} have arrived")
    if refused := sum(status.refused.values()):
        why = ", ".join(f"{reason} {count}" for reason, count in sorted(status.refused.items()))
        do = "tpsi-device upload --again sends them as they are; they are never sealed again by themselves"
        yield Finding("outbox", Level.NOTE, f"the server refused {refused} vouchers: {why}", do)
    if status.evidence:
        do = "do not upload; show them to somebody who watches this server"
        yield Finding("log", Level.FAULT, f"the server lied, as these files show: {', '.join(status.evidence)}", do)


def _table(local: LocalDevice) -> Iterator[Finding]:
    digest = local.state.chain.in_use()
    if digest is None:
        yield Finding("table", Level.FAULT, "there is no table yet: nothing can be sealed", "tpsi-device fetch")
        return
    try:
        folder = TableFolder.load(local.home, digest)
        folder.open()
    except (TpsiError, OSError) as error:
        yield Finding("table", Level.FAULT, str(error), "tpsi-device fetch")
        return
    yield Finding("table", Level.GOOD, f"epoch {folder.manifest.epoch} is here, and every chunk of it as it was signed")
    seen = local.state.chain.newest()
    if seen is not None and seen.epoch > folder.manifest.epoch:
        says = f"epoch {seen.epoch} was seen, but its table is not here yet"
        yield Finding("table", Level.NOTE, says, "tpsi-device fetch")
    usable = tuple(label for label in folder.manifest.types if label in HASHERS)
    canary = folder.manifest.canary
    expected = {item.type: item.digest.hex() for item in canary.hashes} if canary is not None else {}
    wrong = check_hashers(tuple(label for label in usable if label in expected), canary_picture(), expected)
    if not usable:
        yield Finding("hashing", Level.FAULT, "this program computes none of the list's hash types", "update tpsi")
    elif wrong:
        yield Finding("hashing", Level.FAULT, f"of the canary picture, {'; '.join(map(str, wrong))}", "update tpsi")
    else:
        yield Finding("hashing", Level.GOOD, f"hash types in common with the list: {', '.join(usable)}")


def _clock(local: LocalDevice, now: float) -> Iterator[Finding]:
    digest = local.state.chain.in_use()
    if digest is None:
        return
    try:
        created = TableFolder.load(local.home, digest).manifest.created
    except TpsiError:
        return  # said already
    if now < created - 60:
        says = (
            f"this device's clock says {datetime.fromtimestamp(now, UTC):%Y-%m-%d %H:%M} UTC, before its table was made"
        )
        yield Finding("clock", Level.FAULT, says, "set the clock")
    else:
        yield Finding("clock", Level.GOOD, "it is later than the table")


def _own_certificate(endpoint: Endpoint, now: float) -> Finding:
    if endpoint.certificate is None:
        return Finding("credentials", Level.GOOD, "the device has an access token")
    certificate = x509.load_pem_x509_certificates(endpoint.certificate.chain.encode("ascii"))[0]
    end, moment = certificate.not_valid_after_utc, datetime.fromtimestamp(now, UTC)
    do = "ask the operator for a new enrolment file, then run: tpsi-device enrol FILE"
    if end < moment:
        return Finding("credentials", Level.FAULT, f"the device's certificate expired on {end:%Y-%m-%d}", do)
    if end - moment < SOON:
        return Finding("credentials", Level.NOTE, f"the device's certificate ends on {end:%Y-%m-%d}", do)
    return Finding("credentials", Level.GOOD, f"the device's certificate is good until {end:%Y-%m-%d}")


async def _server(local: LocalDevice) -> Finding:
    configuration = local.configuration
    where = configuration.endpoint.address
    try:
        async with Service(configuration.endpoint) as service:
            answer = await service.who_am_i()
    except TpsiError as error:
        return Finding("server", Level.FAULT, str(error), "the line before says what to do")
    if (answer.account, answer.list_name) != (configuration.account, configuration.list_name):
        says = f"{where} takes this device for account {answer.account!r} on {answer.list_name!r}"
        return Finding("server", Level.FAULT, says, "ask the operator for a new enrolment file")
    return Finding("server", Level.GOOD, f"{where} answers, is the one that was pinned, and knows this device")
