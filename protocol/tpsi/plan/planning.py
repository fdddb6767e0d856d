"""From a setting to a plan."""

from tpsi.errors import CallerError
from tpsi.parameters import Sharing
from tpsi.plan.balls import exact, to_float
from tpsi.plan.costs import Costs, costs
from tpsi.plan.counting import Library, exceeds, largest_library, meets, smallest_threshold
from tpsi.plan.cover import View, advantage
from tpsi.plan.findings import findings
from tpsi.plan.outcome import Doubt, Plan, Probability, Rate, Revealed, Seen, Step
from tpsi.plan.revealing import MAX_LISTED, Decision, chance_to_reveal, smallest_revealed
from tpsi.plan.setting import HashType, Setting

#: How wrong an assumption may be: as planned, off by ten, by a hundred.
FACTORS = (1, 10, 100)
#: Chances for which the fewest listed pictures are told.
LEVELS = (0.5, 0.9, 0.99)
#: The middle of the distribution of opened vouchers that is told.
LOW, HIGH = 0.05, 0.95
_AROUND = 5  # thresholds told on each side of the plan's
_ROWS = 12  # lines of the tables of matches


def plan(setting: Setting) -> Plan:
    """All that follows from a setting.

    Raises CallerError for what cannot be computed, or parameters that a list cannot have.
    """
    library = setting.library()
    smallest = smallest_threshold(library, setting.wished)
    threshold = setting.threshold or smallest
    steps = _steps(setting, threshold) if threshold else ()
    met = threshold is not None and meets(library, threshold, setting.wished)
    decision = _decision(setting, threshold)
    expected = None
    if setting.accounts and threshold:
        expected = setting.accounts * to_float(exceeds(library, threshold))
    made = Plan(
        threshold=threshold,
        smallest=smallest,
        wished=setting.wished,
        meets=met,
        pictures=setting.pictures,
        vouchers=setting.vouchers,
        overdispersion=setting.overdispersion,
        expected=to_float(library.expected()),
        rates=tuple(map(_rate, setting.types)),
        steps=steps,
        accounts=setting.accounts,
        accounts_expected=expected,
        doubts=tuple(_doubt(library, threshold, setting.wished, factor) for factor in FACTORS),
        largest_library=_largest(setting, threshold),
        seen=_seen(setting, threshold),
        revealed=_revealed(setting, decision) if decision else (),
        levels={f"{level:g}": smallest_revealed(decision, level) for level in LEVELS} if decision else {},
        costs=_costs(setting, threshold),
        findings=(),
    )
    return findings(setting, made)


def _rate(one: HashType) -> Rate:
    measured = one.measurement
    return Rate(
        one.name,
        one.listed,
        one.per_picture,
        one.rate,
        Probability.of(exact(one.chance().hit)),
        measured is not None,
        *((measured.estimate, measured.lower, measured.upper) if measured else (None, None, None)),
        *((measured.pairs, measured.false_matches, measured.confidence) if measured else (None, None, None)),
    )


def _steps(setting: Setting, threshold: int) -> tuple[Step, ...]:
    library, estimated = setting.library(), setting.estimated()
    around = range(max(1, threshold - _AROUND), threshold + _AROUND + 1)
    return tuple(Step(t, Probability.of(exceeds(library, t)), Probability.of(exceeds(estimated, t))) for t in around)


def _doubt(library: Library, threshold: int | None, wished: float, factor: int) -> Doubt:
    worse = library.times(factor)
    chance = Probability.of(exceeds(worse, threshold)) if threshold else None
    return Doubt(factor, chance, smallest_threshold(worse, wished))


def _largest(setting: Setting, threshold: int | None) -> int | None:
    if not threshold or not any(one.rate for one in setting.types):
        return None
    library = setting.library()
    return largest_library(library.chances, threshold, setting.wished, setting.overdispersion)


def _sharing(setting: Setting, threshold: int | None) -> Sharing | None:
    try:
        return Sharing(threshold, setting.rows) if threshold else None
    except CallerError:
        if setting.threshold:
            raise
        return None  # found, but larger than can be decoded: the findings say so


def _decision(setting: Setting, threshold: int | None) -> Decision | None:
    sharing = _sharing(setting, threshold)
    return Decision(setting.vouchers, sharing, setting.synthetic, setting.recall) if sharing else None


def _seen(setting: Setting, threshold: int | None) -> tuple[Seen, ...]:
    if not threshold:
        return ()
    views = (View(setting.vouchers, k, setting.synthetic) for k in _spread(0, min(threshold, setting.vouchers)))
    return tuple(
        Seen(
            view.matches,
            view.mean,
            view.quantile(LOW),
            view.quantile(HIGH),
            Probability.of(advantage(view.vouchers, view.matches, view.synthetic)),
        )
        for view in views
    )


def _revealed(setting: Setting, decision: Decision) -> tuple[Revealed, ...]:
    most = min(setting.vouchers, MAX_LISTED)
    if setting.listed_on_device:
        asked: list[int] = sorted({min(k, most) for k in setting.listed_on_device})
    else:
        end = smallest_revealed(decision, 0.9999) or min(most, 4 * decision.sharing.threshold)
        asked = _spread(decision.sharing.threshold, max(end, decision.sharing.threshold + 1))
    return tuple(Revealed(k, chance_to_reveal(decision, k)) for k in asked if k <= most)


def _spread(first: int, last: int) -> list[int]:
    """At most _ROWS numbers from first to last, both among them, and the one after the first."""
    if last - first < _ROWS:
        return list(range(first, last + 1))
    steps = _ROWS - 2
    return sorted({first, *(first + 1 + round((last - first - 1) * i / steps) for i in range(steps + 1))})


def _costs(setting: Setting, threshold: int | None) -> Costs | None:
    sharing = _sharing(setting, threshold)
    if sharing is None:
        return None
    return costs(
        setting.listed,
        setting.vouchers,
        sharing=sharing,
        synthetic=setting.synthetic,
        probes=setting.probes,
        form=setting.form,
        slot=setting.slot_seconds,
    )
