"""Reveals against the log: that a server has committed to each of its reveals, and has told of each that was due."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tpsi import DecodeError, Secret
from tpsi.log import Disclosure, Notice, RevealEntry
from tpsi.log.notice import batch_root, voucher_digest
from tpsi_audit.errors import RefusedError
from tpsi_audit.watching import Reading

VERSION = 1
#: Octets of an export: some hundred thousand reveals.
MAX_FILE = 256 << 20


@dataclass(frozen=True, slots=True)
class Export:
    """What a server says of its reveals: of each voucher, by account and id, the time; and its notices.

    Devices choose the ids, so that two accounts may have the same.
    """

    list_id: bytes
    reveals: Mapping[tuple[str, bytes], int]
    notices: tuple[tuple[Disclosure, tuple[bytes, ...]], ...]

    @classmethod
    def decode(cls, data: bytes) -> "Export":
        """Read what `tpsi-server audit reveals` wrote. DecodeError for anything else."""
        try:
            value = json.loads(data)
            if value["tpsi_reveals"] != VERSION:
                raise ValueError
            reveals = {(str(r["account"]), bytes.fromhex(r["voucher"])): int(r["revealed"]) for r in value["reveals"]}
            if len(reveals) != len(value["reveals"]):
                raise ValueError
            return cls(bytes.fromhex(value["list"]), reveals, tuple(map(_notice, value["notices"])))
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
            raise DecodeError("this is not an export of reveals (`tpsi-server audit reveals`)") from None


def _notice(value: Mapping[str, Any]) -> tuple[Disclosure, tuple[bytes, ...]]:
    notice = Notice.decode(str(value["notice"]).encode("ascii"))
    opening = Secret(bytes.fromhex(value["opening"]))
    return Disclosure(int(value["index"]), opening, notice), tuple(bytes.fromhex(one) for one in value["vouchers"])


def check_reveals(export: Export, reading: Reading) -> list[str]:
    """Check an export against the log, read with its commitments; sentences on what holds.

    RefusedError with the first thing that does not.
    """
    if export.list_id != reading.enrolment.list_id:
        raise RefusedError("the export is about another list than the log")
    told: set[tuple[str, bytes]] = set()
    batches: dict[int, list[bytes]] = {}
    for disclosure, vouchers in export.notices:
        notice = _committed(disclosure, reading.commitments.get(disclosure.index))
        if len(vouchers) != notice.vouchers or voucher_digest(vouchers) != notice.digest:
            raise RefusedError(f"entry {disclosure.index} of the log commits to other vouchers than the export says")
        told.update((notice.account, voucher) for voucher in vouchers)
        batches.setdefault(disclosure.index, []).append(notice.commitment(disclosure.opening))
    if unexplained := reading.commitments.keys() - batches.keys():
        raise RefusedError(f"the log commits to reveals that the export does not open: entries {sorted(unexplained)}")
    for index, commitments in batches.items():
        if batch_root(commitments) != reading.commitments[index].commitment:
            raise RefusedError(f"the export opens other commitments than those of entry {index} of the log")
    silent = [one for one in export.reveals if one not in told]
    covered = [one for one in silent if not _before_policy(reading, export.reveals[one])]
    if covered:
        account, voucher = covered[0]
        raise RefusedError(
            f"{len(covered)} vouchers were revealed without a commitment in the log, "
            f"the first: {voucher.hex()} of account {account!r}"
        )
    found = [f"each of {len(told)} revealed vouchers has its commitment in the log, and no commitment is left over"]
    if silent:
        found.append(f"{len(silent)} vouchers were revealed, says the server, while the log promised nobody to be told")
    return found


def _committed(disclosure: Disclosure, entry: RevealEntry | None) -> Notice:
    """The notice, of whose entry the commitments are compared when all are there."""
    if entry is None:
        raise RefusedError(f"the export tells of a commitment in entry {disclosure.index} of the log: it is none")
    if disclosure.notice.time != entry.time:
        raise RefusedError(f"the export dates the reveals of entry {disclosure.index} otherwise than the log")
    return disclosure.notice


def _before_policy(reading: Reading, moment: int) -> bool:
    """Whether the log promised nobody to be told at this time."""
    return not any(start < moment < end for start, end in reading.history.promised)
