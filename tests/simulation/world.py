"""A server and devices as they are, beside a model: what was stored of whom, and so what must be revealed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.server.site import SHARING, Site, device
from tests.simulation.history import ACCOUNTS, LISTED, Event
from tests.support.drbg import Drbg
from tests.support.server_data import PASSPHRASE
from tests.support.world import items_of
from tpsi import Header, seal
from tpsi.device import Device
from tpsi_server import Reason, Runtime, Store
from tpsi_server.rotation import rotate

_DAY = 86_400.0


class BrokenPromiseError(AssertionError):
    """The server did what the model does not allow."""


@dataclass
class Phone:
    """A device as the network sees it: what it has sealed, what it waits to send, what it was told."""

    account: str
    table: Device
    epoch: int
    sealed: set[int] = field(default_factory=set)
    outbox: dict[bytes, bytes] = field(default_factory=dict)
    acknowledged: dict[bytes, bytes] = field(default_factory=dict)
    refused: set[bytes] = field(default_factory=set)


@dataclass
class Model:
    """All that matters of the server: which vouchers it must have, which it may have forgotten, and their items."""

    names: dict[bytes, int] = field(default_factory=dict)
    epochs: dict[bytes, int] = field(default_factory=dict)
    owners: dict[bytes, str] = field(default_factory=dict)
    stored: dict[str, set[bytes]] = field(default_factory=lambda: {name: set() for name in ACCOUNTS})
    in_force: set[int] = field(default_factory=lambda: {1})

    def opens(self, account: str) -> set[bytes]:
        """The vouchers of an account that match: stored ones of its own, whose items are listed."""
        return {v for v in self.stored[account] if self.owners[v] == account and self.names[v] in LISTED}

    def revealed(self, account: str) -> set[bytes]:
        """The associated data that must be revealed of it, and nothing else."""
        opened = {self.names[voucher] for voucher in self.opens(account)}
        return {str(name).encode() for name in opened} if len(opened) > SHARING.threshold else set()


class World:
    """One history at work in a folder of its own."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._runtime = self._open()
        self._count = 0
        self.model = Model()
        for name in ACCOUNTS:
            self._runtime.accounts.create(name)
        self.phones = {name: Phone(name, device(self._runtime, name), 1) for name in ACCOUNTS}

    def close(self) -> None:
        """Close the server."""
        self._runtime.close()

    def run(self, events: Sequence[Event]) -> None:
        """Let everything happen, then let all devices come to an end, and look at what came of it."""
        for event in events:
            getattr(self, f"_{event.kind}")(self.phones[event.account], event.name)
        for phone in self.phones.values():
            self._send(phone, 0)
        self._match(self.phones["alice"], 0)
        self._check()

    # ------------------------------------------------------------ what happens

    def _seal(self, phone: Phone, name: int) -> None:
        if name in phone.sealed:
            return
        phone.sealed.add(name)
        self._count += 1
        (voucher,) = seal(phone.table, items_of([name]), rng=Drbg(f"{self._count}")).vouchers
        key = Header.decode(voucher.data).voucher_id
        phone.outbox[key] = voucher.data
        self.model.names[key], self.model.epochs[key], self.model.owners[key] = name, phone.epoch, phone.account

    def _send(self, phone: Phone, _name: int) -> None:
        sent = dict(phone.outbox)
        for key, reason in zip(sent, self._arrive(phone.account, sent), strict=True):
            del phone.outbox[key]
            if reason is None:
                phone.acknowledged[key] = sent[key]
            else:
                phone.refused.add(key)

    def _lose_request(self, phone: Phone, _name: int) -> None:
        """Nothing arrives: the outbox stays as it is."""

    def _lose_response(self, phone: Phone, _name: int) -> None:
        self._arrive(phone.account, phone.outbox)

    def _repeat(self, phone: Phone, _name: int) -> None:
        """An acknowledgement stays true: while the epoch is in force, and after, if the server remembers."""
        known = {key: data for key, data in phone.acknowledged.items() if key in self.model.stored[phone.account]}
        if any(reason is not None for reason in self._arrive(phone.account, known)):
            raise BrokenPromiseError("what was acknowledged is refused when it comes again")

    def _swap(self, phone: Phone, _name: int) -> None:
        (other,) = [name for name in ACCOUNTS if name != phone.account]
        self._arrive(other, dict(list(phone.acknowledged.items())[:2]))

    def _match(self, _phone: Phone, _name: int) -> None:
        self._runtime.match_all()

    def _build(self, _phone: Phone, _name: int) -> None:
        self.model.in_force.add(self._site.build().epoch)
        self._runtime.tables.refresh()

    def _retire(self, _phone: Phone, _name: int) -> None:
        newest = max(self.model.in_force)
        for number in self.model.in_force - {newest}:
            self._runtime.store.epochs.retire(number, self._site.now)
        self.model.in_force = {newest}
        self._runtime.tables.refresh()

    def _fetch(self, phone: Phone, _name: int) -> None:
        phone.table, phone.epoch = device(self._runtime, phone.account), max(self.model.in_force)

    def _rotate(self, _phone: Phone, _name: int) -> None:
        self._runtime.close()
        keys = self._site.keys()
        with Store.open(self._site.folder.database, keys.data_key) as store:
            rotate(store, keys, self._site.folder.keys, self._site.folder.identity().list_id)
        self._runtime = self._open()

    def _forget(self, _phone: Phone, _name: int) -> None:
        """Of what did not match, nothing is remembered after its period; what waits, waits."""
        self._match(_phone, _name)
        self._site.now += 100 * _DAY
        self._runtime.store.retention.apply(self._site.now)
        for account, stored in self.model.stored.items():
            self.model.stored[account] = stored & self.model.opens(account)

    def _restart(self, _phone: Phone, _name: int) -> None:
        self._runtime.close()
        self._runtime = self._open()

    # ------------------------------------------------------------ what must come of it

    def _arrive(self, account: str, sent: dict[bytes, bytes]) -> list[Reason | None]:
        """Vouchers arrive; for each the reason of its refusal. The model says what that has to be."""
        if not sent:
            return []
        outcomes = self._runtime.ingest.ingest(account, list(sent.values()))
        told = [outcome.reason for outcome in outcomes]
        for key, reason in zip(sent, told, strict=True):
            taken = key in self.model.stored[account] or self.model.epochs[key] in self.model.in_force
            expected = None if taken else Reason.VOUCHER_WRONG_EPOCH
            if reason is not expected:
                raise BrokenPromiseError(f"a voucher of {account} is told {reason}, not {expected}")
            if taken:
                self.model.stored[account].add(key)
        return told

    def _check(self) -> None:
        store = self._runtime.store
        if wrong := store.check():
            raise BrokenPromiseError(f"the database is not sound: {wrong}")
        for name, phone in self.phones.items():
            record = store.accounts.find(name)
            if record is None or record.flags:
                raise BrokenPromiseError(f"{name} is {record}")
            if phone.outbox:
                raise BrokenPromiseError(f"{name} waits although everything was sent")
            opens, revealed = self.model.opens(name), self.model.revealed(name)
            if {key for key in phone.acknowledged if self.model.names[key] in LISTED} - opens:
                raise BrokenPromiseError(f"the model itself has lost a voucher of {name}")
            if record.opened != len(opens):
                raise BrokenPromiseError(f"{record.opened} vouchers of {name} opened, not {len(opens)}")
            if (found := {reveal.associated for reveal in store.reveals.of_account(name)}) != revealed:
                raise BrokenPromiseError(f"of {name} {sorted(found)} is revealed, not {sorted(revealed)}")

    def _open(self) -> Runtime:
        runtime = Runtime(self._site.folder, PASSPHRASE, workers=0)
        runtime.ingest._clock = self._site.clock
        return runtime


def template(path: Path) -> Site:
    """A server with one epoch, to copy for every history."""
    site = Site(path)
    site.list_names("clinic", [*LISTED, *(f"filler {n}" for n in range(20))])
    site.build()
    return site
