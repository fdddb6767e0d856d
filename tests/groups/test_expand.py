"""expand_message_xmd against RFC 9380, appendix K."""

import json
from pathlib import Path
from typing import Any

import pytest

from tpsi.errors import CallerError
from tpsi.groups.expand import HashName, expand_message_xmd

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "rfc9380_expand.json").read_text("utf-8"))


@pytest.mark.parametrize("vectors", VECTORS["sets"], ids=lambda vectors: vectors["appendix"])
def test_rfc9380_appendix_k(vectors: dict[str, Any]) -> None:
    for vector in vectors["vectors"]:
        expected = bytes.fromhex(vector["uniform_bytes"])
        message, dst = vector["msg"].encode(), vectors["dst"].encode()
        assert expand_message_xmd(message, dst, len(expected), vectors["hash"]) == expected


def test_a_tag_of_255_octets_is_used_as_it_is_and_one_of_256_is_hashed() -> None:
    assert len(VECTORS["sets"][1]["dst"]) == 256
    outputs = {expand_message_xmd(b"m", b"t" * size, 32, "sha256") for size in (254, 255, 256, 257)}
    assert len(outputs) == 4


@pytest.mark.parametrize(("hash_name", "largest"), [("sha256", 255 * 32), ("sha512", 255 * 64)])
def test_size_beyond_255_blocks_is_refused(hash_name: HashName, largest: int) -> None:
    assert len(expand_message_xmd(b"m", b"tag", largest, hash_name)) == largest
    for size in (largest + 1, 65_536, 0, -1):
        with pytest.raises(CallerError):
            expand_message_xmd(b"m", b"tag", size, hash_name)


def test_empty_tag_is_refused() -> None:
    with pytest.raises(CallerError):
        expand_message_xmd(b"m", b"", 32, "sha256")
