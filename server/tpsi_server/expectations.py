"""What the operator expects of the devices and of the hash, and whether a table's parameters fit that."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from tpsi import Manifest
from tpsi.errors import CallerError
from tpsi.pictures import PERCEPTUAL
from tpsi.plan import HashType, Measurement, Setting, choose, plan
from tpsi.plan.setting import DEFAULT_WISH
from tpsi_server.errors import DataError
from tpsi_server.store import Store

#: The name under which they are kept with the list's settings.
SETTING = "expectations"


@dataclass(frozen=True, slots=True)
class Expectations:
    """`pictures`: those that a device seals in a year; `measurements` and assumed `rates` (by hash type) of false
    matches for a pair; `wished`: the false-account probability a year."""

    pictures: int | None = None
    measurements: tuple[Measurement, ...] = ()
    rates: Mapping[str, float] = field(default_factory=dict)
    wished: float = DEFAULT_WISH

    def to_dict(self) -> dict[str, Any]:
        """As JSON types."""
        members = ("hash", "probes", "pairs", "false_matches", "confidence")
        measured = [{name: getattr(one, name) for name in members} for one in self.measurements]
        return {"pictures": self.pictures, "measurements": measured, "rates": dict(self.rates), "wished": self.wished}

    @classmethod
    def from_dict(cls, value: Any) -> Self:
        """Inverse of `to_dict`; DataError if it is none of its results."""
        try:
            measured = tuple(Measurement(**one) for one in value["measurements"])
            return cls(value["pictures"], measured, dict(value["rates"]), value["wished"])
        except (CallerError, KeyError, TypeError, AttributeError):
            raise DataError("what the database holds of the operator's expectations is damaged") from None

    def with_changes(
        self,
        pictures: int | None,
        measurements: tuple[Measurement, ...],
        rates: Mapping[str, float],
        wished: float | None,
    ) -> Self:
        """What is said now in the place of what was said before; a measurement of a type ends an assumption of it."""
        measured = {(one.hash, one.probes): one for one in (*self.measurements, *measurements)}
        gone = {one.hash for one in measurements}
        assumed = {name: rate for name, rate in self.rates.items() if name not in gone} | dict(rates)
        kept = tuple(one for one in measured.values() if one.hash not in rates)
        return replace(
            self, pictures=pictures or self.pictures, measurements=kept, rates=assumed, wished=wished or self.wished
        )


def expectations(store: Store) -> Expectations:
    """Those that are kept; nothing is expected if none are."""
    return _decoded(store.settings.get(SETTING))


def change_expectations(store: Store, change: Callable[[Expectations], Expectations]) -> Expectations:
    """Put what `change` makes of those that are kept in their place, for the epochs to come, and return it."""
    return _decoded(store.settings.change(SETTING, lambda kept: change(_decoded(kept)).to_dict()))


def _decoded(kept: Any) -> Expectations:
    return Expectations() if kept is None else Expectations.from_dict(kept)


def doubts(manifest: Manifest, counts: Mapping[str, int], expected: Expectations) -> list[str]:
    """What speaks against a table's parameters, in sentences; `counts` says how many hashes of each type are listed.

    Nothing is said of a list that has no perceptual hash: of others, two pictures do not share one by accident.
    """
    fuzzy = [name for name in manifest.types if name in PERCEPTUAL]
    if not fuzzy:
        return []
    if expected.pictures is None:
        return [
            f"nobody has said how large libraries are: whether a threshold of {manifest.sharing.threshold} protects "
            "innocent accounts is not known; see `tpsi-plan`, --expected-library and --measured"
        ]
    try:
        types = tuple(_type(name, max(1, counts.get(name, 0)), manifest, expected) for name in manifest.types)
        setting = Setting(
            types,
            expected.pictures,
            expected.wished,
            threshold=manifest.sharing.threshold,
            rows=manifest.sharing.rows,
            synthetic=manifest.synthetic,
            probes=manifest.probes,
        )
        return list(plan(setting).warnings)
    except CallerError as error:
        return [f"the parameters cannot be checked: {error}"]


def _type(name: str, listed: int, manifest: Manifest, expected: Expectations) -> HashType:
    if name not in PERCEPTUAL:
        return HashType(name, listed, assumed=0.0)
    if name in expected.rates:
        return HashType(name, listed, assumed=expected.rates[name])
    measured = choose(expected.measurements, name, manifest.probes.per_item, None)
    if measured is None:
        raise CallerError(f"nothing says how often {name} matches falsely: give --measured or --false-match-rate")
    return HashType(name, listed, measured)
