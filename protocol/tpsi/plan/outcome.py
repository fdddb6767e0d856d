"""A plan: everything that follows from a setting, as plain numbers."""

from dataclasses import asdict, dataclass
from typing import Any, Self

from tpsi.plan.balls import Ball, log10, to_float
from tpsi.plan.costs import Costs


@dataclass(frozen=True, slots=True)
class Probability:
    """A chance; `log10` still tells where `value` is rounded to 0."""

    value: float
    log10: float

    @classmethod
    def of(cls, ball: Ball) -> Self:
        """From rigorous arithmetic."""
        return cls(to_float(ball), log10(ball))


@dataclass(frozen=True, slots=True)
class Rate:
    """What is known of one hash type's false matches; `lower` and `upper` are None for an assumption.

    `planned` is for each pair, or for each picture if `per_picture`; `picture` is the chance that follows for a picture
    against the whole list.
    """

    hash: str
    listed: int
    per_picture: bool
    planned: float
    picture: Probability
    measured: bool
    estimate: float | None
    lower: float | None
    upper: float | None
    pairs: int | None
    false_matches: int | None
    confidence: float | None


@dataclass(frozen=True, slots=True)
class Step:
    """A threshold, and the false-account probability a year with it: as planned, and by the estimate alone."""

    threshold: int
    planned: Probability
    estimated: Probability


@dataclass(frozen=True, slots=True)
class Doubt:
    """What if every rate is `factor` times as high: the chance with the plan's threshold, and the one then needed."""

    factor: int
    chance: Probability | None
    needed: int | None


@dataclass(frozen=True, slots=True)
class Seen:
    """What the server sees of an account with `matches`: opened vouchers, and the best test's advantage against 0."""

    matches: int
    mean: float
    low: int
    high: int
    advantage: Probability


@dataclass(frozen=True, slots=True)
class Revealed:
    """The chance that an account with so many listed pictures is revealed."""

    listed: int
    chance: Probability


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that the planner has to say; a `warning` contradicts the wish."""

    code: str
    warning: bool
    text: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What follows from a setting. `threshold` is the one asked for, else the smallest that meets the wish, else None.

    `levels` are the fewest listed pictures that are revealed with a chance of 50, 90 and 99 %.
    """

    threshold: int | None
    smallest: int | None
    wished: float
    meets: bool
    pictures: int
    vouchers: int
    overdispersion: float
    expected: float
    rates: tuple[Rate, ...]
    steps: tuple[Step, ...]
    accounts: int | None
    accounts_expected: float | None
    doubts: tuple[Doubt, ...]
    largest_library: int | None
    seen: tuple[Seen, ...]
    revealed: tuple[Revealed, ...]
    levels: dict[str, int | None]
    costs: Costs | None
    findings: tuple[Finding, ...]

    @property
    def warnings(self) -> tuple[str, ...]:
        """What contradicts the wish."""
        return tuple(finding.text for finding in self.findings if finding.warning)

    def to_dict(self) -> dict[str, Any]:
        """For JSON: no value is NaN or infinite, `log10` of an impossible event is null."""
        found: dict[str, Any] = _finite(asdict(self))
        return found


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and value in (float("inf"), float("-inf")) else value
