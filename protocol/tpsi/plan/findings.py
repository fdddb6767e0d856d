"""What the planner says in words about a plan: first of all, where the numbers do not carry the conclusion."""

from collections.abc import Iterator
from dataclasses import replace

from tpsi.parameters import SyntheticMode
from tpsi.plan.balls import to_float
from tpsi.plan.counting import exceeds, meets
from tpsi.plan.outcome import Finding, Plan
from tpsi.plan.rates import pairs_for
from tpsi.plan.revealing import MAX_LISTED
from tpsi.plan.setting import HashType, Setting

#: The threshold whose demand on the measurement is told when no threshold meets the wish.
CUSTOMARY = 30
#: Advantage of the best test for one match above which the cover is called thin.
THIN = 0.2
_HALVINGS = 60


def findings(setting: Setting, plan: Plan) -> Plan:
    """The plan with everything that is to be said about it."""
    found = (*_rates(setting, plan), *_wish(setting, plan), *_cover(setting, plan), *_decoding(setting, plan))
    return replace(plan, findings=found)


def tolerable(setting: Setting, threshold: int) -> float:
    """The factor by which all rates may be multiplied so that a threshold just meets the wish; 0 if none does."""
    library = setting.library()
    low, high = 1e-30, 1e30
    if not meets(library.times(low), threshold, setting.wished):
        return 0.0
    for _ in range(_HALVINGS):
        middle = (low * high) ** 0.5
        if meets(library.times(middle), threshold, setting.wished):
            low = middle
        else:
            high = middle
    return low


def _rates(setting: Setting, plan: Plan) -> Iterator[Finding]:
    for one in setting.types:
        if one.measurement is None:
            text = f"the rate of {one.name}, {one.assumed:.3g}, is an assumption: nothing here was measured"
            yield Finding("assumed", False, text)
        elif _says_too_little(setting, plan):
            yield Finding("too_few_pairs", True, _too_few(setting, plan, one))


def _says_too_little(setting: Setting, plan: Plan) -> bool:
    """Whether the estimate would meet the wish, and only the measurement's uncertainty stands against it."""
    if plan.threshold is None:
        return meets(setting.estimated(), CUSTOMARY, setting.wished) or not _has_matches(setting)
    return not plan.meets and meets(setting.estimated(), plan.threshold, setting.wished)


def _has_matches(setting: Setting) -> bool:
    return any(one.measurement and one.measurement.false_matches for one in setting.types)


def _too_few(setting: Setting, plan: Plan, one: HashType) -> str:
    measured = one.measurement
    assert measured is not None  # noqa: S101 (the caller has looked)
    against = "" if one.per_picture else f" against {one.listed:,} listed hashes"
    each = to_float(one.chance().hit())
    text = (
        f"{one.name}: {measured.false_matches:,} false matches in {measured.pairs:,} pairs show no more than a rate of "
        f"at most {one.rate:.2g} ({measured.confidence:.0%} confidence):{against} that allows one picture in "
        f"{1 / each:,.3g} to match, {plan.expected:,.3g} of {setting.pictures:,} a year. That is too little to "
        f"conclude anything about {setting.wished:.2g} an account"
    )
    factor = tolerable(setting, plan.threshold or CUSTOMARY)
    if not factor:
        return f"{text}."
    wanted = one.rate * factor
    needed = pairs_for(wanted, measured.confidence)
    return (
        f"{text}. For a threshold of {plan.threshold or CUSTOMARY} the rate has to be at most {wanted:.2g}; to show "
        f"that takes {needed:,} pairs without a false match, {needed / measured.pairs:,.0f} times as many"
    )


def _wish(setting: Setting, plan: Plan) -> Iterator[Finding]:
    if plan.threshold is None:
        yield Finding("no_threshold", True, f"no threshold up to 1000 gives {setting.wished:.2g} an account and year")
    elif not plan.meets:
        chance = exceeds(setting.library(), plan.threshold)
        better = f"the smallest that does is {plan.smallest}" if plan.smallest else "and none up to 1000 does"
        text = (
            f"a threshold of {plan.threshold} gives a false-account probability of {to_float(chance):.2g} a year, more "
            f"than the wished {setting.wished:.2g}; {better}"
        )
        yield Finding("wish_not_met", True, text)
    tenfold = plan.doubts[1]
    if plan.meets and tenfold.chance and tenfold.chance.value > setting.wished:
        then = f"it would take {tenfold.needed}" if tenfold.needed else "no threshold up to 1000 would do"
        text = (
            f"if the rates are ten times as high, the false-account probability is {tenfold.chance.value:.2g} a year, "
            f"and {then}"
        )
        yield Finding("fragile", False, text)


def _cover(setting: Setting, plan: Plan) -> Iterator[Finding]:
    mode = setting.synthetic.mode
    if mode is SyntheticMode.NONE:
        yield Finding("no_cover", True, "without synthetic vouchers the server counts every match below the threshold")
    elif mode is SyntheticMode.ADD:
        text = (
            "mode add covers nothing from a server that knows how many pictures there are; devices refuse it by default"
        )
        yield Finding("mode_add", False, text)
    one = next((seen for seen in plan.seen if seen.matches == 1), None)
    if one and mode is not SyntheticMode.NONE and one.advantage.value > THIN:
        text = (
            "the cover is thin: the best test tells one match from none with an advantage of "
            f"{one.advantage.value:.2f}; more synthetic vouchers, or more pictures, cover more"
        )
        yield Finding("thin_cover", False, text)


def _decoding(setting: Setting, plan: Plan) -> Iterator[Finding]:
    if plan.costs is None or plan.threshold is None:
        if plan.threshold is not None:
            text = (
                f"a threshold of {plan.threshold} with {setting.rows} rows is more than can be decoded: take fewer rows"
            )
            yield Finding("undecodable", True, text)
        return
    if plan.levels.get("0.99") is None:
        most = min(setting.vouchers, MAX_LISTED)
        synthetic = setting.vouchers * setting.synthetic.per_million / 10**6
        text = (
            f"no number of listed pictures up to {most:,} is revealed with 99 %: of {setting.vouchers:,} vouchers some "
            f"{synthetic:,.0f} are synthetic; more rows, or a lower synthetic rate, make reveals surer"
        )
        yield Finding("never_revealed", True, text)
