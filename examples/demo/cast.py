"""The cast: five accounts, and how many listed and other pictures each of them holds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from examples.demo.promise import fewest_decisive, most_synthetic
from examples.demo.wording import counted

#: The probability with which a picture's voucher is replaced by a synthetic one: enough that small accounts have cover.
SYNTHETIC_RATE = 0.15

COPIES = 40

#: Listed pictures that nobody holds.
_SPARE = 4


@dataclass(frozen=True, slots=True)
class Member:
    """One account of the story.

    `listed` gives the number of its listed pictures for a threshold and the number of its synthetic vouchers;
    `others` are its pictures that are not listed; `copies` the files that it has of each listed picture.
    """

    name: str
    others: int
    listed: Callable[[int, int], int]
    describe: Callable[[int], str]
    copies: int = 1

    def most_listed(self, threshold: int) -> int:
        """The number of its listed pictures if chance brings as many synthetic vouchers as it ever will."""
        return self.listed(threshold, most_synthetic(self.others, SYNTHETIC_RATE))


CAST: Sequence[Member] = (
    Member("alice", 80, lambda _threshold, _synthetic: 0, lambda _listed: "no listed picture"),
    Member(
        "bob",
        50,
        lambda threshold, _synthetic: threshold,
        lambda listed: f"{counted(listed, 'listed picture')}, exactly the threshold",
    ),
    Member(
        "carol",
        70,
        lambda threshold, synthetic: max(3 * threshold, fewest_decisive(threshold, synthetic) + 3),
        lambda listed: f"{counted(listed, 'listed picture')}, far over the threshold",
    ),
    Member(
        "dave",
        30,
        lambda _threshold, _synthetic: 1,
        lambda _listed: f"{COPIES} copies of a single listed picture",
        COPIES,
    ),
    Member(
        "erin",
        47,
        fewest_decisive,
        lambda listed: f"{counted(listed, 'listed picture')}, just enough for a reveal",
    ),
)


def listed_needed(threshold: int) -> int:
    """How many pictures go onto the list, so that every account finds enough whose vouchers are not replaced."""
    wanted = max(member.most_listed(threshold) for member in CAST)
    total = wanted
    while total - most_synthetic(total, SYNTHETIC_RATE) < wanted:
        total += 1
    return total + _SPARE


def pictures_needed(threshold: int) -> int:
    """How many distinct pictures there must be: accounts may hold the same ones, as in life."""
    return listed_needed(threshold) + max(member.others for member in CAST)
