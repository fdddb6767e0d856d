"""The implementations that the conformance suite runs against: whoever adds one, names it here."""

from collections.abc import Callable
from functools import partial

import pytest

from tpsi.groups import SUITES, Group, group

IMPLEMENTATIONS: dict[str, Callable[[], Group]] = {suite: partial(group, suite) for suite in SUITES}


@pytest.fixture(scope="session", name="group", params=IMPLEMENTATIONS)
def _group(request: pytest.FixtureRequest) -> Group:
    return IMPLEMENTATIONS[request.param]()
