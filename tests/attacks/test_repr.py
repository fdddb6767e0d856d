"""A log line or a traceback that shows an item must not show the key of its original."""

from tests.support.world import md5
from tpsi import Item, Photograph


def test_the_representation_of_an_item_shows_no_content_key() -> None:
    key = b"the content key of one original."
    item = Item(b"id", (md5(1),), Photograph(key, b"").encode())
    assert key.decode() not in repr(item)
