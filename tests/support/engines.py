"""Database engines for tests that open thousands: what SQLAlchemy compiles, it compiles once for all of them."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import Any
from unittest.mock import patch

from sqlalchemy import Engine, create_engine

from tpsi_client.state import database as device_side
from tpsi_server.store import sqlite as server_side


@contextmanager
def compiled_once() -> Iterator[None]:
    """Within it, SQLite engines share what their statements were compiled to; files and connections are their own."""
    with ExitStack() as stack:
        for module in (device_side, server_side):
            stack.enter_context(patch.object(module, "create_engine", _create))
        yield


def _create(*arguments: Any, **options: Any) -> Engine:
    engine, model = create_engine(*arguments, **options), _model()
    engine.dialect, engine._compiled_cache = model.dialect, model._compiled_cache
    return engine


@cache
def _model() -> Engine:
    engine = create_engine("sqlite://")
    with engine.connect():  # its dialect knows the library's version from now on
        pass
    engine.dispose()
    return engine
