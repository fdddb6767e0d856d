"""A pool claimed and read in one step, as tests of the store want it; a matching process does the second elsewhere."""

from tpsi_server.store import DamagedError, Due
from tpsi_server.store.pools import PoolStore


def claim_pool(pools: PoolStore, lease: float, now: float, *, patient: bool = True) -> Due | None:
    """The next pool that is due, with its opened vouchers; None if there is none, or it is damaged and set aside."""
    taken = pools.take(lease, now, patient=patient)
    if taken is None:
        return None
    try:
        return pools.read(taken)
    except DamagedError as error:
        pools.set_aside(taken, str(error), now)
        return None
