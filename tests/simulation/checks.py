"""What must hold between a server's database, the devices' outboxes, and the model."""

import hashlib
from dataclasses import dataclass

from sqlalchemy import func, select

from tests.simulation.device import SimulatedDevice
from tests.simulation.model import Model, require
from tests.simulation.server import SimulatedServer
from tpsi.log import Checkpoint
from tpsi.log.tree import verify_consistency
from tpsi_client.state.schema import ACKNOWLEDGED, QUEUED, REFUSED, REPLACED
from tpsi_server.store import VoucherState
from tpsi_server.store.schema import accounts, opened, reveals, vouchers

_KEPT = {VoucherState.WAITING, VoucherState.FAILED}
# statements are made once: they are executed after every step
_STORED = select(
    vouchers.c.voucher_id, vouchers.c.digest, vouchers.c.state, vouchers.c.payload, accounts.c.name
).select_from(vouchers.join(accounts, vouchers.c.account == accounts.c.id))
_OPENED = select(vouchers.c.voucher_id).join_from(vouchers, opened)
_REVEALED = select(vouchers.c.voucher_id).join_from(vouchers, reveals)
_COUNTED = select(func.sum(accounts.c.vouchers))
_HOW_MANY = select(func.count()).select_from(vouchers)


@dataclass(frozen=True)
class Found:
    """Vouchers at the server by what became of them."""

    states: dict[bytes, VoucherState]
    opened: set[bytes]
    revealed: set[bytes]


def check_outbox(device: SimulatedDevice, model: Model) -> None:
    """Nothing that was not acknowledged has left the outbox, and nothing else has been taken for acknowledged."""
    memory, rows = model.memories[device.name], device.rows()
    for voucher_id in memory.owed:
        state, payload = rows.get(voucher_id, ("gone", None))
        require(state in (QUEUED, REFUSED), f"{device.name} owes a voucher that is {state} in its outbox")
        require(payload == model.vouchers[voucher_id].data, f"the outbox of {device.name} changed a voucher")
    for voucher_id, (state, payload) in rows.items():
        if state == ACKNOWLEDGED:
            require(voucher_id in model.acknowledged, f"{device.name} believes in an acknowledgement that never came")
            require(payload is None, f"{device.name} keeps what is acknowledged")
        require(state != REPLACED or voucher_id in memory.dropped, f"{device.name} dropped a voucher")
    require(device.local.state.generation == memory.generation, f"{device.name} is in another generation")


def check_server(server: SimulatedServer, model: Model) -> Found:
    """Every acknowledged voucher is stored, each once, as it was sent; opened if it must be, and not otherwise."""
    found = read(server, model)
    stored = set(found.states)
    require(model.acknowledged - model.forgotten <= stored, "an acknowledged voucher is lost")
    require(stored <= model.sent, "a voucher is stored that was never sent")
    for voucher_id, state in found.states.items():
        opens = model.vouchers[voucher_id].opens
        require(state is not VoucherState.MATCHED or opens, "a voucher opened that is not of a listed item")
        require(state is not VoucherState.UNMATCHED or not opens, "a voucher of a listed item did not open")
    require(
        found.opened == {one for one, state in found.states.items() if state is VoucherState.MATCHED},
        "what is opened is not what has matched",
    )
    for pool, shown, may, _ in model.to_reveal(found.opened):
        showing = found.revealed & shown
        require(may or not showing, f"{pool} was revealed with too few listed items")
        if showing:
            model.revealed.add(pool)
    require(found.revealed <= found.opened, "something was revealed that is not opened")
    return found


def check_complete(model: Model, found: Found) -> None:
    """Matching is through: nothing waits, and what must be revealed is."""
    require(not any(state is VoucherState.WAITING for state in found.states.values()), "vouchers still wait")
    everything = set[bytes]()
    for pool, shown, _, must in model.to_reveal(found.opened):
        if must or pool in model.revealed:
            require(shown <= found.revealed, f"of {pool} not all is revealed that has to be")
            everything |= shown
    require(found.revealed <= everything, "a synthetic voucher was revealed")


def check_forgetting(server: SimulatedServer, model: Model, before: Found) -> None:
    """Of vouchers that did not match nothing is left when their time is over; everything else is as it was."""
    found = read(server, model)
    gone = {one for one, state in before.states.items() if state is VoucherState.UNMATCHED}
    require(set(found.states) == set(before.states) - gone, "what is past its period is not what is gone")
    model.forgotten |= gone


def check_content(server: SimulatedServer, model: Model, found: Found) -> None:
    """A reviewer can read what is revealed, which is what was sealed; accounts can be told of exactly that."""
    store, read_back = server.runtime.store, set[bytes]()
    for account in {one.account for one in model.vouchers.values()}:
        for reveal in store.reveals.of_account(account):
            sealed = model.vouchers[reveal.voucher_id]
            require(sealed.account == account, "something was revealed of another account")
            require(reveal.associated == sealed.associated, "other data was revealed than was sealed")
            read_back.add(reveal.voucher_id)
    require(read_back == found.revealed, "not all that is revealed can be read")
    told = [voucher_id for notice in store.log.notices() for voucher_id in notice.voucher_ids]
    require(len(told) == len(set(told)), "an account is told twice of a reveal")
    require(set(told) == found.revealed, "the log does not commit to what was revealed")


def check_log(server: SimulatedServer, before: Checkpoint | None) -> Checkpoint:
    """The log continues what it was."""
    log = server.runtime.log
    newest = log.checkpoint().verify(server.runtime.identity.server_key, server.runtime.identity.list_id)
    if before is not None:
        require(newest.size >= before.size, "the log became shorter")
        path = log.consistency(before.size, newest.size) if 0 < before.size < newest.size else []
        verify_consistency(before.size, before.root, newest.size, newest.root, path)
    return newest


def check_forgotten(model: Model, found: Found, files: list[bytes], others: list[bytes]) -> None:
    """Payloads are nowhere in the database's files once they are matched, nor in an outbox once acknowledged.

    `others`: the files of outboxes.
    """
    for voucher_id, state in found.states.items():
        end = model.vouchers[voucher_id].data[-48:]
        require(state in _KEPT or not any(end in data for data in files), "the payload of a matched voucher is left")
    owed = set[bytes]().union(*(memory.owed for memory in model.memories.values()))
    for voucher_id in model.acknowledged - owed:
        end = model.vouchers[voucher_id].data[-48:]
        require(not any(end in data for data in others), "the payload of an acknowledged voucher is left on a device")
    for one in model.vouchers.values():
        require(not any(one.associated in data for data in (*files, *others)), "associated data lies open in a file")


def read(server: SimulatedServer, model: Model) -> Found:
    """What the database says, row by row."""
    states: dict[bytes, VoucherState] = {}
    with server.runtime.store._database.read() as connection:
        for row in connection.execute(_STORED):
            require(row.voucher_id in model.vouchers, "a voucher is stored that nobody made")
            one, state = model.vouchers[row.voucher_id], VoucherState(row.state)
            if row.name != one.account:
                require(row.voucher_id in model.swapped, "a voucher is stored for another account")
                require(state is not VoucherState.MATCHED, "a voucher opened for another account")
                continue
            require(row.voucher_id not in states, "a voucher is stored twice")
            require(row.digest == hashlib.sha256(one.data).digest(), "a voucher is stored with other octets")
            require(row.payload == (one.data if state in _KEPT else None), f"the payload of a {state.name} voucher")
            states[row.voucher_id] = state
        open_now = connection.execute(_OPENED).scalars().all()
        shown = connection.execute(_REVEALED).scalars().all()
        counted = connection.execute(_COUNTED).scalar_one()
        stored = connection.execute(_HOW_MANY).scalar_one()
    require(counted == stored + model.rows_gone, "accounts count other vouchers than were stored, each once")
    require(len(set(open_now)) == len(open_now), "a voucher is opened twice")
    return Found(states, set(open_now), set(shown))
