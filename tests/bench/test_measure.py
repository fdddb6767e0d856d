"""The rounds: every task is run once in each, forwards and backwards, and costs are found again by what they are of."""

import pytest

from bench.comparison import compare
from bench.errors import BenchError
from bench.measure import Cost, Subject, Task, find, measure
from bench.peer import NAME


def test_rounds_go_forwards_and_backwards_and_divide_by_the_items() -> None:
    order: list[str] = []

    def task(name: str, items: int, seconds: float) -> Task:
        def sample() -> float:
            order.append(name)
            return seconds

        return Task(Subject(name), items, sample)

    told: list[tuple[int, int, str]] = []
    costs = measure(
        [task("a", 1, 3.0), task("b", 4, 2.0)], 3, lambda done, total, what: told.append((done, total, what))
    )
    assert order == ["a", "b", "b", "a", "a", "b"]
    assert [cost.seconds for cost in costs] == [(3.0, 3.0, 3.0), (0.5, 0.5, 0.5)]
    assert [done for done, _, _ in told] == list(range(6))


def test_a_cost_is_found_by_suite_and_by_parameter() -> None:
    costs = [Cost(Subject("seal", "s", "fuse", "b", {"associated_bytes": n}), 1, (float(n + 1),)) for n in (0, 4096)]
    assert find(costs, "seal", suite="s", associated_bytes=4096).seconds == (4097.0,)


@pytest.mark.parametrize("wanted", [{}, {"associated_bytes": 1}, {"suite": "other"}])
def test_a_cost_that_is_not_there_or_not_the_only_one_is_refused(wanted: dict[str, object]) -> None:
    costs = [Cost(Subject("seal", "s", parameters={"associated_bytes": n}), 1, (1.0,)) for n in (0, 4096)]
    with pytest.raises(BenchError, match="not one"):
        find(costs, "seal", **wanted)


def test_the_comparison_adds_blinding_to_encoding_and_divides_matching_by_the_slots() -> None:
    peers = [Cost(Subject(f"{NAME}: {step}"), 1, (6.0, 12.0)) for step in ("set up", "device", "process")]
    ours = [
        Cost(Subject("blind", "s"), 1, (1.0, 2.0)),
        Cost(Subject("encode", "s", "cuckoo"), 1, (2.0, 4.0)),
        Cost(Subject("seal", "s", "cuckoo", parameters={"associated_bytes": 0}), 1, (12.0, 24.0)),
        Cost(Subject("match", "s", "cuckoo"), 1, (4.0, 8.0)),
    ]
    rows = list(compare([*peers, *ours], ["s"], ["cuckoo"]))
    assert [row.ours for row in rows] == [(3.0, 6.0), (12.0, 24.0), (2.0, 4.0)]
    assert [row.ratio.median for row in rows] == [2.0, 0.5, 3.0]
