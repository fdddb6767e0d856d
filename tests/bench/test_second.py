"""The measurement that the radius of the second hash rests on."""

import re

import pytest

from bench import second
from tpsi.pictures import RADII


def test_it_tells_the_distances_of_copies_and_of_others(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(second, "SAMPLES", ("astronaut.png", "coffee.png", "rocket.jpg"))
    chosen = {name: second.COPIES[name] for name in ("the same", "JPEG 30")}
    monkeypatch.setattr(second, "COPIES", chosen)
    second.second()
    said = capsys.readouterr().out
    for kind, radius in RADII.items():
        assert f"{kind}, radius {radius}: 3 pictures" in said
    rows = re.findall(r"^(the same|JPEG 30) +(\d+) +(\d+) +(\d+) +(\d+)$", said, re.MULTILINE)
    assert len(rows) == 2 * len(RADII)
    assert all(int(row[4]) == 0 for row in rows)  # none beyond the radius
    least = [int(found) for found in re.findall(r"3 pairs of others: .*least (\d+)", said)]
    assert min(least) > 2 * RADII["pdq64"]
