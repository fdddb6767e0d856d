"""What each campaign of faults promises, in words for what was broken."""

from tests.faults.devices import DeviceKills
from tests.faults.disks import Fillings
from tests.faults.kills import Kills
from tests.faults.power import Cuts
from tests.faults.restarts import Restarts
from tests.faults.workers import Matched

Result = Cuts | Kills | Matched | Fillings | Restarts | DeviceKills

#: Fields of a result that count what must not happen.
_FORBIDDEN = {
    "lost": "acknowledged vouchers were lost, or stored without an acknowledgement",
    "unsound": "databases were not sound",
    "duplicates": "vouchers were stored twice, or not at all",
    "failed_stops": "servers did not end with status 0",
    "not_recovered": "times the server did not go on when there was room again",
    "waiting": "vouchers were never matched",
}


def broken(result: Result) -> list[str]:
    """The promises that a result shows to be broken; none if all is well."""
    found = [f"{count} {words}" for name, words in _FORBIDDEN.items() if (count := getattr(result, name, 0))]
    if isinstance(result, Kills | Matched) and result.opened != result.listed:
        found.append(f"{result.opened} vouchers were opened, {result.listed} are of listed items")
    if isinstance(result, DeviceKills) and not result.stored == result.pictures == result.acknowledged:
        found.append(f"of {result.pictures} pictures {result.stored} are stored, {result.acknowledged} acknowledged")
    return found
