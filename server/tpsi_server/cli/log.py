"""Verbs for the log: `log show`, `log notify`, `log checkpoint`."""

import re
import time
from pathlib import Path
from typing import Annotated

import typer

from tpsi.log import ManifestEntry, PolicyEntry, RevealEntry, decode_entry
from tpsi.log.entries import MAX_NOTIFY_AFTER, Entry
from tpsi_server.cli.options import (
    DEFAULT_DATA,
    AsJson,
    Data,
    Keys,
    PassphraseFile,
    Yes,
    confirm,
    folder_of,
    open_store,
)
from tpsi_server.cli.terminal import moment, show, show_json, show_table
from tpsi_server.errors import OperatorError
from tpsi_server.files import write_atomically
from tpsi_server.keys import KeyRing
from tpsi_server.passphrase import passphrase
from tpsi_server.transparency import TransparencyLog

_log = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="What this server can't take back, and everybody sees."
)
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_PAGE = 1000


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.add_typer(_log, name="log")


@_log.command("show")
def show_(*, data: Data = DEFAULT_DATA, as_json: AsJson = False) -> None:
    """List the entries of the log.

    \b
    Example: tpsi-server log show
    """
    with open_store(folder_of(data)) as store:
        size = store.log.size()
        entries: list[bytes] = []
        while len(entries) < size:
            entries += store.log.entries(len(entries), len(entries) + _PAGE)
    decoded = [decode_entry(entry) for entry in entries]
    if as_json:
        show_json([entry.members() for entry in decoded])
        return
    rows = ([place, entry.kind, _time(entry), _about(entry)] for place, entry in enumerate(decoded))
    show_table(["#entry", "type", "at (UTC)", "about"], rows)


@_log.command()
def notify(
    after: Annotated[str, typer.Argument(metavar="TIME", help="For example 30d, 12h, 0s; or off.")],
    *,
    data: Data = DEFAULT_DATA,
    yes: Yes = False,
) -> None:
    """Say whether accounts are told of reveals, and when.

    TIME is how long after a reveal, or `off`, as it is by default. The log tells everybody which it is. Reveals are
    then committed to in the log, blinded, in batches of a minute and before anybody is shown them, and opened to the
    accounts' devices after the time. Know what that means: whoever has an account can find out, for more than the
    threshold of items at a time, that some are on the list; and that somebody's items were revealed is public within
    a minute.

    \b
    Example: tpsi-server log notify 30d
    """
    seconds = span(after)
    with open_store(folder_of(data)) as store:
        confirm(f"Tell accounts of reveals {'never' if seconds is None else f'after {after}'}?", yes=yes)
        changed = store.log.set_notify_after(seconds, time.time())
    show("the log says so from now on" if changed else "that is how it is already")


@_log.command()
def checkpoint(
    *,
    data: Data = DEFAULT_DATA,
    keys: Keys = None,
    passphrase_file: PassphraseFile = None,
    to: Annotated[Path | None, typer.Option("--to", metavar="FILE", help="Write it to FILE.")] = None,
) -> None:
    """Sign the log as it is now: the checkpoint that devices get.

    Publish it where many look.

    \b
    Example: tpsi-server log checkpoint --to checkpoint
    """
    folder = folder_of(data, keys)
    with open_store(folder) as store:
        ring = KeyRing(folder.keys, passphrase(passphrase_file))
        signed = TransparencyLog(store, folder.identity().list_id, ring).checkpoint()
    if to is None:
        show(signed.encode().decode().rstrip("\n"))
        return
    write_atomically(to, signed.encode())
    show(f"the checkpoint of {signed.checkpoint.size} entries is in {to}")


def span(text: str) -> int | None:
    """Seconds, from a number with a unit, s, m, h or d; None for `off`. OperatorError for anything else."""
    if text == "off":
        return None
    found = re.fullmatch(r"([0-9]{1,9})([smhd])", text)
    seconds = int(found[1]) * _UNITS[found[2]] if found else -1
    if not 0 <= seconds <= MAX_NOTIFY_AFTER:
        raise OperatorError(f"a time is written as 30d, 12h, 45m or 0s, up to ten years, or off; not {text!r}")
    return seconds


def _time(entry: Entry) -> str:
    return "" if isinstance(entry, ManifestEntry) else moment(entry.time)


def _about(entry: Entry) -> str:
    if isinstance(entry, ManifestEntry):
        return f"epoch {entry.epoch}, {entry.digest.hex()}"
    if isinstance(entry, PolicyEntry):
        after = entry.notify_after
        return "accounts are not told of reveals" if after is None else f"accounts are told after {after} seconds"
    return entry.commitment.hex() if isinstance(entry, RevealEntry) else f"entry {entry.index} is open to its account"
