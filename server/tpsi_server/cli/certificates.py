"""Verbs for client certificates: `certificate add`, `certificate list`, `certificate revoke`."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from tpsi_server.accounts import Role
from tpsi_server.certificates import Certificates, IssuedCertificate
from tpsi_server.cli.accounts import Authority, EnrolmentFile, Server, draft_enrolment
from tpsi_server.cli.options import DEFAULT_DATA, AsJson, Data, Yes, confirm, folder_of, open_store
from tpsi_server.cli.terminal import moment, show, show_json, show_table
from tpsi_server.config import DataFolder
from tpsi_server.enrolment import Enrolment
from tpsi_server.errors import OperatorError
from tpsi_server.files import check_new_file, write_atomically
from tpsi_server.store import CertificateRecord, Store
from tpsi_server.tls import CA_CERTIFICATE, development_authority, load_certificate

_DAY = 86_400.0
_certificates = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Client certificates. Whoever shows one can talk to the server on the port of `serve --certificate-port`.",
)


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.add_typer(_certificates, name="certificate")


@_certificates.command()
def add(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="The account, for a device.")] = None,
    *,
    data: Data = DEFAULT_DATA,
    role: Annotated[
        Role, typer.Option("--role", help="Operators see counts, reviewers what was revealed, auditors tables.")
    ] = Role.DEVICE,
    certificate: Annotated[
        Path | None,
        typer.Option("--certificate", metavar="FILE", help="Register this certificate (PEM) instead of issuing one."),
    ] = None,
    to: Annotated[
        Path | None,
        typer.Option("--to", metavar="FILE", help="Write the new certificate and its private key into FILE (PEM)."),
    ] = None,
    server: Server = None,
    enrolment: EnrolmentFile = None,
    ca: Authority = None,
    expires_days: Annotated[
        float | None,
        typer.Option("--expires-days", metavar="N", min=0, help="The new certificate is good for N days, not 730."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Let a client in that shows a certificate.

    It is a new one of the development CA, or one that is registered as it is. A new one goes, with its private key,
    into an enrolment file (--enrolment and --server, with the port for certificates) or into --to FILE. Here only
    its fingerprint stays.

    \b
    Example: tpsi-server certificate add alice --server localhost:50052 --enrolment alice.json
    """
    folder = folder_of(data)
    if (role is Role.DEVICE) != (name is not None):
        raise OperatorError("a device's certificate is for an account, NAME; one of another --role is for none")
    with open_store(folder) as store:
        if certificate is not None:
            if to is not None or enrolment is not None or expires_days is not None:
                raise OperatorError("a certificate that is registered as it is needs no other option")
            _show_registered(_register(folder, store, certificate, role, name), as_json=as_json)
            return
        if (to is None) == (enrolment is None):
            raise OperatorError(
                "say where the private key goes: --to FILE, or --enrolment FILE with --server HOST:PORT"
            )
        if to is not None:
            check_new_file(to)
        draft = draft_enrolment(folder, store, name or "-", server=server, file=enrolment, ca=ca)
        if draft is not None and role is not Role.DEVICE:
            raise OperatorError("only devices enrol: use --to in place of --enrolment")
        authority = development_authority(folder.tls, datetime.now(UTC))
        lifetime = None if expires_days is None else expires_days * _DAY
        issued = Certificates(store).issue(authority, role, name, lifetime=lifetime)
        _hand_out(issued, draft, enrolment, to)
        _show_issued(issued, enrolment or to, as_json=as_json)


@_certificates.command("list")
def list_(*, data: Data = DEFAULT_DATA, as_json: AsJson = False) -> None:
    """List the certificates, which are known by numbers.

    \b
    Example: tpsi-server certificate list
    """
    with open_store(folder_of(data)) as store:
        records = store.certificates.all()
    if as_json:
        show_json([_as_dict(record) for record in records])
        return
    columns = ["#certificate", "role", "account", "registered (UTC)", "expires (UTC)", "revoked (UTC)", "SHA-256"]
    show_table(
        columns,
        (
            [
                r.id,
                r.role,
                r.account,
                moment(r.created),
                moment(r.expires),
                moment(r.revoked or r.account_revoked),
                r.fingerprint.hex()[:16] + "…",
            ]
            for r in records
        ),
    )


@_certificates.command()
def revoke(
    number: Annotated[int, typer.Argument(metavar="N", help="See `certificate list`.")],
    *,
    data: Data = DEFAULT_DATA,
    yes: Yes = False,
) -> None:
    """Refuse one certificate from now on.

    Calls that it has under way in a running server end within a second or so.

    \b
    Example: tpsi-server certificate revoke 2
    """
    with open_store(folder_of(data)) as store:
        confirm(f"Revoke certificate {number}?", yes=yes)
        Certificates(store).revoke(number)
    show("revoked")


def _register(folder: DataFolder, store: Store, path: Path, role: Role, name: str | None) -> CertificateRecord:
    known = (folder.tls / CA_CERTIFICATE).exists()
    authority = development_authority(folder.tls, datetime.now(UTC)) if known else None
    number = Certificates(store).register(load_certificate(path), role, name, authority)
    return next(record for record in store.certificates.all() if record.id == number)


def _hand_out(issued: IssuedCertificate, draft: Enrolment | None, file: Path | None, to: Path | None) -> None:
    if draft is not None and file is not None:
        replace(draft, token=None, certificate=issued.certificate, private_key=issued.key).write(file)
    if to is not None:
        write_atomically(to, issued.certificate.encode("ascii") + issued.key.reveal(), replace=False)


def _show_issued(issued: IssuedCertificate, file: Path | None, *, as_json: bool) -> None:
    if as_json:
        fields = {"certificate_id": issued.certificate_id, "role": str(issued.role), "account": issued.account}
        show_json({**fields, "expires": issued.expires, "file": str(file)})
        return
    show(f"certificate {issued.certificate_id} and its private key are in {file}: for its owner, and nobody else")


def _show_registered(record: CertificateRecord, *, as_json: bool) -> None:
    if as_json:
        show_json(_as_dict(record))
        return
    show(f"certificate {record.id} is registered, good until {moment(record.expires)} UTC")


def _as_dict(record: CertificateRecord) -> dict[str, object]:
    fields = ("id", "role", "account", "created", "expires", "revoked")
    return {**{name: getattr(record, name) for name in fields}, "fingerprint": record.fingerprint.hex()}
