"""What sealing and matching cost outside of the group: their time without that of their products, round by round."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.measure import Cost, Subject
from bench.spread import Spread

#: A step, and the part of it that is the group's.
PRODUCTS = {"seal": "products of sealing", "match": "products of matching"}


@dataclass(frozen=True, slots=True)
class Outside:
    """A step, and what remains of it: seconds an item."""

    subject: Subject
    whole: Spread
    rest: Spread


def outside(costs: Sequence[Cost]) -> Iterator[Outside]:
    """For every step whose products were measured in the same rounds; items without associated data."""
    places = {(cost.subject.operation, *_stage(cost)): cost for cost in costs}
    for cost in costs:
        products = places.get((PRODUCTS.get(cost.subject.operation, ""), *_stage(cost)))
        if products is not None and not cost.subject.parameters.get("associated_bytes"):
            rest = [whole - part for whole, part in zip(cost.seconds, products.seconds, strict=True)]
            yield Outside(cost.subject, cost.spread, Spread.of(rest))


def _stage(cost: Cost) -> tuple[str | None, str | None, str | None]:
    return cost.subject.suite, cost.subject.table, cost.subject.backend
