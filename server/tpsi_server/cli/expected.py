"""Options by which an operator says what to expect of devices and hashes; they are kept for later epochs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from tpsi.errors import CallerError
from tpsi.plan import Chance, Measurement, parse_measurements
from tpsi.plan.counting import check_wish
from tpsi_server.expectations import Expectations, change_expectations, expectations
from tpsi_server.files import read_bounded
from tpsi_server.store import Store

#: Octets of a file of measurements.
MAX_FILE = 16 << 20

ExpectedLibrary: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--expected-library",
        metavar="N",
        min=1,
        help="Pictures that a device seals in a year. Kept, like the next three, for later epochs.",
    ),
]
Measured: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--measured",
        metavar="FILE",
        dir_okay=False,
        exists=True,
        help="JSON with measured false matches, as `tpsi-plan` takes it.",
    ),
]
FalseMatchRate: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--false-match-rate",
        metavar="TYPE=X",
        help="Assume a false-match rate for each pair of an innocent picture and a listed hash of a type.",
    ),
]
Wished: TypeAlias = Annotated[
    float | None,
    typer.Option("--wished", metavar="X", help="False-account probability a year to stay below; 1e-12 at first."),
]


def read_expected(
    store: Store, pictures: int | None, measured: Path | None, rates: Sequence[str], wished: float | None
) -> Expectations:
    """What is expected from now on, and kept: what the options say, and for the rest what was said before."""
    if wished is not None:
        check_wish(wished)
    measurements, assumed = _measurements(measured), _rates(rates)
    if pictures is None and wished is None and not measurements and not assumed:
        return expectations(store)
    return change_expectations(store, lambda before: before.with_changes(pictures, measurements, assumed, wished))


def _measurements(path: Path | None) -> tuple[Measurement, ...]:
    if path is None:
        return ()
    try:
        return tuple(parse_measurements(read_bounded(path, MAX_FILE).decode("utf-8"), str(path)))
    except UnicodeDecodeError:
        raise CallerError(f"{path} is not JSON") from None


def _rates(texts: Sequence[str]) -> dict[str, float]:
    rates: dict[str, float] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        try:
            rate = float(value)
        except ValueError:
            equals = ""
        if not equals or not name:
            raise typer.BadParameter(f"TYPE=X, for example dct80=1e-10, not {text!r}", param_hint="--false-match-rate")
        rates[name] = Chance(rate).rate
    return rates
