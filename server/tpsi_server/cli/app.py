"""The verbs of `tpsi-server`, put together."""

from importlib.metadata import version
from typing import Annotated

import typer

from tpsi_server.cli import (
    accounts,
    audit,
    certificates,
    database,
    doctor,
    epochs,
    hashing,
    keys,
    lists,
    log,
    retention,
    reveals,
    serve,
    setup,
    vouchers,
)

app = typer.Typer(
    name="tpsi-server",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="""Match vouchers of devices against a list of hashes, and see nothing of an account below the threshold.

    \b
    A first session:
      tpsi-server init --name "test list"             make a data folder, and keys under a passphrase
      tpsi-server list import hashes.txt --source a   take in a list of hashes
      tpsi-server build --threshold 30                blind it into a table, and sign it
      tpsi-server account add alice --server HOST:50051 --enrolment alice.json
                                                      let somebody in: the file is for their device
      tpsi-server serve                               serve tables, take vouchers, match them
      tpsi-server status                              see where things stand
      tpsi-server reveal export alice --to DIR        look at an account that went over the threshold

    All of it lies in a data folder: --data, or $TPSI_DATA, or ./tpsi-data. Key files are encrypted with a
    passphrase, which comes from --passphrase-file, $TPSI_PASSPHRASE or the keyboard.
    """,
)


def _show_version(context: typer.Context, wanted: bool) -> None:
    if wanted:
        typer.echo(f"{context.info_name} {version('tpsi')}")
        raise typer.Exit


@app.callback()
def _common(
    *,
    _version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_show_version, is_eager=True)
    ] = False,
) -> None: ...


setup.register(app)
lists.register(app)
log.register(app)
hashing.register(app)
epochs.register(app)
accounts.register(app)
audit.register(app)
certificates.register(app)
serve.register(app)
vouchers.register(app)
reveals.register(app)
database.register(app)
keys.register(app)
retention.register(app)
doctor.register(app)
