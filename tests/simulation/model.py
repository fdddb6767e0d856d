"""The model: what was sealed, sent and promised, in a few sets and dictionaries; and what follows from it."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field

from tpsi.planning import Kind


class BrokenError(AssertionError):
    """A promise was broken; the message says which."""


def require(holds: object, promise: str) -> None:
    """BrokenError unless it holds."""
    if not holds:
        raise BrokenError(promise)


#: The device that made a voucher, its generation and the threshold of the list then: shares of one pool add up.
PoolName = tuple[str, int, int]


@dataclass(frozen=True)
class Sealed:
    """A voucher as its device knows it. `listed`: whether its item is on the list of its epoch."""

    voucher_id: bytes
    data: bytes
    device: str
    account: str
    name: int
    kind: Kind
    epoch: int
    pool: PoolName
    listed: bool
    associated: bytes

    @property
    def opens(self) -> bool:
        """Whether the server must be able to open it."""
        return self.kind is Kind.SYNTHETIC or (self.kind is Kind.REAL and self.listed)


@dataclass
class Memory:
    """What one device must remember: the generation, what it has sealed in it, and what it has to deliver yet."""

    generation: int
    sealed: set[tuple[int, int]] = field(default_factory=set)  # generation, name
    owed: set[bytes] = field(default_factory=set)
    dropped: set[bytes] = field(default_factory=set)  # by rescans


@dataclass
class Model:
    """All of them; `lists`: the names on each epoch's list."""

    rows: int
    lists: dict[int, frozenset[int]] = field(default_factory=dict)
    retired: set[int] = field(default_factory=set)
    memories: dict[str, Memory] = field(default_factory=dict)
    backups: dict[str, Memory] = field(default_factory=dict)
    vouchers: dict[bytes, Sealed] = field(default_factory=dict)
    sent: set[bytes] = field(default_factory=set)
    acknowledged: set[bytes] = field(default_factory=set)
    forgotten: set[bytes] = field(default_factory=set)  # past their period at the server
    rows_gone: int = 0  # the rows of those
    swapped: set[bytes] = field(default_factory=set)  # sent by another account
    revealed: set[PoolName] = field(default_factory=set)

    def seal(self, one: Sealed) -> None:
        """A device made a voucher. In one generation an item is sealed in earnest once, whatever the epoch."""
        memory = self.memories[one.device]
        again = (one.pool[1], one.name) in memory.sealed
        require(
            again == (one.kind is Kind.NULL),
            f"item {one.name} of {one.device}, sealed {'again' if again else 'for the first time'} in a generation, "
            f"gave a {one.kind.value} voucher",
        )
        memory.sealed.add((one.pool[1], one.name))
        memory.owed.add(one.voucher_id)
        require(one.voucher_id not in self.vouchers, "a voucher id was drawn twice")
        self.vouchers[one.voucher_id] = one

    def acknowledge(self, device: str, voucher_id: bytes) -> None:
        """A device was told that a voucher is durable."""
        self.acknowledged.add(voucher_id)
        self.memories[device].owed.discard(voucher_id)

    def rescan(self, device: str, generation: int) -> None:
        """A device drops what it owes, and begins another generation."""
        memory = self.memories[device]
        memory.dropped |= memory.owed
        memory.owed.clear()
        memory.generation = generation

    def back_up(self, device: str) -> None:
        """The folder of a device was copied."""
        self.backups[device] = deepcopy(self.memories[device])

    def restore(self, device: str) -> None:
        """The folder of a device is what it was when it was copied; what it sealed since, it may seal again."""
        self.memories[device] = deepcopy(self.backups[device])

    def to_reveal(self, opened: set[bytes]) -> Iterator[tuple[PoolName, set[bytes], bool, bool]]:
        """For every pool with opened vouchers: those that a reveal shows, whether it may, and whether it must happen.

        Copies of a share count once: real ones are as many as different items are. More than t are needed, and one
        more for every u synthetic ones.
        """
        members: dict[PoolName, list[Sealed]] = defaultdict(list)
        for voucher_id in opened:
            one = self.vouchers[voucher_id]
            members[one.pool].append(one)
        for pool, vouchers in members.items():
            shares = Counter(kind for kind, _ in {(one.kind, one.name) for one in vouchers})
            spare = shares[Kind.REAL] - pool[2] - 1
            shown = {one.voucher_id for one in vouchers if one.kind is Kind.REAL}
            yield pool, shown, spare >= 0, spare >= 0 and self.rows * spare >= shares[Kind.SYNTHETIC]
