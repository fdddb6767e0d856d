"""The rounds: every task is run once in each, beside what it is compared with, and found again by what it is of."""

import pytest

from bench.comparison import compare
from bench.errors import BenchError
from bench.measure import Cost, Subject, Task, Work, find, measure
from bench.outside import outside
from bench.peer import NAME


def test_every_sample_stands_between_two_of_what_it_is_compared_with() -> None:
    order: list[str] = []

    def work(name: str, items: int, *seconds: float) -> Work:
        times = iter(seconds)

        def sample() -> float:
            order.append(name)
            return next(times)

        return Work(items, sample)

    told: list[tuple[int, int, str]] = []
    tasks = [
        Task(Subject("a"), work("a", 1, 3.0, 5.0)),
        Task(Subject("b"), work("b", 4, 2.0, 8.0), {"scale": work("scale", 2, 1.0, 3.0, 10.0, 20.0)}),
    ]
    costs = measure(tasks, 2, lambda done, total, what: told.append((done, total, what)))
    assert order == ["a", "scale", "b", "scale"] * 2
    assert [cost.seconds for cost in costs] == [(3.0, 5.0), (0.5, 2.0)]
    assert costs[1].beside == {"scale": (1.0, 7.5)}
    assert told == [(0, 4, "a"), (1, 4, "b"), (2, 4, "a"), (3, 4, "b")]


def _cost(operation: str, seconds: tuple[float, ...], peer: tuple[float, ...] = (), **parameters: int) -> Cost:
    return Cost(Subject(operation, "s", "cuckoo", "b", parameters), 1, seconds, {NAME: peer} if peer else {})


def test_a_cost_is_found_by_suite_and_by_parameter() -> None:
    costs = [_cost("seal", (float(n),), associated_bytes=n) for n in (0, 4096)]
    assert find(costs, "seal", suite="s", associated_bytes=4096).seconds == (4096.0,)


@pytest.mark.parametrize("wanted", [{}, {"associated_bytes": 1}, {"suite": "other"}])
def test_a_cost_that_is_not_there_or_not_the_only_one_is_refused(wanted: dict[str, object]) -> None:
    costs = [_cost("seal", (1.0,), associated_bytes=n) for n in (0, 4096)]
    with pytest.raises(BenchError, match="not one"):
        find(costs, "seal", **wanted)


def test_the_comparison_divides_matching_by_the_slots_and_the_peer_by_ours() -> None:
    costs = [
        _cost("blind and encode", (3.0, 6.0), (6.0, 12.0)),
        _cost("seal", (12.0, 24.0), (6.0, 12.0), associated_bytes=0),
        _cost("match", (4.0, 8.0), (6.0, 12.0)),
    ]
    rows = list(compare(costs))
    assert [row.ours for row in rows] == [(3.0, 6.0), (12.0, 24.0), (2.0, 4.0)]
    assert [row.ratio.median for row in rows] == [2.0, 0.5, 3.0]


def test_outside_of_the_group_is_the_whole_without_its_products_round_by_round() -> None:
    costs = [
        _cost("seal", (9.0, 30.0, 12.0), associated_bytes=0),
        _cost("seal", (90.0, 90.0, 90.0), associated_bytes=4096),
        _cost("products of sealing", (7.0, 20.0, 8.0)),
        _cost("match", (5.0, 5.0, 5.0)),
    ]
    found = list(outside(costs))
    assert [(one.subject.operation, one.rest.median) for one in found] == [("seal", 4.0)]
    assert found[0].whole.median == 12.0
