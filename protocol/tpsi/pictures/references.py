"""Pictures that show too little to be told apart, drawn by code: what no list of hashes may match.

Two night skies, two products cut out on white, two pages of text have hashes that are nearer to each other than those
of unrelated photographs. A hash on a list that lies near one of these would be found on many devices.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL import Image

Reals = NDArray[np.float64]
Random = np.random.Generator

_SIZES = ((240, 160), (160, 240), (200, 150), (180, 180), (240, 135))

#: Pictures drawn of each kind, unless another number is asked for.
PER_KIND = 40


def references(per_kind: int = PER_KIND, *, series: int = 0) -> Iterator[tuple[str, "Image.Image"]]:
    """Name and picture (mode RGB) of `per_kind` references of every kind; another `series` gives others."""
    for place, kind in enumerate(KINDS):
        for number in range(per_kind):
            yield f"{kind}-{number}", draw(kind, np.random.default_rng((series, place, number)))


def draw(kind: str, random: Random) -> "Image.Image":
    """One picture of a kind in KINDS."""
    from PIL import Image

    width, height = _SIZES[int(random.integers(len(_SIZES)))]
    across, down = np.meshgrid(np.linspace(-1, 1, width), np.linspace(-1, 1, height))
    grey = KINDS[kind](random, across, down)
    grey += random.normal(0, random.uniform(0, 2), grey.shape)
    tint = random.uniform(0.85, 1.0, 3)
    return Image.fromarray((grey[:, :, None] * tint).clip(0, 255).astype(np.uint8))


def _plain(random: Random, across: Reals, down: Reals) -> Reals:
    """A wall, a sky, a lens cap."""
    return np.full_like(across, random.uniform(0, 255)) + random.uniform(0, 6) * across * down


def _gradient(random: Random, across: Reals, down: Reals) -> Reals:
    """From one tone to another, in any direction."""
    angle, power = random.uniform(0, 2 * np.pi), random.uniform(0.5, 2.5)
    slope = (across * np.cos(angle) + down * np.sin(angle)) / 2.9 + 0.5
    return _tones(random, slope.clip(0, 1) ** power)


def _vignette(random: Random, across: Reals, down: Reals) -> Reals:
    """Light in the middle and dark corners, or the other way round."""
    x, y = random.normal(0, 0.15, 2)
    distance = np.hypot(across - x, (down - y) * random.uniform(0.7, 1.4))
    return _tones(random, 1 / (1 + distance ** random.uniform(1.5, 4)))


def _night(random: Random, across: Reals, down: Reals) -> Reals:
    """Stars, sometimes a glow at the horizon."""
    sky = random.uniform(2, 25) + random.uniform(0, 60) * ((down + 1) / 2) ** random.uniform(2, 8)
    for _ in range(int(random.integers(5, 120))):
        row, column = int(random.integers(len(sky))), int(random.integers(sky.shape[1]))
        sky[row : row + 2, column : column + 2] += random.uniform(30, 230)
    return sky


def _moon(random: Random, across: Reals, down: Reals) -> Reals:
    """One bright disc on black."""
    x, y, radius = random.normal(0, 0.25), random.normal(0, 0.25), random.uniform(0.05, 0.5)
    stretch = across.shape[1] / across.shape[0]
    disc = np.hypot((across - x) * stretch, down - y) < radius
    return np.where(disc, random.uniform(160, 255), random.uniform(0, 20))


def _cutout(random: Random, across: Reals, down: Reals) -> Reals:
    """A product on a white page: a few shaded ovals and boxes in the middle."""
    page = np.full_like(across, random.uniform(245, 255))
    for _ in range(int(random.integers(1, 4))):
        x, y = random.normal(0, 0.15, 2)
        half_width, half_height = random.uniform(0.15, 0.7, 2)
        if random.random() < 0.5:
            inside = np.hypot((across - x) / half_width, (down - y) / half_height) < 1
        else:
            inside = (np.abs(across - x) < half_width) & (np.abs(down - y) < half_height)
        shade = random.uniform(20, 200) + random.uniform(-50, 50) * across + random.uniform(-50, 50) * down
        page = np.where(inside, shade, page)
    return page


def _text(random: Random, across: Reals, down: Reals) -> Reals:
    """A page of print: lines of dark words between margins."""
    page = np.full_like(across, random.uniform(235, 255))
    pitch, left, right = int(random.integers(6, 13)), random.uniform(-0.9, -0.6), random.uniform(0.5, 0.9)
    for top in range(int(random.integers(5, 40)), len(page) - pitch, pitch):
        end = right if random.random() < 0.8 else random.uniform(left, right)
        words = np.repeat(random.random(page.shape[1] // 5 + 1) < 0.85, 5)[: page.shape[1]]
        line = words & (across[0] > left) & (across[0] < end)
        page[top : top + pitch // 2, line] = random.uniform(20, 90)
    return page


def _chart(random: Random, across: Reals, down: Reals) -> Reals:
    """Bars, squares and grids, as on test charts and in spreadsheets."""
    columns, rows = random.integers(1, 12, 2)
    board = (across + 1) / 2 * columns // 1 + (down + 1) / 2 * rows // 1
    if random.random() < 0.5:
        return _tones(random, board % 2)
    return _tones(random, board / board.max())


def _border(random: Random, across: Reals, down: Reals) -> Reals:
    """A plain picture in a frame or between bars."""
    inner = _gradient(random, across, down)
    width, height = random.uniform(0.6, 1.0, 2)
    return np.where((np.abs(across) < width) & (np.abs(down) < height), inner, random.choice([0.0, 255.0]))


def _horizon(random: Random, across: Reals, down: Reals) -> Reals:
    """Sea and sky, snow and sky."""
    line = random.normal(0, 0.3) + random.normal(0, 0.05) * across
    sky, sea = random.uniform(60, 255, 2)
    above, below = (tone + random.uniform(-40, 40) * down for tone in (sky, sea))
    view: Reals = np.where(down < line, above, below)
    return view


def _fog(random: Random, across: Reals, down: Reals) -> Reals:
    """Smooth, weak, without a contour."""
    tone = np.full_like(across, random.uniform(60, 220))
    for _ in range(4):
        x, y = random.uniform(-1, 1, 2)
        tone += random.uniform(-25, 25) * np.exp(-((across - x) ** 2 + (down - y) ** 2) / random.uniform(0.2, 1))
    return tone


def _tones(random: Random, part: Reals) -> Reals:
    first, second = random.uniform(0, 255, 2)
    toned: Reals = first + (second - first) * part
    return toned


#: How each kind is drawn: from a random generator and the places of the pixels, -1 to 1, to grey values.
KINDS: dict[str, Callable[[Random, Reals, Reals], Reals]] = {
    "plain": _plain,
    "gradient": _gradient,
    "vignette": _vignette,
    "night": _night,
    "moon": _moon,
    "cutout": _cutout,
    "text": _text,
    "chart": _chart,
    "border": _border,
    "horizon": _horizon,
    "fog": _fog,
}
