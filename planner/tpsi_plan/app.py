"""The options of `tpsi-plan`."""

import json
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from tpsi import SUITES, Probes, Synthetic, SyntheticMode
from tpsi.parameters import MAX_PER_MILLION, MAX_PROBES, MAX_ROWS, MAX_THRESHOLD, MIN_ROWS
from tpsi.plan import Format, Plan, Setting, plan, published_setting
from tpsi.plan.costs import PHOTOGRAPH
from tpsi.plan.setting import DEFAULT_WISH
from tpsi_plan.charts import FORMATS, draw
from tpsi_plan.inputs import hash_types
from tpsi_plan.tables import show
from tpsi_plan.timing import seconds_per_slot

#: The status if the wish is not met.
NOT_MET = 3

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


def _show_version(context: typer.Context, wanted: bool) -> None:
    if wanted:
        typer.echo(f"{context.info_name} {version('tpsi')}")
        raise typer.Exit


@app.command(no_args_is_help=True)
def command(
    *,
    lists: Annotated[
        list[str] | None,
        typer.Option("--list", metavar="[TYPE=]N", help="Hashes on the list; once for every hash type."),
    ] = None,
    library: Annotated[
        int | None, typer.Option("--library", metavar="N", min=1, help="Pictures that a device seals in a year.")
    ] = None,
    measured: Annotated[
        Path | None,
        typer.Option(
            "--measured",
            metavar="FILE",
            dir_okay=False,
            exists=True,
            help="JSON with measured false matches: hash, probes, pairs, false_matches, confidence.",
        ),
    ] = None,
    pairs: Annotated[
        list[str] | None,
        typer.Option("--pairs", metavar="[TYPE=]N", help="Pairs of an innocent picture and a listed hash compared."),
    ] = None,
    false_matches: Annotated[
        list[str] | None, typer.Option("--false-matches", metavar="[TYPE=]N", help="How many of them matched.")
    ] = None,
    rate: Annotated[
        list[str] | None,
        typer.Option("--rate", metavar="[TYPE=]X", help="Assume a false-match rate that was not measured."),
    ] = None,
    per_picture: Annotated[
        bool, typer.Option("--per-picture", help="Rates are for a picture against the whole list, not for each pair.")
    ] = False,
    confidence: Annotated[
        float | None, typer.Option("--confidence", metavar="X", help="Of the measurement's bounds; 0.95 by default.")
    ] = None,
    wished: Annotated[
        float, typer.Option("--wished", metavar="X", help="False-account probability a year to stay below.")
    ] = DEFAULT_WISH,
    accounts: Annotated[
        int | None, typer.Option("--accounts", metavar="N", min=1, help="Accounts that there are.")
    ] = None,
    threshold: Annotated[
        int | None,
        typer.Option(
            "--threshold",
            metavar="T",
            min=1,
            max=MAX_THRESHOLD,
            help="Look at this one, not the smallest that will do.",
        ),
    ] = None,
    probes: Annotated[
        int, typer.Option("--probes", metavar="P", min=1, max=MAX_PROBES, help="Probes for a picture.")
    ] = 1,
    rows: Annotated[
        int, typer.Option("--rows", metavar="U", min=MIN_ROWS, max=MAX_ROWS, help="Values in a share.")
    ] = 16,
    synthetic_mode: Annotated[
        SyntheticMode, typer.Option("--synthetic-mode", help="As with `tpsi-server build`.")
    ] = SyntheticMode.REPLACE,
    synthetic_per_million: Annotated[
        int, typer.Option("--synthetic-per-million", metavar="N", min=0, max=MAX_PER_MILLION, help="Likewise.")
    ] = 50_000,
    overdispersion: Annotated[
        float,
        typer.Option(
            "--overdispersion",
            metavar="D",
            min=1.0,
            help="How much more the number of false matches varies between libraries than if pictures were independent "
            "(ratio of variances): libraries have series of similar pictures.",
        ),
    ] = 1.0,
    recall: Annotated[
        float, typer.Option("--recall", metavar="R", help="The part of listed pictures that is recognised.")
    ] = 1.0,
    listed_on_device: Annotated[
        list[int] | None,
        typer.Option(
            "--matches", metavar="K", min=0, help="Tell the chance to reveal at K listed pictures; repeatable."
        ),
    ] = None,
    suite: Annotated[str, typer.Option("--suite", metavar="NAME", help=f"{' or '.join(SUITES)}.")] = SUITES[0],
    encoding: Annotated[str, typer.Option("--encoding", metavar="NAME", help="fuse or cuckoo.")] = "fuse",
    associated: Annotated[
        int, typer.Option("--associated", metavar="OCTETS", min=0, help="Associated data of a picture.")
    ] = PHOTOGRAPH,
    slot_seconds: Annotated[
        float | None,
        typer.Option("--slot-seconds", metavar="X", min=0.0, help="Time to seal a slot; by default measured here."),
    ] = None,
    published: Annotated[
        bool,
        typer.Option("--published", help="Take list, library, rate, wish and threshold of the published example."),
    ] = False,
    pictures: Annotated[
        Path | None, typer.Option("--pictures", metavar="DIR", file_okay=False, help="Draw pictures into DIR.")
    ] = None,
    form: Annotated[str, typer.Option("--format", metavar="FORMAT", help=f"{' or '.join(FORMATS)}.")] = FORMATS[0],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
    _version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """Plan a list: which threshold it needs, what the server sees below it, when it reveals, what devices pay.

    \b
    From a measurement of your hash (for example by `make recall`):
      tpsi-plan --list dct80=1000000 --library 20000 --probes 16 --measured recall.json
    From two numbers of your own, or from an assumption:
      tpsi-plan --list 50000 --library 20000 --pairs 5000000000000 --false-matches 2
      tpsi-plan --list 50000 --library 20000 --rate 1e-11
    The published example (threshold 30, 10^-6 a picture, 10^-12 an account):
      tpsi-plan --published

    A rate is for each pair of an innocent picture, with all its probes, and a listed hash, and its upper confidence
    bound is what is planned with. Chances are exact, however small. Exits with 3 if the wish is not met.
    """
    if published:
        setting = published_setting()
    else:
        setting = _setting(
            lists,
            library,
            rate,
            pairs,
            false_matches,
            measured,
            probes=probes,
            confidence=confidence,
            per_picture=per_picture,
        )
        synthetic = _synthetic(synthetic_mode, synthetic_per_million)
        setting = replace(setting, wished=wished, threshold=threshold, rows=rows, synthetic=synthetic)
    setting = replace(
        setting,
        accounts=accounts,
        overdispersion=overdispersion,
        recall=recall,
        listed_on_device=tuple(listed_on_device or ()),
        form=Format(associated, suite, encoding),
        slot_seconds=seconds_per_slot(suite, encoding, rows) if slot_seconds is None else slot_seconds,
    )
    made = plan(setting)
    drawn = draw(setting, made, pictures, form) if pictures and made.threshold else []
    _print(made, drawn, as_json=as_json)
    if not made.meets:
        raise typer.Exit(NOT_MET)


def _setting(  # noqa: PLR0917 (one for each option)
    lists: list[str] | None,
    library: int | None,
    rates: list[str] | None,
    pairs: list[str] | None,
    matches: list[str] | None,
    measured: Path | None,
    *,
    probes: int,
    confidence: float | None,
    per_picture: bool,
) -> Setting:
    if not lists:
        raise typer.BadParameter("say how many hashes the list has", param_hint="--list")
    if library is None:
        raise typer.BadParameter("say how many pictures a device seals in a year", param_hint="--library")
    types = hash_types(
        lists,
        rates or (),
        pairs or (),
        matches or (),
        measured,
        probes=probes,
        confidence=confidence,
        per_picture=per_picture,
    )
    return Setting(types, library, probes=Probes(probes))


def _synthetic(mode: SyntheticMode, per_million: int) -> Synthetic:
    """A rate of 0 and the mode `none` imply each other."""
    return (
        Synthetic(mode, per_million)
        if per_million and mode is not SyntheticMode.NONE
        else Synthetic(SyntheticMode.NONE, 0)
    )


def _print(made: Plan, drawn: list[Path], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(made.to_dict() | {"pictures_drawn": [str(path) for path in drawn]}, indent=2))
        return
    console = Console(highlight=False)
    show(made, console)
    for path in drawn:
        console.print(f"drew {path}", markup=False)
