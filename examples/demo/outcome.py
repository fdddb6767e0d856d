"""What happened, beside what must have happened: the verdict on every account, and the summary for programs."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from examples.demo.albums import Album
from examples.demo.promise import allowed_reveals


@dataclass(frozen=True, slots=True)
class Seen:
    """What the server has of an account at the end of a day; `flagged` if it sent what no honest device sends."""

    vouchers: int
    opened: int
    revealed: int
    flagged: bool = False


@dataclass(frozen=True, slots=True)
class AccountOutcome:
    """One account at the end. `problems` are sentences; there are none if all is as it must be."""

    name: str
    items: int
    listed_items: int
    distinct_listed_hashes: int
    opened_vouchers: int
    revealed: int
    expected_revealed: int
    problems: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether everything about the account is as the protocol promises."""
        return not self.problems

    def to_dict(self) -> dict[str, Any]:
        """The account's entry in the summary."""
        return {
            "name": self.name,
            "items": self.items,
            "listed_items": self.listed_items,
            "distinct_listed_hashes": self.distinct_listed_hashes,
            "opened_vouchers": self.opened_vouchers,
            "revealed": self.revealed,
            "expected_revealed": self.expected_revealed,
            "ok": self.ok,
        }


@dataclass(frozen=True, slots=True)
class Sizes:
    """Figures of the list and of what travels: hashes, and octets of the table and of each voucher."""

    list_hashes: int
    table_bytes: int
    voucher_bytes: int


def judge(
    album: Album, threshold: int, days: Sequence[Seen], revealed: Sequence[bytes], expected: Mapping[bytes, str]
) -> AccountOutcome:
    """Compare what the server saw and was shown of an account with what it must have been.

    `revealed` are the small pictures that the operator exported; `expected` those that the device makes of its listed
    pictures, with their file names, empty if nothing is to be revealed.
    """
    files, matches = album.until(len(album.days)), len(album.matches(len(album.days)))
    problems = [problem for day, seen in enumerate(days, 1) for problem in wrong_day(album, threshold, day, seen)]
    problems += _wrong_pictures(days[-1].revealed, revealed, expected)
    return AccountOutcome(
        name=album.member.name,
        items=len(files),
        listed_items=sum(shot.listed for shot in files),
        distinct_listed_hashes=matches,
        opened_vouchers=days[-1].opened,
        revealed=days[-1].revealed,
        expected_revealed=matches if matches > threshold else 0,
        problems=tuple(problems),
    )


def summary(threshold: int, accounts: Sequence[AccountOutcome], sizes: Sizes) -> dict[str, Any]:
    """All that a program needs to check the demonstration, as JSON types."""
    return {
        "threshold": threshold,
        "accounts": [account.to_dict() for account in accounts],
        "list_hashes": sizes.list_hashes,
        "table_bytes": sizes.table_bytes,
        "voucher_bytes": sizes.voucher_bytes,
        "ok": all(account.ok for account in accounts),
    }


def wrong_day(album: Album, threshold: int, day: int, seen: Seen) -> list[str]:
    """What differs, at the end of a day (from 1), from what the server must see of an account."""
    items, matches, synthetic = len(album.until(day)), len(album.matches(day)), album.synthetic(day)
    problems = []
    if seen.vouchers != items:
        problems.append(f"day {day}: {seen.vouchers} vouchers arrived of {items} pictures")
    if seen.opened != matches + synthetic:
        problems.append(
            f"day {day}: {seen.opened} vouchers opened instead of {matches} matches and {synthetic} synthetic ones"
        )
    if seen.flagged:
        problems.append(f"day {day}: the server flagged shares that no honest device sends")
    allowed = allowed_reveals(threshold, matches, synthetic)
    if seen.revealed not in allowed:
        wanted = " or ".join(str(number) for number in sorted(allowed))
        problems.append(f"day {day}: {seen.revealed} pictures were revealed instead of {wanted}")
    return problems


def _wrong_pictures(count: int, revealed: Sequence[bytes], expected: Mapping[bytes, str]) -> list[str]:
    got, wanted = Counter(revealed), Counter(expected.keys())
    problems = []
    if count != len(revealed):
        problems.append(f"{count} pictures count as revealed, {len(revealed)} could be exported")
    if foreign := (got - wanted).total():
        problems.append(f"{foreign} revealed pictures are none of the account's listed ones")
    return [*problems, *(f"{expected[picture]} was not revealed" for picture in wanted - got)]
