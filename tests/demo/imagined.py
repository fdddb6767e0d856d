"""A run of the demonstration that never took place: albums of pictures that are only names, and what a server saw."""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from examples.demo.albums import Album, choose_listed, deal
from examples.demo.cast import CAST, Member, listed_needed
from examples.demo.figures import Account, Figures, Timing
from examples.demo.hashlists import HashList
from examples.demo.outcome import Seen, Sizes, judge
from examples.demo.photos import Photo
from examples.demo.promise import allowed_reveals
from examples.demo.specimen import take_apart
from tpsi.items import ItemHash

THRESHOLD, DAYS = 4, 3


@dataclass(frozen=True)
class Run:
    """Makes albums, and the figures of a run in which everything went as it must."""

    photos: list[Photo]

    def album(self, member: Member, replaces: Callable[[ItemHash], bool] = lambda _item: False) -> Album:
        """A member's album."""
        rng = random.Random(member.name)
        listed, others = choose_listed(self.photos, listed_needed(THRESHOLD), rng)
        return deal(member, listed, others, threshold=THRESHOLD, days=DAYS, replaces=replaces, rng=rng)

    def account(self, album: Album) -> Account:
        """What a server that keeps the promise sees of an album."""
        shown = [picture(shot.name) for shot in album.until(DAYS) if shot.listed]
        days = tuple(seen(album, day) for day in range(1, DAYS + 1))
        revealed = shown if days[-1].revealed else []
        expected = {one: one.decode() for one in revealed}
        return Account(album, judge(album, THRESHOLD, days, revealed, expected), days, tuple(revealed))

    def figures(self) -> Figures:
        """All of it."""
        lists = [HashList(name, Path(name), 1100) for name in ("north", "south")]
        return Figures(
            threshold=THRESHOLD,
            rate=0.15,
            photos=len(self.photos),
            origins="made for a test",
            lists=lists,
            listed_pictures=listed_needed(THRESHOLD),
            canary=True,
            sizes=Sizes(1001, 45_056, 4384),
            cells=1408,
            table_start="00ff",
            voucher=take_apart(bytes(range(256)) * 17 + bytes(32)),
            accounts=[self.account(self.album(member, one_in_eight)) for member in CAST],
            timings=[Timing("blind the list", 1.5, 1000, "hash")],
            seconds=12.0,
            commands=30,
            seed=1,
        )


def picture(name: str) -> bytes:
    """What stands for the small picture of a file."""
    return name.encode()


def seen(album: Album, day: int) -> Seen:
    """What a server must see of an album at the end of a day."""
    matches, synthetic = len(album.matches(day)), album.synthetic(day)
    return Seen(len(album.until(day)), matches + synthetic, max(allowed_reveals(THRESHOLD, matches, synthetic)))


def one_in_eight(item: ItemHash) -> bool:
    """Which vouchers are replaced by synthetic ones."""
    return item.digest[0] % 8 == 0


def with_outcome(figures: Figures, name: str, *problems: str) -> Figures:
    """The same run, but something went wrong with an account."""
    accounts = [
        replace(one, outcome=replace(one.outcome, problems=problems)) if one.outcome.name == name else one
        for one in figures.accounts
    ]
    return replace(figures, accounts=accounts)
