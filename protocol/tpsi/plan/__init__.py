"""The planner: which threshold a list needs, what the server sees below it, and what it costs (docs/planning.md)."""

from tpsi.plan.costs import Costs, Format
from tpsi.plan.counting import Chance, Library, exceeds, largest_library, smallest_threshold
from tpsi.plan.cover import View, advantage
from tpsi.plan.outcome import Finding, Plan, Probability
from tpsi.plan.planning import plan
from tpsi.plan.published import observed_setting, published_setting
from tpsi.plan.rates import Measurement, pairs_for
from tpsi.plan.reading import choose, parse_measurements
from tpsi.plan.revealing import Decision, chance_to_reveal, smallest_revealed
from tpsi.plan.setting import HashType, Setting

__all__ = [
    "Chance",
    "Costs",
    "Decision",
    "Finding",
    "Format",
    "HashType",
    "Library",
    "Measurement",
    "Plan",
    "Probability",
    "Setting",
    "View",
    "advantage",
    "chance_to_reveal",
    "choose",
    "exceeds",
    "largest_library",
    "observed_setting",
    "pairs_for",
    "parse_measurements",
    "plan",
    "published_setting",
    "smallest_revealed",
    "smallest_threshold",
]
