"""All that the report and the narration tell, in one value."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from examples.demo.albums import Album
from examples.demo.copies import Copies
from examples.demo.hashlists import HashList
from examples.demo.outcome import AccountOutcome, Seen, Sizes
from examples.demo.specimen import Part
from tpsi.symmetric import TAG_SIZE


@dataclass(frozen=True, slots=True)
class Account:
    """One account of the report: what it held, what the server saw day by day, what it was shown in the end."""

    album: Album
    outcome: AccountOutcome
    days: tuple[Seen, ...]
    revealed: tuple[bytes, ...]

    @property
    def synthetic(self) -> int:
        """Synthetic vouchers among those that opened."""
        return self.album.synthetic(len(self.days))

    @property
    def revealed_on(self) -> int | None:
        """The first day (from 1) on which something was revealed."""
        return next((number for number, seen in enumerate(self.days, 1) if seen.revealed), None)


@dataclass(frozen=True, slots=True)
class Timing:
    """How long a step took: seconds, over so many pieces of work."""

    step: str
    seconds: float
    pieces: int
    piece: str


@dataclass(frozen=True, slots=True)
class Figures:
    """One run of the demonstration."""

    threshold: int
    rate: float
    photos: int
    origins: str
    lists: Sequence[HashList]
    listed_pictures: int
    canary: bool
    sizes: Sizes
    cells: int
    table_start: str
    voucher: Sequence[Part]
    accounts: Sequence[Account]
    timings: Sequence[Timing]
    seconds: float
    commands: int
    seed: int
    messenger: Copies | None = None
    ok: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "ok", all(account.outcome.ok for account in self.accounts))

    @property
    def revealed_accounts(self) -> list[Account]:
        """The accounts of which something was revealed."""
        return [account for account in self.accounts if account.outcome.revealed]

    @property
    def silent_accounts(self) -> list[Account]:
        """The accounts of which nothing was revealed."""
        return [account for account in self.accounts if not account.outcome.revealed]

    @property
    def vouchers(self) -> int:
        """Vouchers that the server received."""
        return sum(account.days[-1].vouchers for account in self.accounts)

    @property
    def bare_voucher(self) -> int:
        """Octets of a voucher without the small picture and its padding: all parts but the payload, and two tags."""
        return sum(part.octets for part in self.voucher[:-1]) + 2 * TAG_SIZE

    @property
    def uploaded(self) -> int:
        """Octets of all vouchers."""
        return self.vouchers * self.sizes.voucher_bytes
