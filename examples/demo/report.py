"""The report: one HTML page that tells the run to a newcomer, and loads nothing from anywhere."""

import base64
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from examples.demo import wording
from examples.demo.charts import Series, chart, scale
from examples.demo.figures import Account, Figures
from examples.demo.promise import ROWS

_FOLDER = Path(__file__).parent


def render(figures: Figures) -> str:
    """The page. Everything that comes from the run is escaped."""
    environment = Environment(
        loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    series = [_series(account) for account in figures.accounts]
    step, top = scale(series, figures.threshold)
    return environment.get_template("report.html.jinja").render(
        f=figures,
        css=Markup((_FOLDER / "report.css").read_text("utf-8")),  # noqa: S704 - a file of this folder
        charts=[chart(one, figures.threshold, step, top) for one in series],
        remarks=[remark(account, figures.threshold) for account in figures.accounts],
        pictures={
            account.outcome.name: [_data_uri(picture) for picture in account.revealed] for account in figures.accounts
        },
        copies=next((account for account in figures.accounts if account.album.member.copies > 1), None),
        rows=ROWS,
        number=wording.number,
        size=wording.size,
        seconds=wording.seconds,
        names=wording.names,
        spelled=wording.spelled,
        counted=wording.counted,
    )


def remark(account: Account, threshold: int) -> str:
    """What is to be seen in an account's chart, in a sentence or two."""
    outcome, day = account.outcome, account.revealed_on
    matches, opened = outcome.distinct_listed_hashes, outcome.opened_vouchers
    if day is not None:
        return _remark_on_reveal(account, threshold, day)
    if not matches:
        return f"{wording.counted(opened, 'voucher')} opened although nothing matched: all of them are synthetic."
    if account.album.member.copies > 1:
        return (
            f"{outcome.listed_items} copies of a listed picture count as one match, however they were saved; "
            f"{account.synthetic} of the {wording.counted(opened, 'voucher')} that opened are synthetic."
        )
    over = "more than the threshold, and still" if opened > threshold else "and"
    return (
        f"{wording.counted(matches, 'match', 'matches')} and {account.synthetic} synthetic: {opened} opened, "
        f"{over} the server has nothing to tell them apart by."
    )


def _remark_on_reveal(account: Account, threshold: int, day: int) -> str:
    matches = len(account.album.matches(day))
    synthetic = account.days[day - 1].opened - matches
    start = (
        f"On day {day}, {matches} matches stood against {synthetic} synthetic ones: over the threshold of {threshold}"
    )
    if day == len(account.days):
        return f"{start}, and enough to tell them apart."
    return f"{start}. From then on, each new match is revealed on arrival."


def _series(account: Account) -> Series:
    matches = (len(account.album.matches(day)) for day in range(len(account.days) + 1))
    return Series(
        account.outcome.name,
        (0, *(seen.opened for seen in account.days)),
        tuple(matches),
        account.revealed_on,
    )


def _data_uri(picture: bytes) -> str:
    return f"data:image/jpeg;base64,{base64.b64encode(picture).decode('ascii')}"
