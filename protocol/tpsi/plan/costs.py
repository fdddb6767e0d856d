"""What a device pays: octets exactly, from the voucher's layout; time from a figure for one slot."""

from dataclasses import dataclass

from tpsi.groups import SUITES
from tpsi.parameters import Probes, Sharing, Synthetic, SyntheticMode
from tpsi.table.geometry import FuseGeometry
from tpsi.trial import trial_manifest
from tpsi.voucher import slot_count, smallest_class, voucher_size

#: Octets of associated data for a photograph: magic, content key and a derivative of 4 000.
PHOTOGRAPH = 4036


@dataclass(frozen=True, slots=True)
class Costs:
    """For one device and year: sizes in octets, `seconds` of one core or None if no time for a slot is known."""

    table: int
    slots: int
    voucher: int
    vouchers: float
    uploaded: float
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Format:
    """What a voucher's size follows from, besides the parameters of the list."""

    associated: int = PHOTOGRAPH
    suite: str = SUITES[0]
    encoding: str = FuseGeometry.encoding


def costs(
    listed: int,
    vouchers: int,
    *,
    sharing: Sharing,
    synthetic: Synthetic,
    probes: Probes,
    form: Format,
    slot: float | None,
) -> Costs:
    """What `vouchers` items cost a device in a year; `slot`: seconds for one slot."""
    manifest = trial_manifest(
        listed, sharing=sharing, synthetic=synthetic, probes=probes, suite=form.suite, encoding=form.encoding
    )
    size = voucher_size(manifest, smallest_class(form.associated))
    extra = synthetic.per_million / 10**6 if synthetic.mode is SyntheticMode.ADD else 0.0
    sent = vouchers * (1 + extra)
    slots = slot_count(manifest)
    seconds = None if slot is None else slot * slots * sent
    return Costs(manifest.table_bytes, slots, size, sent, size * sent, seconds)
