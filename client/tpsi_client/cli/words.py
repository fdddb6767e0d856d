"""Results in sentences."""

import time
from collections.abc import Iterator, Mapping

from tpsi import Manifest, picture_threshold
from tpsi.parameters import SyntheticMode
from tpsi_client.device import FetchReport
from tpsi_client.doctor import Finding, Level
from tpsi_client.enrolling import Enrolled
from tpsi_client.scanning import ScanReport
from tpsi_client.selfcheck import SelfCheck
from tpsi_client.status import Status
from tpsi_client.uploading import UploadReport

#: Files that are listed one by one.
MAX_SHOWN = 50

_OVERTAKEN = (
    "they were sealed under an epoch of the list that the server no longer takes. The device does not seal their "
    "pictures again by itself: comparing both, the server could see which hashes the list gained or lost among them. "
    "To give them up and seal everything afresh: tpsi-device rescan"
)
_REFUSALS = {
    "VOUCHER_WRONG_EPOCH": _OVERTAKEN,
    "EPOCH_RETIRED": _OVERTAKEN,
    "VOUCHER_ID_REUSED": (
        "the server has other vouchers under these ids; was the device's folder copied, or restored from a backup? "
        "To seal everything afresh: tpsi-device rescan"
    ),
    "VOUCHER_MALFORMED": "the server can't read them; is one of the two programs outdated?",
}


def count(number: int, one: str, many: str = "") -> str:
    """`1 picture`, `2 pictures`, with thousands apart."""
    return f"{number:,} {one if number == 1 else many or one + 's'}".replace(",", " ")


def promise(pictures: int) -> str:
    """What a threshold means, in pictures."""
    return (
        f"while at most {count(pictures, 'picture')} of this device match, the server learns nothing about any of "
        "them; beyond that, it learns the matching ones"
    )


def cover(mode: SyntheticMode, per_million: int) -> str:
    """What the list's synthetic vouchers do."""
    if mode is SyntheticMode.NONE:
        return "none: the server sees how many pictures match (not which)"
    share = f"{per_million / 10_000:g} % of the vouchers open without any match, so that"
    place = "in place of a real one" if mode is SyntheticMode.REPLACE else "in addition to the real ones"
    return f"{share} the number of matches stays unsure ({place})"


def enrolled(outcome: Enrolled, account: str, address: str) -> Iterator[str]:
    """What enrolling found out."""
    if outcome.renewed:
        yield f"The connection of {account} to {address} is renewed; pins, secret and memory are as before."
        return
    manifest = outcome.manifest
    yield f"Enrolled as {account} at {address}."
    yield from about_list(manifest)
    yield from about_check(outcome.check)


def about_list(manifest: Manifest) -> Iterator[str]:
    """A list and its parameters."""
    hashes = f"{count(manifest.items, 'hash', 'hashes')} ({', '.join(manifest.types)})"
    yield f'  list        "{manifest.name}", epoch {manifest.epoch}: {hashes}'
    yield f"  threshold   {promise(picture_threshold(manifest))}"
    yield f"  cover       {cover(manifest.synthetic.mode, manifest.synthetic.per_million)}"


def about_check(check: SelfCheck) -> Iterator[str]:
    """The outcome of a self-check."""
    if check.agreeing:
        yield f"  self-check  this device hashes as the list's makers do: {', '.join(check.agreeing)}"
    if check.unchecked:
        yield (
            f"  note        the list gives nothing to check {', '.join(check.unchecked)} hashes with; if this device "
            "computes them differently, nothing will match, silently"
        )
    if check.unknown:
        yield f"  note        this device can't compute {', '.join(check.unknown)} hashes; those never match here"


def fetched(report: FetchReport) -> Iterator[str]:
    """What a fetch brought."""
    state = f"epoch {report.epoch} with {count(report.items, 'hash', 'hashes')}"
    if report.received:
        yield f"The table of {state} is here and verified ({size(report.received)} received)."
    else:
        yield f"Nothing to fetch: {state} is here."
    for notice in report.notices:
        yield f"Revealed: {revealed(notice.time, notice.vouchers)}."
    if report.check is not None and report.new:
        yield from about_check(report.check)


def telling(notify_after: int | None) -> str:
    """Whether a server tells its accounts of reveals, as its log says."""
    if notify_after is None:
        return "the server does not tell its accounts, says its log"
    return f"the server tells its accounts {span(notify_after)} after one, says its log"


def span(seconds: int) -> str:
    """`30 days`, `1 hour`, `90 seconds`."""
    for unit, word in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        if seconds and seconds % unit == 0:
            return count(seconds // unit, word)
    return count(seconds, "second")


def revealed(moment: int, vouchers: int) -> str:
    """What a server told of a reveal."""
    day = time.strftime("%Y-%m-%d at %H:%M", time.localtime(moment))
    return f"{count(vouchers, 'voucher')} of this account on {day}, says the server, as it committed to in its log"


def scanned(report: ScanReport) -> Iterator[str]:
    """What a scan found and did."""
    repeated = f", {report.repeated} of them empty ones for copies" if report.repeated else ""
    yield (
        f"{count(report.pictures, 'picture')}: {report.sealed} sealed now "
        f"({count(report.vouchers, 'voucher')}{repeated}), {report.unchanged} sealed before, "
        f"{report.unusable_count} not usable."
    )
    if not report.pictures:
        yield "Pictures are told by their names: .jpg, .png, .webp and the like; with --videos .mp4 and others, too."
    if report.originals:
        yield f"{count(report.originals, 'encrypted original')} written."
    yield from _listed("Not usable:", report.unusable, report.unusable_count)
    yield from _listed(
        "Sealed, but without a small picture, or without one of the hashes:", report.partial, len(report.partial)
    )


def uploaded(report: UploadReport) -> Iterator[str]:
    """What an upload did."""
    yield f"{count(report.acknowledged, 'voucher')} acknowledged by the server, durably."
    yield from refused(report.refused)


def refused(reasons: Mapping[str, int]) -> Iterator[str]:
    """What to do about refused vouchers."""
    for reason, number in sorted(reasons.items()):
        what = _REFUSALS.get(reason, "to try once more: tpsi-device upload --again")
        yield f"{count(number, 'voucher')} refused ({reason}) and kept aside: {what}"


def status(state: Status) -> Iterator[str]:
    """A device's status."""
    yield f'Account {state.account} on "{state.list_name}" at {state.server} ({state.home})'
    if state.epoch is None or not state.table_complete:
        yield "  table       not here, or not whole; run: tpsi-device fetch"
    if state.epoch is not None and state.items is not None and state.picture_threshold is not None:
        types = ", ".join(state.hash_types or ()) or "no hash type that this device can compute"
        newer = (
            f"; epoch {state.epoch_seen} was seen, run: tpsi-device fetch" if state.epoch_seen != state.epoch else ""
        )
        yield f"  list        epoch {state.epoch}: {count(state.items, 'hash', 'hashes')} ({types}){newer}"
        yield f"  threshold   {promise(state.picture_threshold)}"
        yield f"  cover       {cover(SyntheticMode(state.synthetic_mode), state.synthetic_per_million or 0)}"
    yield f"  accepts     {demands(state.lowest_threshold, state.least_synthetic, state.modes)}"
    yield f"  auditors    {auditors(state.auditors, state.auditors_needed)}"
    memory = f"{count(state.remembered, 'hash', 'hashes')} remembered, {count(state.rescans, 'rescan')}"
    yield f"  sealed      {count(state.sealed, 'voucher')}, {memory}"
    exported = f", {state.exported} of them in exported files" if state.exported else ""
    yield f"  queued      {count(state.queued, 'voucher')} ({size(state.queued_octets)}){exported}"
    yield f"  sent        {count(state.acknowledged, 'voucher')} acknowledged{_when(state.last_upload)}"
    yield f"  reveals     {telling(state.notify_after)}"
    for moment, vouchers in state.notices:
        yield f"  revealed    {revealed(moment, vouchers)}"
    for path in state.evidence:
        yield f"  warning     the server showed two histories; the evidence is in {path}"
    if state.replaced:
        yield f"  replaced    {count(state.replaced, 'voucher')} dropped by a rescan before they were sent"
    if state.bad_candidates:
        yield (
            f"  warning     {count(state.bad_candidates, 'lookup')} gave what no sound table gives. The server was not "
            "told, and nothing about the vouchers shows it; ask whoever audits the list"
        )
    yield from (f"  {line}" for line in refused(state.refused))


def demands(lowest_threshold: int, least_synthetic: int, modes: tuple[str, ...]) -> str:
    """What a device accepts of a list."""
    pictures = count(lowest_threshold, "matching picture")
    share = f"{least_synthetic / 10_000:g} % synthetic vouchers or more"
    return f"lists that need more than {pictures}, with {share}, in mode {' or '.join(modes)}"


def auditors(keys: tuple[str, ...], needed: int) -> str:
    """Whose signatures a device demands."""
    if not keys:
        return "none is demanded: nobody but its server says what the table holds"
    named = ", ".join(key[:16] for key in keys)
    return f"{needed} of {len(keys)} must have signed the table (keys that begin {named})"


def size(octets: int) -> str:
    """`512 B`, `36.2 MB`."""
    amount = float(octets)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000 or unit == "GB":
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    raise AssertionError("unreachable")


def _listed(title: str, lines: tuple[str, ...], number: int) -> Iterator[str]:
    if not lines:
        return
    yield title
    yield from (f"  {line}" for line in lines[:MAX_SHOWN])
    if number > MAX_SHOWN:
        yield f"  … and {number - MAX_SHOWN} more"


def _when(moment: int | None) -> str:
    return "" if moment is None else time.strftime(", last on %Y-%m-%d at %H:%M", time.localtime(moment))


_MARKS = {Level.GOOD: "ok   ", Level.NOTE: "note ", Level.FAULT: "FAULT"}


def finding(found: Finding) -> list[str]:
    """What the doctor found, and what to do."""
    lines = [f"{_MARKS[found.level]}  {found.check}: {found.says}"]
    return [*lines, f"       → {found.do}"] if found.do else lines
