"""Verbs for accounts and tokens: `account add`, `account list`, `account token`, `account revoke`."""

from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TypeAlias

import typer
from cryptography import x509

from tpsi import Secret
from tpsi.trust import picture_threshold
from tpsi_server.accounts import Accounts, IssuedToken, Role
from tpsi_server.cli.options import DEFAULT_DATA, AsJson, Data, Yes, confirm, folder_of, open_store, public_key_of
from tpsi_server.cli.terminal import moment, say, show, show_json, show_table
from tpsi_server.config import DataFolder
from tpsi_server.enrolment import Enrolment
from tpsi_server.errors import OperatorError
from tpsi_server.files import check_new_file, read_bounded
from tpsi_server.store import AccountRecord, Store
from tpsi_server.store.quotas import MAX_LIMIT
from tpsi_server.tables import load_manifest
from tpsi_server.tls import MAX_PEM, development_tls
from tpsi_server.tls_authority import LOCAL_NAMES

_DAY = 86_400.0
_PAGE = 500
_accounts = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Accounts and tokens: who may talk to the server."
)

Server: TypeAlias = Annotated[
    str | None,
    typer.Option("--server", metavar="HOST:PORT", help="Where devices reach the server; goes with --enrolment."),
]
EnrolmentFile: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--enrolment",
        metavar="FILE",
        help="Write all that a device needs into FILE, for its owner (`tpsi-device enrol FILE`). It holds the "
        "token: send it as you would a password.",
    ),
]
Authority: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--ca",
        metavar="FILE",
        help="The certificates (PEM) that devices are to trust, or `system` for those of their own system. By "
        "default the server's own development CA.",
    ),
]
Auditors: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--auditor",
        metavar="KEY",
        help="Suggest in the enrolment file that the device accepts only tables which this auditor has signed: 64 "
        "hexadecimal digits or a file of them. May be given several times.",
    ),
]
AuditorsNeeded: TypeAlias = Annotated[
    int | None,
    typer.Option("--auditors-needed", metavar="K", min=1, help="K of the auditors are enough; by default all."),
]
Limit: TypeAlias = Annotated[int | None, typer.Option(metavar="N", min=0, max=MAX_LIMIT, help="0 is no limit.")]
Days: TypeAlias = Annotated[
    float | None,
    typer.Option("--expires-days", metavar="N", min=0, help="The token is good for N days; by default for ever."),
]


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.add_typer(_accounts, name="account")


@_accounts.command()
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="1 to 64 printable ASCII characters.")],
    *,
    data: Data = DEFAULT_DATA,
    server: Server = None,
    enrolment: EnrolmentFile = None,
    ca: Authority = None,
    auditor: Auditors = None,
    auditors_needed: AuditorsNeeded = None,
    expires_days: Days = None,
    as_json: AsJson = False,
) -> None:
    """Add an account, with a token for a device.

    With --enrolment and --server the token goes into a file for the device's owner, otherwise it is printed. It is
    shown this once: the server keeps only its digest. All devices of one owner use one account.

    \b
    Example: tpsi-server account add alice --server localhost:50051 --enrolment alice.json
    """
    folder = folder_of(data)
    with open_store(folder) as store:
        draft = draft_enrolment(folder, store, name, server=server, file=enrolment, ca=ca)
        draft = _with_auditors(draft, auditor, auditors_needed)
        accounts = Accounts(store)
        accounts.create(name)
        issued = accounts.issue(Role.DEVICE, name, lifetime=_seconds(expires_days))
        _hand_out(accounts, issued, draft, enrolment, as_json=as_json)


@_accounts.command()
def token(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="The account, for a device's token.")] = None,
    *,
    data: Data = DEFAULT_DATA,
    role: Annotated[
        Role, typer.Option("--role", help="Operators see counts, reviewers what was revealed, auditors tables.")
    ] = Role.DEVICE,
    server: Server = None,
    enrolment: EnrolmentFile = None,
    ca: Authority = None,
    auditor: Auditors = None,
    auditors_needed: AuditorsNeeded = None,
    expires_days: Days = None,
    as_json: AsJson = False,
) -> None:
    """Issue another token.

    It is for a device of an account, or for an operator, reviewer or auditor. With --enrolment an auditor gets a
    file, too: `tpsi-audit watch FILE` reads the server's log with it.

    \b
    Example: tpsi-server account token --role auditor --server localhost:50051 --enrolment access.json
    """
    folder = folder_of(data)
    if (role is Role.DEVICE) != (name is not None):
        raise OperatorError("a device's token is for an account, NAME; one of another --role is for none")
    with open_store(folder) as store:
        draft = draft_enrolment(folder, store, name or role.value, server=server, file=enrolment, ca=ca)
        draft = _with_auditors(draft, auditor, auditors_needed)
        if draft is not None and role not in (Role.DEVICE, Role.AUDITOR):
            raise OperatorError("only devices enrol, and auditors have such a file: leave --enrolment away")
        accounts = Accounts(store)
        issued = accounts.issue(role, name, lifetime=_seconds(expires_days))
        _hand_out(accounts, issued, draft, enrolment, as_json=as_json)


@_accounts.command("list")
def list_(
    *,
    data: Data = DEFAULT_DATA,
    tokens: Annotated[bool, typer.Option("--tokens", help="List tokens, which are known by numbers.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the accounts with their counts.

    `opened` counts synthetic vouchers too: up to the threshold nobody can tell them from matches. `flags` name what
    no honest device sends.

    \b
    Example: tpsi-server account list --tokens
    """
    with open_store(folder_of(data)) as store:
        if tokens:
            _list_tokens(store, as_json=as_json)
            return
        rows = list(_all_accounts(store))
    if as_json:
        show_json([_account_dict(row) for row in rows])
        return
    columns = ["account", "#vouchers", "#opened", "#revealed", "last upload (UTC)", "revoked", "flags"]
    cells = (
        [r.name, r.vouchers, r.opened, r.revealed, moment(r.last_upload), r.revoked is not None, ", ".join(r.flags)]
        for r in rows
    )
    show_table(columns, cells)


@_accounts.command()
def revoke(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="The account.")] = None,
    *,
    data: Data = DEFAULT_DATA,
    token: Annotated[
        int | None, typer.Option("--token", metavar="N", help="Revoke this one token; see `account list --tokens`.")
    ] = None,
    yes: Yes = False,
) -> None:
    """Refuse an account or a token from now on.

    An account is refused with all of its tokens; what is here stays here.

    \b
    Example: tpsi-server account revoke alice
    """
    if (name is None) == (token is None):
        raise OperatorError("name an account, or a token with --token")
    with open_store(folder_of(data)) as store:
        accounts = Accounts(store)
        confirm(f"Revoke {f'account {name}' if name is not None else f'token {token}'}?", yes=yes)
        if name is not None:
            accounts.revoke_account(name)
        elif token is not None:
            accounts.revoke_token(token)
    show("revoked")


@_accounts.command()
def limit(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The account.")],
    *,
    data: Data = DEFAULT_DATA,
    vouchers: Limit = None,
    octets_a_day: Limit = None,
    vouchers_a_second: Limit = None,
    default: Annotated[bool, typer.Option("--default", help="Take back what was set for this account.")] = False,
    as_json: AsJson = False,
) -> None:
    """Set what one account may send, or show it.

    There are --vouchers in all, --octets-a-day, --vouchers-a-second. 0 is no limit. What is not set for an account
    is what `limits` in `server.json` says, or else a default. Whoever is too fast is slowed down; whoever has used
    up a quota is refused, and told when to try again.

    \b
    Example: tpsi-server account limit alice --vouchers 50000
    """
    given = {"vouchers": vouchers, "octets_a_day": octets_a_day, "vouchers_a_second": vouchers_a_second}
    wanted = {limit: value for limit, value in given.items() if value is not None or default}
    if default and any(value is not None for value in given.values()):
        raise OperatorError("--default takes limits back: give it alone")
    folder = folder_of(data)
    with open_store(folder) as store:
        known = store.quotas.limit(name, wanted) if wanted else store.accounts.find(name) is not None
        if not known:
            raise OperatorError(f"there is no account {name!r}: see `tpsi-server account list`")
        allowance = asdict(store.quotas.allowance(name, folder.allowance()))
    if as_json:
        show_json(allowance)
        return
    show(*(f"{limit.replace('_', ' '):<18} {value or 'no limit'}" for limit, value in allowance.items()))


def _seconds(days: float | None) -> float | None:
    return None if days is None else days * _DAY


def draft_enrolment(
    folder: DataFolder, store: Store, account: str, *, server: str | None, file: Path | None, ca: str | None
) -> Enrolment | None:
    """An enrolment but for its token, checked before anything is changed; None if none is wanted."""
    if file is None and server is None:
        return None
    if file is None or server is None:
        raise OperatorError("an enrolment file needs both: --enrolment FILE and --server HOST:PORT")
    check_new_file(file)
    epochs = store.epochs.all()
    threshold = picture_threshold(load_manifest(folder, epochs[-1].number)) if epochs else 0
    draft = Enrolment(server, None, folder.identity(), account, Secret(b""), threshold or None)
    return replace(draft, authority=_authority(folder, draft.host, ca))


def _with_auditors(draft: Enrolment | None, keys: list[str] | None, needed: int | None) -> Enrolment | None:
    """An enrolment that suggests these auditors."""
    if not keys and needed is None:
        return draft
    if draft is None:
        raise OperatorError("auditors are named in an enrolment file: add --enrolment FILE and --server HOST:PORT")
    return replace(draft, auditor_keys=tuple(map(public_key_of, keys or ())), auditors_needed=needed)


def _authority(folder: DataFolder, host: str, ca: str | None) -> str | None:
    """The certificates that devices are to trust, in PEM; None for those of their system."""
    if ca == "system":
        return None
    if ca is None:
        made = development_tls(folder.tls, (*LOCAL_NAMES, host), datetime.now(UTC)).authority
        path = made or folder.tls
    else:
        path = Path(ca)
    data = read_bounded(path, MAX_PEM)
    try:
        x509.load_pem_x509_certificates(data)
    except (ValueError, x509.InvalidVersion):
        raise OperatorError(f"{path} is not a file of certificates in PEM form") from None
    return data.decode("ascii")


def _hand_out(
    accounts: Accounts, issued: IssuedToken, draft: Enrolment | None, file: Path | None, *, as_json: bool
) -> None:
    """Give the token to whoever runs the command: in an enrolment file, or on the terminal."""
    if draft is not None and file is not None:
        try:
            replace(draft, token=issued.token).write(file)
        except OSError as error:
            accounts.revoke_token(issued.token_id)
            raise OperatorError(
                f"{file} can't be written ({error.strerror}): token {issued.token_id} is revoked, as nobody has it; "
                "`tpsi-server account token` issues another one"
            ) from None
    shown = {
        "account": issued.account,
        "role": str(issued.role),
        "token_id": issued.token_id,
        "expires": issued.expires,
        "enrolment": None if file is None else str(file),
        "token": None if file is not None else issued.token.reveal().decode("ascii"),
    }
    if as_json:
        show_json(shown)
    elif file is not None:
        show(f"token {issued.token_id} is in {file}: for the device's owner, and nobody else")
    else:
        say(f"note: token {issued.token_id}, shown this once; send it as you would a password")
        show(issued.token.reveal().decode("ascii"))


def _list_tokens(store: Store, *, as_json: bool) -> None:
    records = store.accounts.tokens()
    if as_json:
        fields = ("id", "role", "account", "created", "expires", "revoked")
        show_json([{name: getattr(record, name) for name in fields} for record in records])
        return
    columns = ["#token", "role", "account", "issued (UTC)", "expires (UTC)", "revoked (UTC)"]
    times = ((r, moment(r.created), moment(r.expires), moment(r.revoked or r.account_revoked)) for r in records)
    show_table(columns, ([r.id, r.role, r.account, *shown] for r, *shown in times))


def _all_accounts(store: Store) -> Iterator[AccountRecord]:
    last = ""
    while page := store.accounts.page(last, _PAGE):
        yield from page
        last = page[-1].name


def _account_dict(record: AccountRecord) -> dict[str, object]:
    return {
        "name": record.name,
        "created": record.created,
        "revoked": record.revoked,
        "vouchers": record.vouchers,
        "opened": record.opened,
        "revealed": record.revealed,
        "last_upload": record.last_upload,
        "flags": list(record.flags),
    }
