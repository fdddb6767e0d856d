"""A manifest that can be made can be read: else a server signs and publishes what no device accepts."""

from dataclasses import replace
from typing import Any

import pytest

from tests.support.world import World
from tpsi import CallerError, Source


@pytest.mark.parametrize(
    "change",
    [
        {"created": 2**60},
        {"epoch": 2**60, "previous": bytes(32)},
        {"sources": tuple(Source("\U0001f600" * 190 + f"{number:04}", 1) for number in range(256))},
    ],
    ids=["created", "epoch", "size"],
)
def test_what_the_constructor_takes_the_decoder_takes(change: dict[str, Any]) -> None:
    """None of these can be read, so none can be made."""
    with pytest.raises(CallerError):
        replace(World(range(3)).manifest, **change)


def test_a_source_of_more_items_than_json_can_tell_is_refused() -> None:
    with pytest.raises(CallerError):
        Source("y", 1 << 60)


@pytest.mark.parametrize("types", [("PDQ!!",), ("",), ("é",), ()])
def test_types_that_no_item_hash_can_have_are_refused(types: tuple[str, ...]) -> None:
    with pytest.raises(CallerError):
        replace(World(range(3)).manifest, types=types)
