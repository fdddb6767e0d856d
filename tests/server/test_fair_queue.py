"""The queue before the store: bounded, in turn, and ended."""

import threading

from tpsi_server.fair_queue import FairQueue


def test_names_are_served_in_turn_and_their_own_things_in_order() -> None:
    queue: FairQueue[str] = FairQueue(100)
    for value in ("a1", "a2", "a3", "b1", "b2", "c1"):
        assert queue.put(value[0], 1, value)
    assert [queue.get_nowait() for _ in range(7)] == ["a1", "b1", "c1", "a2", "b2", "a3", None]


def test_whoever_comes_late_does_not_wait_for_all_that_another_has_put_in() -> None:
    queue: FairQueue[str] = FairQueue(10_000)
    for number in range(1000):
        queue.put("flood", 1, f"flood {number}")
    assert queue.get() == "flood 0"
    queue.put("honest", 1, "honest")
    assert {queue.get(), queue.get()} == {"flood 1", "honest"}


def test_it_is_bounded_by_weight_and_takes_one_thing_of_any_weight() -> None:
    queue: FairQueue[int] = FairQueue(10)
    assert queue.put("a", 1000, 1)
    assert not queue.put("b", 1, 2)
    assert queue.get() == 1
    assert queue.put("a", 6, 3)
    assert queue.put("b", 4, 4)
    assert not queue.put("c", 1, 5)
    assert len(queue) == 2


def test_what_is_inside_is_given_out_before_it_ends_and_those_who_wait_are_told() -> None:
    queue: FairQueue[int] = FairQueue(10)
    queue.put("a", 1, 1)
    queue.close()
    assert (queue.get(), queue.get()) == (1, None)
    other: FairQueue[int] = FairQueue(10)
    told: list[int | None] = []
    waiter = threading.Thread(target=lambda: told.append(other.get()))
    waiter.start()
    other.close()
    waiter.join(10)
    assert told == [None]
