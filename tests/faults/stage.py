"""The stage of the fault tests: a server's data folder on either engine, vouchers for it, and what must hold after."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import func, select, update
from sqlalchemy.engine import URL

from tests.support.server_data import COST, PASSPHRASE, TestEpoch, add_source
from tests.support.world import md5
from tpsi import Header, Secret, Sharing, Synthetic, SyntheticMode
from tpsi_server import DataFolder, Role, Store
from tpsi_server.accounts import Accounts
from tpsi_server.epochs import Builder, BuildOptions
from tpsi_server.keys import KeyRing
from tpsi_server.setup import set_up
from tpsi_server.store.schema import claims, opened, pools, vouchers

ACCOUNTS = ("alice", "bob", "carol")
#: One name of so many is on the list.
RARITY = 5
#: More than so many matches reveal.
THRESHOLD = 3
#: As little as there can be in the mode that devices accept.
LITTLE_COVER = Synthetic(SyntheticMode.REPLACE, 1)


@dataclass(frozen=True)
class Stage:
    """A server with one epoch and three accounts. Names are numbers; those divisible by RARITY are listed."""

    folder: DataFolder
    epoch: TestEpoch
    tokens: dict[str, Secret]

    @classmethod
    def make(cls, path: Path, url: URL | None = None, names: int = 20_000) -> "Stage":
        """Set one up; in a PostgreSQL database, or in a file."""
        folder = DataFolder.at(path)
        where = None if url is None else url.render_as_string(hide_password=False)
        set_up(replace(folder, database_at=where), "a list", PASSPHRASE, cost=COST)
        ring = KeyRing(folder.keys, PASSPHRASE, cost=COST)
        with Store.open(folder.location) as store:
            add_source(store, "names", map(md5, range(0, names, RARITY)))
            Builder(folder, store, ring, processes=1).build(BuildOptions(Sharing(THRESHOLD, 4), LITTLE_COVER))
            accounts = Accounts(store)
            for name in ACCOUNTS:
                accounts.create(name)
            tokens = {name: accounts.issue(Role.DEVICE, name).token for name in ACCOUNTS}
        return cls(folder, TestEpoch.read(folder, 1), tokens)

    @contextmanager
    def store(self) -> Iterator[Store]:
        """The store, as a process of its own opens it."""
        ring = KeyRing(self.folder.keys, PASSPHRASE, cost=COST)
        with Store.open(self.folder.location, ring.data_key) as store:
            yield store

    def seal(self, account: str, names: range) -> list[bytes]:
        """Vouchers of an account, all different."""
        return self.epoch.seal(names, account, seed=f"{account} {names}")

    def missing(self, acknowledged: set[bytes]) -> set[bytes]:
        """Voucher ids that were acknowledged and are not there."""
        return acknowledged - self.stored()

    def stored(self) -> set[bytes]:
        """The ids of all vouchers that are there; AssertionError if one is there twice."""
        with self.store() as store, store._database.read() as connection:
            ids = connection.execute(select(vouchers.c.voucher_id)).scalars().all()
        assert len(ids) == len(set(ids)), "a voucher is stored twice"
        return set(ids)

    def faults(self) -> list[str]:
        """What is wrong with the database, in words."""
        with self.store() as store:
            return store.check()

    def end_leases(self) -> None:
        """Let the leases of all claims end, as if a while had passed: whoever had them was killed or cut off."""
        with self.store() as store, store._database.write() as connection:
            connection.execute(update(claims).values(leased_until=0))
            connection.execute(update(pools).where(pools.c.claim.is_not(None)).values(leased_until=0))

    def opened(self) -> int:
        """How many vouchers are opened."""
        with self.store() as store, store._database.read() as connection:
            return int(connection.execute(select(func.count()).select_from(opened)).scalar_one())


def ids_of(data: list[bytes]) -> set[bytes]:
    """The ids of vouchers."""
    return {Header.decode(one).voucher_id for one in data}


def listed(names: range) -> int:
    """How many of some names are on the list."""
    return sum(name % RARITY == 0 for name in names)
