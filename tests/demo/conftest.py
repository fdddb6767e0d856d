"""What the tests of the demonstration share."""

import random
from pathlib import Path

import pytest

from examples.demo.photos import Photo
from tests.demo.imagined import Run
from tpsi.items import ItemHash


@pytest.fixture
def run() -> Run:
    """Three hundred pictures of thirty photographs."""
    rng = random.Random(7)
    return Run(
        [
            Photo(Path(f"{number}.jpg"), ItemHash("pdq", rng.randbytes(32)), f"photograph {number % 30}")
            for number in range(300)
        ]
    )
