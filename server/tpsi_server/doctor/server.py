"""The server's doctor: everything that can be looked at without changing anything."""

import socket
import time
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

from cryptography import x509

from tpsi import Secret
from tpsi.errors import TpsiError
from tpsi_server.config import DataFolder, TlsOptions
from tpsi_server.doctor import files
from tpsi_server.doctor.finding import Finding, fault, good, note
from tpsi_server.inspection import inspect_epoch, verify_epoch
from tpsi_server.keys import KeyRing
from tpsi_server.store import Store
from tpsi_server.tls import CA_CERTIFICATE, SERVER_CERTIFICATE, load_certificate, operator_tls

#: A certificate that ends within this time is worth a word.
SOON = timedelta(days=30)
#: The program was written after this; a clock before it is wrong.
NOT_BEFORE = datetime(2025, 1, 1, tzinfo=UTC).timestamp()
#: Seconds for which a voucher waits if matching goes on, and if a timer starts it once a day.
LONG, TOO_LONG = 3600.0, 26 * 3600.0
_RESTORE = "restore the data folder from a backup (docs/operating.md)"


def examine_server(
    folder: DataFolder,
    passphrase: Secret | None = None,
    *,
    tls: TlsOptions | None = None,
    host: str = "127.0.0.1",
    port: int | None = None,
    now: float | None = None,
) -> Iterator[Finding]:
    """Look at a server's data folder, keys, database, tables, certificate, disk, clock and port.

    `passphrase` None leaves the key files closed; `port` None is not looked at. Nothing is changed, and a server may
    run meanwhile.
    """
    moment = time.time() if now is None else now
    try:
        identity = folder.identity()
        folder.allowance()
    except (TpsiError, OSError) as error:
        yield fault("data folder", str(error), "name another folder with --data, or " + _RESTORE)
        return
    yield good("data folder", f"{folder.path} is that of the list {identity.name!r}")
    yield from files.permissions(folder)
    yield from files.leftovers(folder)
    keys = None if passphrase is None else KeyRing(folder.keys, passphrase)
    yield from _signing_key(folder, keys)
    with ExitStack() as stack:
        store = yield from _database(folder, stack)
        if store is not None:
            yield from _epochs(folder, store, keys)
            yield from _vouchers(store, moment)
            yield from _tokens(store, moment)
            yield from _clock(store, moment)
            yield from files.space(folder, folder.location)
    yield from _certificate(folder, tls or TlsOptions(), moment)
    if port is not None:
        yield from _port(host, port)


def _signing_key(folder: DataFolder, keys: KeyRing | None) -> Iterator[Finding]:
    path = (keys or KeyRing(folder.keys, Secret(b"-"))).signing_key_path
    if not path.exists():
        yield fault(
            "keys", f"the signing key {path} is missing", "name its folder with --keys, or restore it from a backup"
        )
    elif keys is None:
        yield note(
            "passphrase", "key files were not opened", "give the passphrase: TPSI_PASSPHRASE or --passphrase-file"
        )
    else:
        try:
            public = keys.signing_key().public_key().public_bytes_raw()
        except (TpsiError, OSError) as error:
            yield fault(
                "passphrase", str(error), "use the passphrase of this folder, or restore the file from a backup"
            )
            return
        if public == folder.identity().server_key:
            yield good("passphrase", "it opens the signing key, which is the one that devices have pinned")
        else:
            yield fault("keys", f"{path} is not the key that devices have pinned", "restore the one of this server")


def _database(folder: DataFolder, stack: ExitStack) -> Generator[Finding, None, Store | None]:
    try:
        store = stack.enter_context(Store.open(folder.location))
        wrong = store.check()
    except (TpsiError, OSError) as error:
        yield fault("database", str(error), "see whether the database is there, runs and has room; or " + _RESTORE)
        return None
    if wrong:
        for text in wrong:
            yield fault("database", text, "stop the server, copy the database away, and " + _RESTORE)
    else:
        yield good("database", "it can be used, its schema is the one that is needed, and it is sound")
    return store


def _epochs(folder: DataFolder, store: Store, keys: KeyRing | None) -> Iterator[Finding]:
    records = store.epochs.all()
    if not any(record.retired is None for record in records):
        yield fault("tables", "no table is in force: devices have nothing to use", "tpsi-server build")
    for record in records:
        check = f"epoch {record.number}"
        try:
            inspection = inspect_epoch(folder, store, record.number)
            opened = None if record.retired is not None else keys
            found = verify_epoch(inspection, store, opened, lambda _stage, _done, _total: None)
        except (TpsiError, OSError) as error:
            if record.retired is None:
                yield fault(check, str(error), "restore its table and key from a backup, or build another epoch")
            else:
                yield note(check, f"it is retired, and {error}", "devices that follow the chain need its manifest")
        else:
            yield good(check, "; ".join(found))


def _vouchers(store: Store, now: float) -> Iterator[Finding]:
    waiting, oldest = store.vouchers.count_waiting(), store.vouchers.oldest_waiting()
    if oldest is not None and now - oldest > LONG:
        hours = (now - oldest) / 3600
        says = f"{waiting} vouchers wait to be matched, the oldest for {hours:.0f} hours"
        kind = fault if now - oldest > TOO_LONG else note
        yield kind("matching", says, "run `tpsi-server serve` or `tpsi-server match`, and look at what it logs")
    else:
        yield good("matching", f"{waiting} vouchers wait to be matched" if waiting else "nothing waits to be matched")
    if failed := store.vouchers.count_failed():
        yield note(
            "matching", f"{failed} vouchers were set aside, as they could not be matched", "see the server's log"
        )


def _tokens(store: Store, now: float) -> Iterator[Finding]:
    tokens = store.accounts.tokens()
    usable = [t for t in tokens if t.revoked is None and t.account_revoked is None and (t.expires or now + 1) > now]
    certificates = [c for c in store.certificates.all() if c.revoked is None and c.account_revoked is None]
    valid = [c for c in certificates if c.expires > now]
    ending = [c.id for c in valid if c.expires < now + SOON.total_seconds()]
    if not usable and not valid:
        yield note(
            "accounts", "nobody can log in: there is no token or certificate in force", "tpsi-server account add NAME"
        )
    else:
        yield good("accounts", f"{len(usable)} tokens and {len(valid)} client certificates are in force")
    if ending:
        shown = ", ".join(map(str, ending[:5]))
        yield note("accounts", f"client certificates end within a month: {shown}", "tpsi-server certificate add NAME")


def _clock(store: Store, now: float) -> Iterator[Finding]:
    latest = max((record.created for record in store.epochs.all()), default=0.0)
    if now < NOT_BEFORE or now < latest - 60:
        says = f"this machine's clock says {datetime.fromtimestamp(now, UTC):%Y-%m-%d %H:%M} UTC"
        yield fault("clock", f"{says}, which is before the newest epoch was built", "set the clock; use NTP")
    else:
        yield good("clock", "it is later than everything that was written here")


def _certificate(folder: DataFolder, options: TlsOptions, now: float) -> Iterator[Finding]:
    moment = datetime.fromtimestamp(now, UTC)
    try:
        if options.certificate is not None and options.private_key is not None:
            operator_tls(options.certificate, options.private_key, moment)
            path, renew = options.certificate, "renew it, and put it where it was: a running server takes it up"
        else:
            path, renew = folder.tls / SERVER_CERTIFICATE, "start the server, or send it SIGHUP: it makes another one"
            if not path.exists():
                yield note("certificate", "there is none yet", "the server makes one when it starts")
                return
            _check_authority(load_certificate(folder.tls / CA_CERTIFICATE), moment)
        certificate = load_certificate(path)
    except TpsiError as error:
        yield fault("certificate", str(error), "see docs/operating.md, 'Certificates'")
        return
    end = certificate.not_valid_after_utc
    if end < moment or certificate.not_valid_before_utc > moment:
        yield fault("certificate", f"{path} is not valid now (until {end:%Y-%m-%d})", renew)
    elif end - moment < SOON:
        yield note("certificate", f"{path} ends on {end:%Y-%m-%d}", renew)
    else:
        yield good("certificate", f"{path} is good until {end:%Y-%m-%d}")


def _check_authority(authority: x509.Certificate, now: datetime) -> None:
    if authority.not_valid_after_utc < now:
        raise TpsiError("the development CA has expired: devices need another one, in new enrolment files")


def _port(host: str, port: int) -> Iterator[Finding]:
    from tpsi_server.service.server import check_free

    if _answers(host, port):
        yield note("port", f"something listens on port {port} of {host}: a running server, one hopes")
        return
    try:
        check_free(host, port)
    except TpsiError as error:
        yield fault("port", str(error), "choose another --host or --port")
    else:
        yield good("port", f"port {port} of {host} is free")


def _answers(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), 2.0):
            return True
    except OSError:
        return False
