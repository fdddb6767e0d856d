"""Verbs for reveals: `reveal show`, `reveal export`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer

from tpsi import DecodeError, Photograph
from tpsi_server.cli.options import (
    DEFAULT_DATA,
    AsJson,
    Data,
    Keys,
    PassphraseFile,
    data_keys_of,
    folder_of,
    open_store,
)
from tpsi_server.cli.terminal import moment, say, show, show_json, show_table
from tpsi_server.errors import OperatorError
from tpsi_server.export import export_reveal
from tpsi_server.store import Counts, Reveal, Store

_reveals = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="What was revealed of accounts over the threshold."
)

HeldBack: TypeAlias = Annotated[
    bool,
    typer.Option("--held-back", help="Also what the second hash of listed pictures holds back, and what waits for it."),
]
_NAME = typer.Argument(metavar="ACCOUNT", help="The account; see `tpsi-server account list`.")


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.add_typer(_reveals, name="reveal")


@_reveals.command("show")
def show_(
    account: Annotated[str, _NAME],
    *,
    data: Data = DEFAULT_DATA,
    keys: Keys = None,
    passphrase_file: PassphraseFile = None,
    held_back: HeldBack = False,
    as_json: AsJson = False,
) -> None:
    """List what was revealed of an account.

    Shown are vouchers, times and sizes, no pictures. Nothing is listed of an account that is at or below the
    threshold: there is nothing that could be.

    \b
    Example: tpsi-server reveal show alice
    """
    folder = folder_of(data, keys)
    with open_store(folder, data_keys_of(folder, passphrase_file)) as store:
        _check(store, account)
        rows = [_row(reveal) for reveal in _reveals_of(store, account, held_back=held_back)]
        counts = store.reveals.counts(account)
    _tell(counts, held_back=held_back)
    if as_json:
        show_json(rows)
        return
    if not rows:
        show(f"nothing was revealed of account {account}")
        return
    columns = ["voucher", "received (UTC)", "revealed (UTC)", "#epoch", "content", "#octets", "second hash", "#bits"]
    shown = ([r["voucher"], moment(r["received"]), moment(r["revealed"]), *list(r.values())[3:]] for r in rows)
    show_table(columns, shown)


@_reveals.command()
def export(
    account: Annotated[str, _NAME],
    *,
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="A new folder for the files and their index.json.")],
    originals: Annotated[
        Path | None,
        typer.Option(
            "--originals",
            metavar="DIR",
            help="The encrypted originals that the operator stores, named VOUCHER.sealed: those revealed are opened.",
        ),
    ] = None,
    held_back: HeldBack = False,
    data: Data = DEFAULT_DATA,
    keys: Keys = None,
    passphrase_file: PassphraseFile = None,
    as_json: AsJson = False,
) -> None:
    """Write what was revealed of an account into files.

    They are for a reviewer. The pictures come from the account's device: open them with care, as anything that a
    stranger sends.

    \b
    Example: tpsi-server reveal export alice --to review
    """
    folder = folder_of(data, keys)
    with open_store(folder, data_keys_of(folder, passphrase_file)) as store:
        _check(store, account)
        counts = store.reveals.counts(account)
        _tell(counts, held_back=held_back)
        if not held_back and not counts.given and counts.held_back + counts.waiting:
            raise OperatorError("all that was revealed is held back or not compared yet: there is nothing to export")
        done = export_reveal(account, _reveals_of(store, account, held_back=held_back), to, originals)
    if as_json:
        show_json(
            {
                "to": str(to),
                "items": done.items,
                "derivatives": done.derivatives,
                "originals": done.originals,
                "problems": list(done.problems),
            }
        )
        return
    show(f"wrote {done.items} reveals to {to}: {done.derivatives} derivatives, {done.originals} originals")
    for problem in done.problems:
        say(f"note: {problem}")


def _check(store: Store, account: str) -> None:
    if store.accounts.find(account) is None:
        raise OperatorError(f"there is no account {account!r}: see `tpsi-server account list`")


def _row(reveal: Reveal) -> dict[str, Any]:
    try:
        octets = len(Photograph.decode(reveal.associated).derivative)
        content = "photograph" if octets else "photograph without derivative"
    except DecodeError:
        octets, content = len(reveal.associated), "data"
    return {
        "voucher": reveal.voucher_id.hex(),
        "received": reveal.received,
        "revealed": reveal.revealed,
        "epoch": reveal.epoch,
        "content": content,
        "octets": octets,
        "second_hash": reveal.check.value,
        "distance": reveal.distance,
    }


def _reveals_of(store: Store, account: str, *, held_back: bool) -> Iterator[Reveal]:
    return store.reveals.all_of_account(account) if held_back else store.reveals.of_account(account)


def _tell(counts: Counts, *, held_back: bool) -> None:
    """Say plainly what a reviewer is not shown, and why."""
    if held_back:
        return
    if counts.held_back:
        say(
            f"note: {counts.held_back} of what was revealed match no listed picture in their second hash and are held "
            "back (--held-back shows them)"
        )
    if counts.waiting:
        say(
            f"note: {counts.waiting} were not compared with listed pictures yet: a running server does it, or "
            "`tpsi-server match`"
        )
