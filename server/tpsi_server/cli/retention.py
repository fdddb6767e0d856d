"""Verbs for what is forgotten, and when: `retention show`, `set`, `apply`."""

import time
from dataclasses import asdict
from typing import Annotated

import typer

from tpsi_server.cli.options import DEFAULT_DATA, AsJson, Data, folder_of, open_store
from tpsi_server.cli.terminal import show, show_json
from tpsi_server.store import Periods

_WORDS = {
    "ids": "ids and digests of vouchers that did not match",
    "shares": "opened vouchers that are not revealed",
    "reveals": "what was revealed",
    "set_aside": "what could not be matched",
}


def _days(what: str, help_text: str) -> typer.models.OptionInfo:
    option: typer.models.OptionInfo = typer.Option(f"--{what}", metavar="DAYS", min=0, max=36_500, help=help_text)
    return option


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    group = typer.Typer(
        no_args_is_help=True,
        help="""Say what is forgotten, and when.

        A running server forgets once an hour, `tpsi-server match` whenever it runs.

        The payload of a voucher that does not match is deleted as soon as that is known, whatever is set here.
        """,
    )
    group.command("show")(show_)
    group.command("set")(set_)
    group.command()(apply)
    app.add_typer(group, name="retention")


def show_(*, data: Data = DEFAULT_DATA, as_json: AsJson = False) -> None:
    """Show after how many days what is forgotten.

    \b
    Example: tpsi-server retention show
    """
    with open_store(folder_of(data)) as store:
        periods = store.retention.periods()
    _show(periods, as_json=as_json)


def set_(
    *,
    ids: Annotated[
        int | None,
        _days(
            "ids",
            "Forget ids and digests of vouchers that did not match; 0 keeps them. One that a device sends "
            "again after that is matched again, with the same result.",
        ),
    ] = None,
    shares: Annotated[
        int | None,
        _days(
            "shares",
            "Forget opened vouchers that are not revealed; 0 keeps them. Matches that are further apart "
            "do not add up to the threshold any more.",
        ),
    ] = None,
    reveals: Annotated[int | None, _days("reveals", "Forget what was revealed; 0 keeps it.")] = None,
    aside: Annotated[
        int | None,
        _days(
            "set-aside",
            "Forget the payloads of vouchers that could not be matched (`tpsi-server set-aside`); 0 keeps them.",
        ),
    ] = None,
    data: Data = DEFAULT_DATA,
    as_json: AsJson = False,
) -> None:
    """Set after how many days something is forgotten.

    It holds for all replicas; what is not named stays as it is.

    \b
    Example: tpsi-server retention set --ids 60 --shares 365
    """
    given = {"ids": ids, "shares": shares, "reveals": reveals, "set_aside": aside}
    with open_store(folder_of(data)) as store:
        chosen = {name: days or None for name, days in given.items() if days is not None}
        periods = store.retention.set_periods(**chosen)
    _show(periods, as_json=as_json)


def apply(*, data: Data = DEFAULT_DATA, as_json: AsJson = False) -> None:
    """Forget now what is past its period.

    \b
    Example: tpsi-server retention apply
    """
    with open_store(folder_of(data)) as store:
        forgotten = asdict(store.retention.apply(time.time()))
    if as_json:
        show_json(forgotten)
    else:
        show(*(f"{_WORDS[name]}: {count} forgotten" for name, count in forgotten.items()))


def _show(periods: Periods, *, as_json: bool) -> None:
    if as_json:
        show_json(asdict(periods))
        return
    for name, days in asdict(periods).items():
        show(f"{_WORDS[name]}: {'kept' if days is None else f'forgotten after {days} days'}")
