"""`tpsi-device secret`: sharing the account secret with the account's other devices."""

from pathlib import Path
from typing import Annotated

import typer

from tpsi_client.account_secret import AccountSecret
from tpsi_client.cli.options import Home
from tpsi_client.cli.terminal import show as show_lines
from tpsi_client.configuration import Configuration
from tpsi_client.enrolling import import_secret
from tpsi_client.files import write_whole
from tpsi_client.home import Home as Folder
from tpsi_client.home import default_home

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Share the account secret with your other devices.\n\n"
    "Without it their matches don't add up with yours. Whoever has it can compute what your vouchers hide.",
)


@app.command()
def show(
    *,
    home: Home = None,
    reveal: Annotated[bool, typer.Option("--reveal", help="Print the secret itself.")] = False,
    to: Annotated[
        Path | None, typer.Option("--to", metavar="FILE", help="Write the secret to a new file that only you can read.")
    ] = None,
) -> None:
    """Show the secret's fingerprint, the secret itself only if asked.

    Two devices share a secret if their fingerprints are alike.
    """
    folder = Folder(home or default_home())
    configuration = Configuration.load(folder)
    secret = AccountSecret.load(folder)
    if to is not None:
        write_whole(to, secret.text().reveal() + b"\n", replace=False)
    if reveal:
        show_lines([secret.text().reveal().decode("ascii")])
        return
    where = f"Written to {to}; remove it when the other device has it." if to else "Redacted; see --reveal and --to."
    show_lines([f"Account {configuration.account}: secret with fingerprint {secret.fingerprint}. {where}"])


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Made by `secret show --to` on another device.")],
    *,
    home: Home = None,
) -> None:
    """Take the secret of another device of the account.

    Before anything was sealed here, or if this device's own copy was lost.
    """
    secret = AccountSecret.read(file)
    import_secret(Folder(home or default_home()), secret)
    show_lines([f"This device has the secret with fingerprint {secret.fingerprint} now."])
