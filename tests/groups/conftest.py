"""The implementations that the conformance suite runs against: whoever adds one, names it here."""

from collections.abc import Callable
from functools import partial

import pytest

from tests.support.backends import BACKENDS
from tpsi.groups import LIBRARY, RISTRETTO255_SHA512, SUITES, Group, group

IMPLEMENTATIONS: dict[str, Callable[[], Group]] = {
    f"{suite}-{backend}": partial(group, suite, backend)
    for suite in SUITES
    for backend in (BACKENDS if suite == RISTRETTO255_SHA512 else (LIBRARY,))
}


@pytest.fixture(scope="session", name="group", params=IMPLEMENTATIONS)
def _group(request: pytest.FixtureRequest) -> Group:
    return IMPLEMENTATIONS[request.param]()


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    """The name of each backend."""
    return str(request.param)
