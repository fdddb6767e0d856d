"""What a device tells about itself; nothing of it is sent anywhere."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Status:
    """The state of one device. Fields about the table are None before the first one is complete.

    `hash_types` are those that device and list share; `picture_threshold`: so many matching pictures certainly reveal
    nothing. `queued` vouchers wait to be sent (`exported` of them are in files already), `refused` ones by the
    server's reason need a decision, `replaced` ones were overtaken by a rescan. `bad_candidates` counts lookups that
    a sound table would not have given. `notices`: reveals that the server told of, as time and number of vouchers;
    `notify_after`: seconds after which it does so, None if it does not; `log_entries`: how long its log was;
    `evidence`: files that show that it lied. Times are seconds since 1970.
    """

    account: str
    server: str
    list_name: str
    list_id: str
    home: str
    epoch_seen: int | None
    epoch: int | None
    items: int | None
    hash_types: tuple[str, ...] | None
    threshold: int | None
    picture_threshold: int | None
    synthetic_mode: str | None
    synthetic_per_million: int | None
    table_bytes: int | None
    table_complete: bool
    lowest_threshold: int
    least_synthetic: int
    modes: tuple[str, ...]
    auditors: tuple[str, ...]
    auditors_needed: int
    notices: tuple[tuple[int, int], ...]
    notify_after: int | None
    log_entries: int | None
    evidence: tuple[str, ...]
    size_class: int
    rescans: int
    sealed: int
    remembered: int
    queued: int
    queued_octets: int
    exported: int
    acknowledged: int
    refused: Mapping[str, int]
    replaced: int
    bad_candidates: int
    last_fetch: int | None
    last_upload: int | None

    def as_json(self) -> dict[str, Any]:
        """The same as plain values."""
        return asdict(self)
