"""The two sources' lists, read as the server reads them."""

import random
from pathlib import Path

from examples.demo.hashlists import HashList, write_lists
from examples.demo.photos import HASH_TYPE
from tpsi.items import ItemHash
from tpsi_server.lists import Addition, merge, open_list


def read(written: HashList) -> list[ItemHash]:
    """All hashes of a list."""
    with open_list(written.path, default_type=HASH_TYPE) as reader:
        records = list(reader)
    assert all(isinstance(record, Addition) for record in records)
    return [record.item for record in records if isinstance(record, Addition)]


def test_both_lists_agree_on_exactly_the_hashes_that_were_asked_for(tmp_path: Path) -> None:
    rng = random.Random(1)
    pictures = [rng.randbytes(32) for _ in range(20)]
    lists = write_lists(tmp_path, pictures, 500, rng)
    named = {one.source: read(one) for one in lists}
    assert [len(named[one.source]) for one in lists] == [one.entries for one in lists] == [550, 550]
    admitted = set(merge(named, 2))
    assert len(admitted) == 500
    assert {ItemHash(HASH_TYPE, digest) for digest in pictures} <= admitted
    assert len(merge(named, 1)) == 600
