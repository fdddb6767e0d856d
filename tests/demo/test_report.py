"""The report: complete, escaped, and loading nothing from anywhere."""

import re
from dataclasses import replace
from html.parser import HTMLParser

from examples.demo.charts import Series, chart, scale
from examples.demo.report import remark, render
from tests.demo.imagined import THRESHOLD, Run, with_outcome

_VOID = {"meta", "input", "img", "br"}


class Outline(HTMLParser):
    """Checks that every element is closed in order, and collects attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.tags: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_well_formed_and_tells_every_account(run: Run) -> None:
    page = render(run.figures())
    outline = Outline(page)
    assert not outline.open
    assert outline.tags.count("article") == len(run.figures().accounts) + 1
    labels = [value for tag, name, value in outline.attributes if (tag, name) == ("svg", "aria-label")]
    assert [label.split(":")[0] for label in labels] == ["alice", "bob", "carol", "dave", "erin"]
    assert "All went as the protocol promises" in page


def test_the_page_loads_nothing_from_anywhere(run: Run) -> None:
    page = render(run.figures())
    outline = Outline(page)
    assert not {"script", "link", "iframe", "object", "embed", "a"} & set(outline.tags)
    loads = [value for _, name, value in outline.attributes if name in {"src", "href", "srcset", "action", "data"}]
    assert loads
    assert all(value.startswith("data:image/jpeg;base64,") for value in loads)
    assert not re.search(r"https?:|//[a-z]|url\(|@import", page)
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    assert ("meta", "content", policy) in outline.attributes


def test_every_revealed_picture_is_there_behind_a_switch_and_no_other(run: Run) -> None:
    figures = run.figures()
    revealed = sum(account.outcome.revealed for account in figures.accounts)
    outline = Outline(render(figures))
    assert outline.tags.count("img") == revealed > 0
    switches = [value for tag, name, value in outline.attributes if (tag, name) == ("input", "type")]
    assert switches == ["checkbox"] * revealed
    assert not [one for one in outline.attributes if one[:2] == ("input", "checked")]


def test_text_from_the_run_is_escaped(run: Run) -> None:
    hostile = "<script>alert(1)</script>&\"'"
    figures = replace(with_outcome(run.figures(), "bob", hostile), origins=hostile, table_start=hostile)
    page = render(figures)
    assert "<script" not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;&amp;") == 3
    assert not Outline(page).open


def test_a_run_that_went_wrong_says_so_first(run: Run) -> None:
    page = render(with_outcome(run.figures(), "bob", "day 3: something else"))
    assert "<h1>This run did not go as it must</h1>" in page
    assert "day 3: something else" in page
    assert "All went as the protocol promises" not in page


def test_remarks_tell_what_the_chart_shows(run: Run) -> None:
    alice, bob, carol, dave, _ = (remark(account, THRESHOLD) for account in run.figures().accounts)
    assert "all of them are synthetic" in alice
    assert f"{THRESHOLD} matches" in bob
    assert carol.startswith("On day ")
    assert dave.startswith("40 copies")


def test_a_chart_draws_each_count_at_its_height() -> None:
    series = Series("x", (0, 5, 10), (0, 2, 8), 2)
    step, top = scale([series], 4)
    assert (step, top) == (2, 12)
    drawn = chart(series, 4, step, top)
    heights = [
        float(value) for value in re.findall(r'class="line opened" d="M[\d.]+,([\d.]+) L[\d.]+,([\d.]+)', drawn)[0]
    ]
    base, five = heights
    threshold = float(re.findall(r'class="threshold"[^>]* y1="([\d.]+)"', drawn)[0])
    assert (base - five) / (base - threshold) == 5 / 4
    assert drawn.count("<circle") == 1
    assert "revealed" in drawn


def test_the_scale_has_few_lines_and_room_for_everything() -> None:
    for most in (1, 7, 10, 41, 99, 100, 2500):
        step, top = scale([Series("x", (0, most), (0, 0), None)], 3)
        assert top > max(most, 3)
        assert top // step <= 6
        assert str(step)[0] in "125"
