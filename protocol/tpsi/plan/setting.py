"""What is planned: lists with their measured rates, libraries, parameters, and the wish."""

from dataclasses import dataclass, field

from tpsi.errors import CallerError
from tpsi.parameters import Probes, Synthetic
from tpsi.plan.costs import Format
from tpsi.plan.counting import Chance, Library, check_wish
from tpsi.plan.rates import Measurement

#: The false-account probability a year that is wished for, unless another is: the published one.
DEFAULT_WISH = 1e-12


@dataclass(frozen=True, slots=True)
class HashType:
    """One hash type of the list: so many listed hashes, and what is known of its false matches.

    Either `measurement`, or `assumed`: a rate that nobody has measured here. The rate is for each pair of an innocent
    picture, with all its probes, and a listed hash; or, with `per_picture`, for a picture against the whole list.
    """

    name: str
    listed: int
    measurement: Measurement | None = None
    assumed: float | None = None
    per_picture: bool = False

    def __post_init__(self) -> None:
        if (self.measurement is None) == (self.assumed is None):
            raise CallerError(f"{self.name}: give either a measurement or an assumed rate")
        Chance(self.rate, self.listed)

    @property
    def rate(self) -> float:
        """The rate to plan with: the measurement's upper confidence bound, or the assumption."""
        return self.measurement.upper if self.measurement else self.assumed or 0.0

    def chance(self, rate: float | None = None) -> Chance:
        """The chance of one picture, with this rate or the one to plan with."""
        return Chance(self.rate if rate is None else rate, 1 if self.per_picture else self.listed)


@dataclass(frozen=True, slots=True)
class Setting:
    """All that a plan follows from.

    `pictures`: those that a device seals in a year; `threshold` None: the smallest that meets `wished`, the
    false-account probability a year; `listed_on_device`: numbers of listed pictures for which the chance of a
    reveal is asked; `slot_seconds`: time to seal one slot on the device.
    """

    types: tuple[HashType, ...]
    pictures: int
    wished: float = DEFAULT_WISH
    accounts: int | None = None
    threshold: int | None = None
    rows: int = 16
    synthetic: Synthetic = field(default_factory=Synthetic)
    probes: Probes = field(default_factory=Probes)
    overdispersion: float = 1.0
    recall: float = 1.0
    listed_on_device: tuple[int, ...] = ()
    form: Format = field(default_factory=Format)
    slot_seconds: float | None = None

    def __post_init__(self) -> None:
        names = [one.name for one in self.types]
        if len(set(names)) != len(names):
            raise CallerError("name every hash type once")
        check_wish(self.wished)
        if self.accounts is not None and self.accounts < 1:
            raise CallerError("there is at least one account")
        for one in self.types:
            if one.measurement and one.measurement.probes < self.probes.per_item:
                raise CallerError(
                    f"{one.name} was measured with {one.measurement.probes} probes, and devices make "
                    f"{self.probes.per_item}: measure with at least as many"
                )
        self.library()

    @property
    def listed(self) -> int:
        """Listed hashes of all types."""
        return sum(one.listed for one in self.types)

    @property
    def vouchers(self) -> int:
        """Items that a device seals in a year: one for every picture and hash type."""
        return self.pictures * len(self.types)

    def library(self) -> Library:
        """The innocent library, with the rates to plan with."""
        return Library(self.pictures, tuple(one.chance() for one in self.types), self.overdispersion)

    def estimated(self) -> Library:
        """The innocent library, with the rates as measured: no safety for what was not seen."""
        chances = (one.chance(one.measurement.estimate if one.measurement else None) for one in self.types)
        return Library(self.pictures, tuple(chances), self.overdispersion)
