"""Transactions that are run again: the second run does what the first would have done."""

import threading
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from inspect import getmembers, isfunction
from pathlib import Path
from typing import get_origin, get_type_hints

import pytest
from sqlalchemy import Connection

from tpsi import ItemHash
from tpsi_server.companions import Companion
from tpsi_server.store import Database, Store
from tpsi_server.store.engine import ConflictError

COMPANION = Companion(ItemHash("dct80", bytes(range(10))), ItemHash("pdq64", bytes(range(32))))
ONCE = (Iterable, Iterator, Generator)


class Colliding(Database):
    """A database in which some other transaction stands in the way of the next one."""

    collisions = 0

    @contextmanager
    def write(self) -> Iterator[Connection]:
        with super().write() as connection:
            yield connection
            if self.collisions:
                self.collisions -= 1
                raise ConflictError("the database failed: deadlock detected")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Colliding]:
    Store.create(tmp_path / "store").close()
    made = Colliding(tmp_path / "store")
    yield made
    made.close()


def retried() -> list[tuple[type, str]]:
    """The methods of the store that are run again."""
    parts = [type(part) for part in vars(Store(Database.__new__(Database))).values()]
    return [
        (part, name)
        for part in parts
        if part.__module__.startswith("tpsi_server.store") and not issubclass(part, Database)
        for name, method in getmembers(part, isfunction)
        if method.__code__.co_name == "tried"
    ]


def test_no_retried_method_takes_what_can_be_read_only_once() -> None:
    assert len(retried()) > 20
    for part, name in retried():
        for parameter, hint in get_type_hints(getattr(part, name)).items():
            assert get_origin(hint) not in ONCE, f"{part.__name__}.{name} takes {parameter} once"


def test_companions_are_taken_in_by_the_second_try(database: Colliding) -> None:
    store = Store(database)
    database.collisions = 1
    assert store.companions.add(lambda: iter([COMPANION]), {"pdq64": 20}) == 1
    companions = store.companions.load()
    assert database.retries == 1
    assert companions is not None
    assert companions.nearest(ItemHash("pdq64", bytes(range(32)))) == 0


def test_a_setting_that_two_change_at_once_loses_neither_change(location: Path) -> None:
    store = Store.create(location)
    barrier = threading.Barrier(4)

    def count(name: str) -> None:
        barrier.wait()
        for _ in range(10):
            store.settings.change("counts", lambda before: {**(before or {}), name: (before or {}).get(name, 0) + 1})

    threads = [threading.Thread(target=count, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.settings.get("counts") == dict.fromkeys("abcd", 10)
    store.close()
